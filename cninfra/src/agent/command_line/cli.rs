//! Parses the command line and the environment of an agent that runs as its own process.

use super::{
    command::command,
    rivals::rivals,
    said::{Cli, FileFlag, Origin, Task, Value, flags},
    set,
    variables::Variables,
};
use crate::{
    BuildInfo,
    agent::setup::{logs, own},
    config::{self, Known, KnownSection},
    graph::{AGENT_FLAGS, Graph},
};
use clap::{
    ArgMatches, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{collections::HashSet, ffi::OsString};

/// Parses `args` (the first one is the program's name) and `env`.
///
/// # Errors
/// A clap error for wrong usage, and for `--help` and `--version`, which clap reports as errors too.
pub(in crate::agent) fn parse(
    graph: &'static Graph,
    known: &Known,
    build: BuildInfo,
    args: &[OsString],
    env: &Variables,
) -> Result<Cli, clap::Error> {
    // If nothing is set, the names of the flags are not built: that would take a good part of a small agent's start.
    let is_quiet = args.len() < 2 && !env.may_say_more();
    let files = if is_quiet { Vec::new() } else { file_flags(graph, known) };
    let matches = parse_args(graph, &files, build, args)?;
    let text = |flag: &str| matches.as_ref()?.get_one::<String>(flag).cloned();
    let mut cli = Cli::nothing(matches.as_ref().map_or(Task::Run, task));
    cli.config_dir = match text("config-dir") {
        Some(dir) => Some((dir.into(), Origin::Flag("config-dir".into()))),
        None => env.get("CONFIG_DIR").map(|dir| (dir.into(), Origin::Variable("CONFIG_DIR".into()))),
    };
    for file in &files {
        match text(&file.names[0]) {
            Some(path) => cli.files.push((file.section.name, path, Origin::Flag(file.names[0].clone()))),
            None => {
                // An empty variable says that there is no file.
                let mut set = file.variables().filter_map(|name| env.get_even_empty(&name).map(|path| (name, path)));
                let Some((name, path)) = set.next() else { continue };
                if let Some((other, _)) = set.find(|(_, other)| *other != path) {
                    let section = file.section.name;
                    let what = format!("variables {name} and {other} name two files of the section `{section}`");
                    cli.errors.push((what, "keep one of them"));
                }
                cli.files.push((file.section.name, path, Origin::Variable(name)));
            }
        }
    }
    if !is_quiet {
        let declared = flags(graph).map(|(_, flag)| flag.env.to_string());
        let names = declared.chain(files.iter().flat_map(FileFlag::variables)).chain(["CONFIG_DIR".to_string()]);
        let names: Vec<String> = names.collect();
        env.report_not_unicode(&names, &mut cli);
        env.report_unknown(&names, known, &mut cli);
    }
    env.values(flags(graph), &mut cli);
    for (section, flag) in flags(graph) {
        if let Some(text) = text(flag.name) {
            let (section, key) = (section.to_string(), flag.key.to_string());
            cli.values.push(Value { section, key, text, origin: Origin::Flag(flag.name.to_string()) });
        }
    }
    for text in matches.iter().filter_map(|matches| matches.get_many::<String>("set")).flatten() {
        match set::read(text) {
            Ok(value) => cli.values.push(value),
            Err(error) => cli.errors.push(error),
        }
    }
    cli.errors.extend(rivals(&cli.values));
    Ok(cli)
}

/// The flags of one letter, which are clap's own.
const SHORT: [char; 2] = ['h', 'V'];

/// Replaces clap's error about an argument that is not a flag: it may be the value of a flag, and a secret, so it is
/// not shown.
fn stray(command: &mut Command, error: clap::Error, args: &[OsString]) -> clap::Error {
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument))
            if error.kind() == ErrorKind::UnknownArgument && !argument.starts_with('-') =>
        {
            argument
        }
        _ => return error,
    };
    let mut places = args.iter().enumerate().filter(|(_, arg)| *arg == argument.as_str());
    let which = match (places.next(), places.next()) {
        (Some((place, _)), None) => format!("argument {place}"),
        // One of them may be the value of a flag.
        _ => "an argument".to_string(),
    };
    let words = format_args!(
        "{which} is not a flag (it is not shown, since it may be a secret): flags begin with two dashes, and have one value each"
    );
    command.error(ErrorKind::UnknownArgument, words)
}

