//! The command line of an agent that is a process of its own.

use super::{own, variables::Variables};
use crate::{
    Flag,
    config::{Known, KnownSection},
    graph::{AGENT_FLAGS, Format, Graph},
};
use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser};
use std::{collections::HashSet, ffi::OsString, path::PathBuf};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// To run the agent.
    Run,
    PrintGraph(Format),
    PrintConfig,
    CheckConfig,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Cli {
    pub(super) task: Task,
    /// Where it was said, if it was.
    pub(super) config_dir: Option<(PathBuf, Origin)>,
    /// The sections' own files.
    pub(super) files: Vec<(&'static str, String, Origin)>,
    /// Keys, later ones over earlier ones.
    pub(super) values: Vec<Value>,
    /// What is odd about it, but no reason not to start.
    pub(super) odd: Vec<String>,
    /// What is wrong with a variable or with `--set`, and the mend.
    pub(super) wrong: Vec<(String, &'static str)>,
}

/// A key that a variable or a flag sets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Variable(String),
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// Understands `args` (the program's name first) and `env`.
///
/// # Errors
/// Usage, help and version: what clap has to say.
pub(super) fn parse(
    graph: &'static Graph,
    known: &Known,
    version: &str,
    args: impl IntoIterator<Item = OsString>,
    env: &Variables,
) -> Result<Cli, clap::Error> {
    let files = file_flags(graph, known);
    let matches = command(graph, &files, version).try_get_matches_from_mut(args)?;
    let text = |flag: &str| matches.get_one::<String>(flag).cloned();
    let mut cli = Cli {
        task: task(&matches),
        config_dir: None,
        files: Vec::new(),
        values: Vec::new(),
        odd: Vec::new(),
        wrong: Vec::new(),
    };
    cli.config_dir = match text("config-dir") {
        Some(dir) => Some((dir.into(), Origin::Flag("config-dir".into()))),
        None => env.get("CONFIG_DIR").map(|dir| (dir.into(), Origin::Variable("CONFIG_DIR".into()))),
    };
    for file in &files {
        match text(&file.names[0]) {
            Some(path) => cli.files.push((file.section.name, path, Origin::Flag(file.names[0].clone()))),
            None => {
                // an empty one says that there is no file
                let said = file.variables().find_map(|name| env.get_even_empty(&name).map(|path| (name, path)));
                cli.files.extend(said.map(|(name, path)| (file.section.name, path, Origin::Variable(name))));
            }
        }
    }
    env.values(flags(graph), &mut cli);
    for (section, flag) in flags(graph) {
        if let Some(text) = text(flag.name) {
            let (section, key) = (section.to_string(), flag.key.to_string());
            cli.values.push(Value { section, key, text, origin: Origin::Flag(flag.name.to_string()) });
        }
    }
    for said in matches.get_many::<String>("set").into_iter().flatten() {
        let parts = said.split_once('=').and_then(|(path, text)| Some((path.split_once('.')?, text)));
        match parts.filter(|((section, key), _)| !section.is_empty() && key.split('.').all(|part| !part.is_empty())) {
            Some(((section, key), text)) => cli.values.push(Value {
                section: section.to_string(),
                key: key.to_string(),
                text: text.to_string(),
                origin: Origin::Flag(format!("set {section}.{key}")),
            }),
            None => {
                let help = "write `--set SECTION.KEY=VALUE`, such as `--set http.port=8080`";
                // what follows may be a secret
                let said = said.split('=').next().unwrap_or_default();
                cli.wrong.push((format!("flag --set {said}: it does not say which key"), help));
            }
        }
    }
    Ok(cli)
}

fn task(matches: &ArgMatches) -> Task {
    match matches.get_one::<String>("graph").and_then(|format| format.parse().ok()) {
        Some(format) => Task::PrintGraph(format),
        None if matches.get_flag("print-config") => Task::PrintConfig,
        None if matches.get_flag("check-config") => Task::CheckConfig,
        None => Task::Run,
    }
}

/// The flags that set keys, with their sections.
pub(super) fn flags(graph: &'static Graph) -> impl Iterator<Item = (&'static str, &'static Flag)> {
    let plugins = graph.nodes().iter().flat_map(|node| node.plugin.flags.iter().map(|flag| (node.instance(), flag)));
    own::FLAGS.iter().map(|flag| (own::SECTION, flag)).chain(plugins)
}

/// `--<section>-config`: where the file of a section is.
struct FileFlag {
    section: KnownSection,
    /// That of its name, then those of its aliases.
    names: Vec<String>,
}

impl FileFlag {
    /// The variables that say the same.
    fn variables(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(|name| name.to_uppercase().replace('-', "_"))
    }
}

/// A flag of each plugin's file, but where a plugin has declared a flag of that name.
fn file_flags(graph: &'static Graph, known: &Known) -> Vec<FileFlag> {
    let mut taken: HashSet<String> = AGENT_FLAGS.iter().map(ToString::to_string).collect();
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

fn command(graph: &'static Graph, files: &[FileFlag], version: &str) -> Command {
    let tree = graph.tree();
    let mut command = Command::new(tree.package)
        .version(version.to_string())
        .about(format!("The agent `{}`: {} plugins", graph.name(), graph.len()))
        .next_help_heading("Agent")
        .arg(
            Arg::new("config-dir")
                .long("config-dir")
                .value_name("DIR")
                .help("the directory of the config files [env: CONFIG_DIR] [default: .]"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("SECTION.KEY=VALUE")
                .action(ArgAction::Append)
                .help("set any key, over all else [env: CNINFRA__SECTION__KEY=VALUE]"),
        )
        .arg(
            Arg::new("check-config")
                .long("check-config")
                .action(ArgAction::SetTrue)
                .help("check the config and end, without starting anything"),
        )
        .arg(
            Arg::new("print-config")
                .long("print-config")
                .action(ArgAction::SetTrue)
                .help("print what holds for each key, and where it comes from, and end"),
        )
        .arg(
            Arg::new("graph")
                .long("graph")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(Format::NAMES))
                .help("print the plugins' graph and end, without starting anything"),
        );
    for (section, flag) in flags(graph) {
        let heading = if section == own::SECTION { "Agent" } else { section };
        command = command.arg(
            Arg::new(flag.name)
                .long(flag.name)
                .value_name("VALUE")
                .help_heading(heading)
                .help(format!("{} [env: {}]", flag.help, flag.env)),
        );
    }
    for file in files {
        let (name, variable) = (&file.names[0], file.variables().next().unwrap_or_default());
        let default = file.section.name;
        command = command.arg(
            Arg::new(name.clone())
                .long(name.clone())
                .visible_aliases(file.names[1..].iter().cloned())
                .value_name("FILE")
                .help_heading(file.section.name)
                // what has no settings needs no file, but takes the predecessor's flag
                .hide(file.section.is_bare && !file.section.optional)
                .help(format!("its config file; empty for none [env: {variable}] [default: {default}.conf]")),
        );
    }
    command
}
