//! Reports mistakes of the command line in the format of the log. clap alone would print them as text.

use super::{
    said::{Cli, Origin, Task, Value},
    set,
    variables::Variables,
};
use crate::{
    Logger,
    agent::setup::{
        logs::{self, LogsConfig},
        own,
        settings::Settings,
    },
    logging::Format,
};
use std::ffi::OsString;

const FLAG: &str = "log-format";
const KEY: &str = "format";

/// Reports the error: as a log record, or as clap prints it if the log is text.
pub(in crate::agent) fn print_error(error: &clap::Error, log: &Logger, format: &Format) {
    if matches!(format, Format::Text) {
        // Standard error may be closed: then there is nowhere left to report this.
        let _ = error.print();
        return;
    }
    let text = error.render().to_string();
    log.error(text.trim().trim_start_matches("error: "));
}

/// The log format that arguments and variables ask for, even if others of them are wrong. The files have not been read
/// yet.
pub(in crate::agent) fn format(args: &[OsString], env: &Variables) -> Format {
    let mut cli = Cli::nothing(Task::Run);
    env.values(own::flags().filter(|(_, flag)| flag.name == FLAG), &mut cli);
    let (flags, sets) = (values(args, FLAG), values(args, "set"));
    cli.values.extend(flags.map(|text| Value {
        section: logs::SECTION.to_string(),
        key: KEY.to_string(),
        text,
        origin: Origin::Flag(FLAG.to_string()),
    }));
    cli.values.extend(sets.filter_map(|text| set::read(&text).ok()));
    // A wrong value of another key must not matter here.
    cli.values.retain(|value| value.section == logs::SECTION && value.key == KEY);
    let mut settings = Settings::default();
    settings.take_values(&cli.values);
    LogsConfig::format_of(&settings.config)
}

/// All values given for a flag.
fn values(args: &[OsString], flag: &'static str) -> impl Iterator<Item = String> {
    let args = || args.iter().skip(1).take_while(|arg| *arg != "--").filter_map(|arg| arg.to_str());
    args().zip(args().skip(1).map(Some).chain([None])).filter_map(move |(arg, next)| {
        let rest = arg.strip_prefix("--")?.strip_prefix(flag)?;
        match rest.strip_prefix('=') {
            Some(text) => Some(text.to_string()),
            None if rest.is_empty() => next.map(str::to_string),
            None => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_json_is_known_whatever_else_is_said() {
        let is_json = |args: &[&str], env: &[(&str, &str)]| {
            let args: Vec<_> = ["app"].iter().chain(args).map(OsString::from).collect();
            let env = Variables::new(env.iter().map(|(name, value)| (name.into(), value.into())));
            matches!(format(&args, &env), Format::Json)
        };
        let of_variable = [("CNINFRA_LOG_FORMAT", "json")];
        assert!(!is_json(&["--nonsense"], &[]) && is_json(&["--nonsense"], &of_variable));
        assert!(is_json(&["--nonsense"], &[("CNINFRA__LOGS__FORMAT", "json")]));
        assert!(is_json(&["--nonsense", "--log-format", "json"], &[]) && is_json(&["--log-format=json", "-x"], &[]));
        assert!(
            is_json(&["--set", "logs.format=json", "--nonsense"], &[]) && is_json(&["--set=logs.format=json"], &[])
        );
        assert!(!is_json(&["--log-format=text"], &of_variable) && !is_json(&["--log-format"], &[]));
        assert!(!is_json(&["--", "--log-format=json"], &[]) && !is_json(&["--log-formats=json"], &[]));
        assert!(!is_json(&["--set=logs.format=json", "--set=logs.format=text"], &[]));
        // A mistake in the format itself is reported in the default format.
        assert!(!is_json(&["--log-format=xml"], &[]));
    }
}