/// The parsed arguments, or `None` if there are none: then clap is not called, which would take a twentieth of a small
/// agent's start.
fn parse_args(
    graph: &'static Graph,
    files: &[FileFlag],
    build: BuildInfo,
    args: &[OsString],
) -> Result<Option<ArgMatches>, clap::Error> {
    if args.len() < 2 {
        return Ok(None);
    }
    let mut command = command(graph, files, build);
    if let Some(argument) = not_unicode_argument(args) {
        return Err(command.error(ErrorKind::InvalidUtf8, format_args!("{argument} is not UTF-8")));
    }
    if let Some(error) = one_dash(&command, args) {
        return Err(command.error(ErrorKind::UnknownArgument, error));
    }
    command.try_get_matches_from_mut(args).map(Some).map_err(|error| stray(&mut command, error, args))
}

/// The error for a flag with a single dash, as Go's flags had: clap takes its letters for short flags, so that
/// `-http-port=1` would be read as `-h`. An argument that is not a known flag may be a secret, and is not shown.
fn one_dash(command: &Command, args: &[OsString]) -> Option<String> {
    let flags = || command.get_arguments().flat_map(|arg| arg.get_long_and_visible_aliases().unwrap_or_default());
    let error = |arg: &OsString| {
        let argument = arg.to_str()?.strip_prefix('-')?;
        let is_short = argument.chars().count() < 2 || argument.chars().all(|c| SHORT.contains(&c));
        // `-help` is read as `-h`, which prints the help as well.
        if is_short || argument == "help" || !argument.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let name = argument.split('=').next().unwrap_or_default();
        let meant = config::nearest(name, flags().chain(["help", "version"]));
        Some(meant.map_or_else(
            || "an argument begins with one dash, but flags have two".to_string(),
            |meant| format!("a flag has two dashes: write --{meant}"),
        ))
    };
    args.iter().skip(1).take_while(|arg| *arg != "--").find_map(error)
}

/// How the error names an argument that is not valid Unicode. The value of a flag is not shown: it may be a secret.
fn not_unicode_argument(args: &[OsString]) -> Option<String> {
    let at = args.iter().position(|arg| arg.to_str().is_none())?;
    let shown = |arg: &OsString| {
        let text = arg.to_string_lossy();
        text.starts_with("--").then(|| text.split('=').next().unwrap_or_default().to_string())
    };
    let before = || shown(args.get(at.checked_sub(1)?)?);
    let name = shown(&args[at]).or_else(before);
    Some(name.map_or_else(|| format!("argument {at}"), |name| format!("what is said by {name}")))
}

fn task(matches: &ArgMatches) -> Task {
    match matches.get_one::<String>("graph").and_then(|format| format.parse().ok()) {
        Some(format) => Task::PrintGraph(format),
        None if matches.get_flag("print-config") => Task::PrintConfig,
        None if matches.get_flag("check-config") => Task::CheckConfig,
        None => Task::Run,
    }
}

