//! Finds two names of one key that are set to different values.

use super::said::{Origin, Value};
use crate::{
    agent::setup::logs,
    config::{ANY_KEY, is_same_key},
};

/// The flags, or the variables, that set a key to another value than an earlier one does. Equal values are accepted:
/// someone who does not know which name is read sets both.
pub(super) fn rivals(values: &[Value]) -> Vec<(String, &'static str)> {
    let mut conflicts = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let Some((kind, name)) = named(value) else { continue };
        let is_other = |other: &&Value| {
            let is_it = is_same_key(&other.section, &value.section) && is_same_key(&other.key, &value.key);
            is_it && other.text != value.text
        };
        let of_kind = |other: &Value| named(other).filter(|other| other.0 == kind && other.1 != name);
        if let Some((_, other)) = values[..at].iter().filter(is_other).find_map(of_kind) {
            let what =
                format!("{kind}s {other} and {name} set different values for key `{}.{}`", value.section, value.key);
            conflicts.push((what, "keep one of them"));
        }
    }
    conflicts
}

/// The kind (flag or variable) and the name of a value, if a plugin or the agent declares that name. The general ones
/// (`CNINFRA__..` and `--set`) are left out, since the last one wins and overrides the declared names; but not for log
/// levels: one source may give a logger only one level.
fn named(value: &Value) -> Option<(&'static str, String)> {
    let is_level =
        || logs::LEVELS.iter().any(|key| is_same_key(key, &value.key)) && is_same_key(logs::SECTION, &value.section);
    match &value.origin {
        Origin::Variable(name) if !name.starts_with(ANY_KEY) || is_level() => Some(("variable", name.clone())),
        Origin::Flag(name) if !name.starts_with("set ") || is_level() => Some(("flag", format!("--{name}"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_of_one_setting_say_the_same() {
        let value = |key: &str, text: &str, origin: Origin| {
            let [section, key, text] = ["probe", key, text].map(str::to_string);
            Value { section, key, text, origin }
        };
        let conflicts = |values: &[Value]| rivals(values).into_iter().map(|(what, _)| what).collect::<Vec<_>>();
        let variable = |name: &str, text: &str| value("port", text, Origin::Variable(name.to_string()));
        let flag = |name: &str, text: &str| value("port", text, Origin::Flag(name.to_string()));
        for (values, what) in [
            (
                [variable("PROBE_PORT", "1"), variable("HTTP_PROBE_PORT", "2")],
                "variables PROBE_PORT and HTTP_PROBE_PORT set different values for key `probe.port`",
            ),
            (
                [flag("probe-port", "1"), flag("http-probe-port", "2")],
                "flags --probe-port and --http-probe-port set different values for key `probe.port`",
            ),
        ] {
            assert_eq!(conflicts(&values), [what]);
        }
        for values in [
            [variable("PROBE_PORT", "1"), variable("HTTP_PROBE_PORT", "1")],
            // Each overrides the one before.
            [variable("PROBE_PORT", "1"), flag("probe-port", "2")],
            [variable("PROBE_PORT", "1"), variable("CNINFRA__PROBE__PORT", "2")],
            [flag("probe-port", "1"), flag("set probe.port", "2")],
            [flag("set probe.port", "1"), flag("set probe.port", "2")],
            [variable("PROBE_PORT", "1"), value("other", "2", Origin::Variable("PROBE_OTHER".to_string()))],
        ] {
            assert_eq!(conflicts(&values), [""; 0], "{values:?}");
        }
        // One source may give a logger only one level.
        let level = |section: &str, key: &str, text: &str, origin: Origin| {
            let [section, key, text] = [section, key, text].map(str::to_string);
            Value { section, key, text, origin }
        };
        let variable = |name: &str| Origin::Variable(name.to_string());
        let flag = |name: &str| Origin::Flag(name.to_string());
        let any = variable("CNINFRA__LOGS__DEFAULT_LEVEL");
        for (second, what) in [
            (flag("set Logs.DefaultLevel"), "flags --log-level and --set Logs.DefaultLevel"),
            (any, "variables INITIAL_LOGLVL and CNINFRA__LOGS__DEFAULT_LEVEL"),
        ] {
            let first = match &second {
                Origin::Variable(_) => variable("INITIAL_LOGLVL"),
                Origin::Flag(_) => flag("log-level"),
            };
            let of = |text: &str| {
                [
                    level("logs", "default-level", "info", first.clone()),
                    level("Logs", "DefaultLevel", text, second.clone()),
                ]
            };
            assert_eq!(conflicts(&of("debug")), [format!("{what} set different values for key `Logs.DefaultLevel`")]);
            assert_eq!(conflicts(&of("info")), [""; 0]);
        }
        let set = |text: &str| level("logs", "levels", text, flag("set logs.levels"));
        assert_eq!(conflicts(&[set("a=info"), set("a=debug")]), [""; 0]);
        assert_eq!(conflicts(&[level("logs", "levels", "a=warn", flag("log-levels")), set("a=debug")]).len(), 1);
    }
}
