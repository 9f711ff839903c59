//! Shared by the programs of this example: the connection to Redis, the prefix of their keys, and what they print.

use clap::{Arg, ArgAction, ArgMatches, Command, builder::NonEmptyStringValueParser, value_parser};
use cninfra::{
    Result,
    keyval::Kv,
    logging::{Level, LogSettings, Logger, Loggers, Output},
};
use cninfra_redis::{RedisConfig, RedisStore};
use std::{
    env,
    ffi::{OsStr, OsString},
    fmt::Display,
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
};

/// Where Redis is, unless a config says so.
const LOCAL: &str = "127.0.0.1:6379";

/// The command line of a program. Its keys are below `prefix` by default.
#[must_use]
pub fn command(name: &'static str, about: &'static str, prefix: &'static str) -> Command {
    let file = Arg::new("redis-config").long("redis-config").visible_alias("cfg").value_name("FILE");
    let file = file.value_parser(value_parser!(PathBuf));
    // It must not be empty, since all keys below it are deleted.
    let below = Arg::new("prefix").long("prefix").value_name("PREFIX").value_parser(NonEmptyStringValueParser::new());
    let below = below.default_value(prefix);
    let debug = Arg::new("debug").long("debug").action(ArgAction::SetTrue);
    Command::new(name).about(about).args([
        file.help("the config of Redis, as in redis.conf; without it, Redis is at 127.0.0.1:6379"),
        below.help("what all keys begin with; a {tag} in it keeps them in one slot of a cluster"),
        debug.help("logs what is done"),
    ])
}

/// The arguments of a program. Flags may also have a single dash, as in the predecessor.
#[must_use]
pub fn arguments(mut command: Command) -> ArgMatches {
    command.build();
    let with_two_dashes = |argument: OsString| {
        let name = argument.to_str().and_then(|argument| argument.strip_prefix('-'));
        let name = name.map(|name| name.split_once('=').map_or(name, |(name, _)| name));
        let is_flag = |name: &str| {
            let names = |arg: &Arg| arg.get_long_and_visible_aliases().is_some_and(|names| names.contains(&name));
            command.get_arguments().any(names)
        };
        match name {
            Some(name) if is_flag(name) => OsString::from_iter([OsStr::new("-"), &argument]),
            _ => argument,
        }
    };
    let arguments: Vec<OsString> = env::args_os().map(with_two_dashes).collect();
    command.get_matches_from(arguments)
}

/// The logger of a program, on standard error: only for warnings and errors, or, with `--debug`, for everything.
///
/// # Errors
/// The levels cannot be set.
pub fn logger(arguments: &ArgMatches) -> Result<Logger> {
    let settings = match arguments.get_flag("debug") {
        true => LogSettings::new().default_level(Level::Debug).level("*", Level::Debug)?,
        false => LogSettings::new().default_level(Level::Warn),
    };
    let loggers = Loggers::new("redis-lib", settings);
    Output::stderr().libraries(&loggers).install();
    Ok(loggers.get("example"))
}

/// Connects to Redis, as the command line says. The keys are those below the prefix.
///
/// # Errors
/// The file is not valid, or Redis does not answer.
pub async fn connect(arguments: &ArgMatches) -> Result<Kv<RedisStore>> {
    let config = match arguments.get_one::<PathBuf>("redis-config") {
        Some(file) => cninfra::config::from_file("redis", file)?,
        None => RedisConfig::at(LOCAL),
    };
    let store = Arc::new(RedisStore::connect(config).await?);
    let prefix = arguments.get_one::<String>("prefix").map_or("", String::as_str);
    Ok(Kv::new(store).scoped(prefix))
}

/// Prints a line. Returns whether anybody reads: if not, as before `| head`, that is no error.
///
/// # Errors
/// The line cannot be written, for example because a disk is full.
pub fn say(line: impl Display) -> io::Result<bool> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}