/// The `--<section>-config` flag of each section, unless a plugin has declared a flag with that name.
fn file_flags(graph: &'static Graph, known: &Known) -> Vec<FileFlag> {
    let mut taken: HashSet<String> = AGENT_FLAGS.iter().map(ToString::to_string).collect();
    // The logs' file flag is itself in `AGENT_FLAGS`.
    taken.remove(&format!("{}-config", logs::SECTION));
    taken.extend(flags(graph).map(|(_, flag)| flag.name.to_string()));
    let sections = known.iter().filter(|section| section.name != own::SECTION);
    let flag = |section: &KnownSection| {
        let names = [section.name].into_iter().chain(section.aliases.iter().copied());
        let names: Vec<_> =
            names.map(|name| format!("{name}-config")).filter(|name| taken.insert(name.clone())).collect();
        (!names.is_empty()).then_some(FileFlag { section: *section, names })
    };
    sections.filter_map(flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::Format, prelude::*};
    use serde::{Deserialize, Serialize};

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct StoreConfig {
        endpoint: String,
    }

    const FLAGS: &[Flag] = &[Flag::new("store-endpoint", "endpoint").env("STORE_ENDPOINT").help("where the store is")];
    const PORT: &[Flag] = &[Flag::new("port", "endpoint").env("QUEUE_PORT").help("where the queue is")];

    #[plugin(flags = PORT)]
    struct Queue {
        #[config]
        _config: StoreConfig,
    }

    #[plugin(name = "my-store", alias = "store-v3", flags = FLAGS)]
    struct Store {
        #[config]
        _config: StoreConfig,
    }

    /// Two flags for the same key.
    const TWO: &[Flag] = &[
        Flag::new("old", "endpoint").env("OLD").help("the same"),
        Flag::new("new", "endpoint").env("NEW").help("the same"),
    ];

    #[plugin(flags = TWO)]
    struct Twice {
        #[config]
        _config: StoreConfig,
    }

    /// This flag has the name of a section's file flag.
    const OWN: &[Flag] = &[Flag::new("clash-config", "endpoint").help("its own")];

    #[plugin(flags = OWN)]
    struct Clash {
        #[config]
        _config: StoreConfig,
    }

    #[derive(crate::Flavor)]
    struct App {
        store: Dep<Store>,
        clash: Dep<Clash>,
        queue: Dep<Queue>,
        twice: Dep<Twice>,
    }

    #[test]
    fn two_names_of_one_setting_say_one_value() {
        let errors = |args: &[&str], env: &[(&str, &str)]| cli(args, env).unwrap().errors;
        let told = |what: &str| [(format!("{what} set different values for key `twice.endpoint`"), "keep one of them")];
        assert_eq!(errors(&[], &[("OLD", "1"), ("NEW", "2")]), told("variables OLD and NEW"));
        assert_eq!(errors(&["--old=1", "--new=2"], &[]), told("flags --old and --new"));
        assert_eq!(errors(&["--old=1", "--new=1"], &[("OLD", "2"), ("NEW", "2")]), []);
    }

    fn cli(args: &[&str], env: &[(&str, &str)]) -> Result<Cli, clap::Error> {
        let env = env.iter().map(|(name, value)| (name.into(), value.into()));
        let args: Vec<_> = ["app"].iter().chain(args).map(OsString::from).collect();
        parse(App::GRAPH, &own::known(App::GRAPH), BuildInfo::new("1.0"), &args, &Variables::new(env))
    }

    fn files(args: &[&str], env: &[(&str, &str)]) -> Vec<(&'static str, String, String)> {
        let cli = cli(args, env).unwrap();
        cli.files.into_iter().map(|(section, path, origin)| (section, path, origin.to_string())).collect()
    }

    #[test]
    fn a_part_of_a_variable_with_small_letters_is_a_key_as_it_stands() {
        for (name, key) in [
            ("CNINFRA__QUEUE__TLS__READ_TIMEOUT", "queue.tls.read-timeout"),
            ("CNINFRA__QUEUE__TLS__read_timeout", "queue.tls.read_timeout"),
            ("CNINFRA__QUEUE__TLS__maxSize", "queue.tls.maxSize"),
            ("CNINFRA__My_Queue__TLS__X", "my-queue.tls.x"),
        ] {
            let values = cli(&[], &[(name, "1")]).unwrap().values;
            let keys: Vec<_> = values.iter().map(|value| format!("{}.{}", value.section, value.key)).collect();
            assert_eq!(keys, [key], "{name}");
        }
    }

    #[test]
    fn a_variable_that_nobody_reads_is_told() {
        let warnings = |name: &str, value: &str| cli(&[], &[(name, value)]).unwrap().warnings;
        for (name, meant) in [
            ("CNINFRA_MY_STORE_READ_TIMEOUT", "did you mean `CNINFRA__MY_STORE__READ_TIMEOUT`?"),
            ("CNINFRA_QUEUE__ENDPOINT", "did you mean `CNINFRA__QUEUE__ENDPOINT`?"),
            ("CNINFRA_LGO", "did you mean `CNINFRA_LOG`?"),
            ("cninfra__queue__endpoint", "did you mean `CNINFRA__QUEUE__ENDPOINT`?"),
            ("Cninfra__QUEUE__ENDPOINT", "did you mean `CNINFRA__QUEUE__ENDPOINT`?"),
            ("CNINFRA_CONFIG_DIR", "did you mean `CONFIG_DIR`?"),
            ("CNINFRA_QUEUE_CONFIG", "did you mean `QUEUE_CONFIG`?"),
            ("CNINFRA_WHATEVER", "a key's variable is `CNINFRA__SECTION__KEY`"),
        ] {
            assert_eq!(warnings(name, "hunter2"), [format!("variable {name} is not read: {meant}")]);
        }
        for (name, value) in [
            ("CNINFRA_LOG", "info"),
            ("CNINFRA__QUEUE__ENDPOINT", "x"),
            ("CNINFRA_BUILD_COMMIT", "x"),
            ("CNINFRA_PORT", "tcp://10.0.0.1:80"),
            ("CNINFRA_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("CNINFRA_QUEUE_SERVICE_HOST", "10.0.0.1"),
            ("CNINFRA_QUEUE_SERVICE_PORT_HTTP", "80"),
            ("OTHER_QUEUE_ENDPOINT", "x"),
            ("cninfra_queue", "x"),
        ] {
            assert_eq!(warnings(name, value), [""; 0], "{name}");
        }
    }

    #[test]
    fn a_flag_needs_no_variable() {
        let help = cli(&["--help"], &[]).unwrap_err().to_string();
        let line = help.lines().find(|line| line.contains("its own")).unwrap();
        assert!(line.ends_with("its own"), "{line}");
        assert!(help.contains("where the store is [env: STORE_ENDPOINT]"), "{help}");
    }

    #[test]
    fn only_a_port_can_be_the_address_of_a_service() {
        for scheme in ["tcp", "udp"] {
            let url = format!("{scheme}://10.0.0.1:1883");
            let cli = cli(&[], &[("STORE_ENDPOINT", &url), ("QUEUE_PORT", &url)]).unwrap();
            let values: Vec<_> = cli.values.iter().map(|value| (&*value.section, &*value.text)).collect();
            assert_eq!((values, cli.warnings.len()), (vec![("my-store", &*url)], 1), "{:?}", cli.warnings);
            assert!(cli.warnings[0].starts_with("variable QUEUE_PORT is ignored"), "{:?}", cli.warnings);
        }
    }

    #[test]
    fn every_section_has_a_flag_and_a_variable_for_its_file() {
        for (args, env, path, origin) in [
            (&["--my-store-config", "a"] as &[_], &[("MY_STORE_CONFIG", "b")] as &[_], "a", "flag --my-store-config"),
            (&["--store-v3-config=a"], &[], "a", "flag --my-store-config"),
            (&[], &[("MY_STORE_CONFIG", "b"), ("STORE_V3_CONFIG", "c")], "b", "variable MY_STORE_CONFIG"),
            (&[], &[("STORE_V3_CONFIG", "c")], "c", "variable STORE_V3_CONFIG"),
            (&[], &[("MY_STORE_CONFIG", "")], "", "variable MY_STORE_CONFIG"),
            (&["--my-store-config="], &[("MY_STORE_CONFIG", "b")], "", "flag --my-store-config"),
        ] {
            assert_eq!(files(args, env), [("my-store", path.to_string(), origin.to_string())], "{args:?} {env:?}");
        }
        assert!(files(&[], &[]).is_empty());
        // The plugin's own flag of that name is still the plugin's.
        let cli = cli(&["--clash-config=x"], &[]).unwrap();
        assert_eq!(
            (cli.files.len(), cli.values[0].section.as_str(), cli.values[0].key.as_str()),
            (0, "clash", "endpoint")
        );
    }

    #[test]
    fn values_are_in_the_order_of_what_holds() {
        let args =
            ["--set=my-store.endpoint=4", "--store-endpoint=3", "--set", "my_store.a.b=x=y", "--microservice-label=me"];
        let env = [
            ("CNINFRA__MY_STORE__END_POINT", "2"),
            ("STORE_ENDPOINT", "1"),
            ("MICROSERVICE_LABEL", "env"),
            ("CNINFRA__X__Y", ""),
        ];
        let cli = cli(&args, &env).unwrap();
        let values: Vec<_> =
            cli.values.iter().map(|v| format!("{} {} {} ({})", v.section, v.key, v.text, v.origin)).collect();
        let expected = [
            "agent microservice-label env (variable MICROSERVICE_LABEL)",
            "my-store endpoint 1 (variable STORE_ENDPOINT)",
            "my-store end-point 2 (variable CNINFRA__MY_STORE__END_POINT)",
            "agent microservice-label me (flag --microservice-label)",
            "my-store endpoint 3 (flag --store-endpoint)",
            "my-store endpoint 4 (flag --set my-store.endpoint)",
            "my_store a.b x=y (flag --set my_store.a.b)",
        ];
        assert_eq!(values, expected);
        assert!(cli.errors.is_empty() && cli.warnings.is_empty() && cli.task == Task::Run);
    }

    #[test]
    fn what_names_no_key_is_told_without_its_value() {
        let args = ["--set=a", "--set=a.=s3cret", "--set==s3cret", "--set=.b=s3cret", "--set=a..b=s3cret"];
        let env =
            [("CNINFRA__", "s3cret"), ("CNINFRA__A", "s3cret"), ("CNINFRA__A__", "s3cret"), ("CNINFRA____B", "s3cret")];
        let errors = cli(&args, &env).unwrap().errors;
        assert_eq!(errors.len(), args.len() + env.len());
        assert!(
            errors.iter().all(|(what, _)| what.ends_with("it does not say which key") && !what.contains("s3cret")),
            "{errors:?}"
        );
    }

    #[test]
    fn what_is_no_flag_is_not_shown() {
        for (args, which) in [
            (&["s3cret"] as &[_], "argument 1"),
            (&["--store-endpoint", "http", "s3cret"], "argument 3"),
            (&["--print-config", "s3cret"], "argument 2"),
            (&["--store-endpoint", "s3cret", "s3cret"], "an argument"),
        ] {
            let error = cli(args, &[]).unwrap_err();
            assert_eq!((error.kind(), error.exit_code(), error.use_stderr()), (ErrorKind::UnknownArgument, 2, true));
            let error = error.to_string();
            assert!(
                error.starts_with(&format!("error: {which} is not a flag (")) && !error.contains("s3cret"),
                "{error}"
            );
        }
        let error = cli(&["--store-endpiont=s3cret"], &[]).unwrap_err().to_string();
        assert!(error.contains("'--store-endpiont'") && error.contains("'--store-endpoint'"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_flag_with_one_dash_is_told_with_two() {
        for (args, told) in [
            (&["-store-endpoint=s3cret"] as &[_], "a flag has two dashes: write --store-endpoint"),
            (&["-config-dir", "s3cret"], "a flag has two dashes: write --config-dir"),
            (&["-store-v3-config=s3cret"], "a flag has two dashes: write --store-v3-config"),
            (&["-hcheck-config"], "a flag has two dashes: write --check-config"),
            (&["-version"], "a flag has two dashes: write --version"),
            (&["-hs3cret"], "an argument begins with one dash, but flags have two"),
            (&["--store-endpoint", "-s3cret"], "an argument begins with one dash, but flags have two"),
        ] {
            let error = cli(args, &[]).unwrap_err();
            assert_eq!((error.exit_code(), error.use_stderr()), (2, true), "{args:?}");
            let error = error.to_string();
            assert!(error.starts_with(&format!("error: {told}\n")) && !error.contains("s3cret"), "{error}");
        }
        for (args, kind) in [
            (&["-h"] as &[_], ErrorKind::DisplayHelp),
            (&["-hV"], ErrorKind::DisplayHelp),
            (&["-help"], ErrorKind::DisplayHelp),
            (&["-Vh"], ErrorKind::DisplayVersion),
            (&["--", "-http-port"], ErrorKind::UnknownArgument),
        ] {
            assert_eq!(cli(args, &[]).unwrap_err().kind(), kind, "{args:?}");
        }
        assert_eq!(cli(&["--store-endpoint=-http-port"], &[]).unwrap().values[0].text, "-http-port");
    }

    #[test]
    fn what_is_no_unicode_is_told_by_its_name() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = |text: &[u8]| OsString::from_vec(text.to_vec());
        let known = own::known(App::GRAPH);
        let names: [&[u8]; 6] =
            [b"STORE_ENDPOINT", b"CNINFRA__A__B", b"CNINFRA__\xff__B", b"CONFIG_DIR", b"STORE_V3_CONFIG", b"OTHER"];
        let env = Variables::new(names.map(|name| (odd(name), odd(b"s3cret\xff"))));
        let cli = parse(App::GRAPH, &known, BuildInfo::new("1.0"), &["app".into()], &env).unwrap();
        let told: Vec<_> = cli.errors.iter().map(|(what, _)| what.as_str()).collect();
        let expected = [
            "variable STORE_ENDPOINT is not UTF-8",
            "variable CNINFRA__A__B is not UTF-8",
            "variable CNINFRA__\u{fffd}__B is not UTF-8",
            "variable CONFIG_DIR is not UTF-8",
            "variable STORE_V3_CONFIG is not UTF-8",
        ];
        assert_eq!(told, expected);
        let args: [(&[&[u8]], &str); 3] = [
            (&[b"--store-endpoint=s3cret\xff"], "what is said by --store-endpoint is not UTF-8"),
            (&[b"--set", b"my-store.endpoint=s3cret\xff"], "what is said by --set is not UTF-8"),
            (&[b"s3cret\xff"], "argument 1 is not UTF-8"),
        ];
        for (args, words) in args {
            let args: Vec<_> = [odd(b"app")].into_iter().chain(args.iter().map(|arg| odd(arg))).collect();
            let error =
                parse(App::GRAPH, &known, BuildInfo::new("1.0"), &args, &Variables::new([])).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_to_be_done() {
        for (args, task) in [
            (&["--check-config"] as &[_], Task::CheckConfig),
            (&["--print-config", "--set=a.b=c"], Task::PrintConfig),
            (&["--graph", "dot", "--check-config"], Task::PrintGraph(Format::Dot)),
        ] {
            assert_eq!(cli(args, &[]).unwrap().task, task);
        }
        let version = |arg| cli(&[arg], &[]).unwrap_err().to_string();
        assert_eq!(version("-V"), "cninfra 1.0\n");
        let all = version("--version");
        assert!(all.starts_with("cninfra 1.0\ncninfra ") && all.contains(" build for "), "{all}");
    }
}
