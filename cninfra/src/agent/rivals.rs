//! Two names of one setting, each of which says another value.

use super::cli::{Origin, Value};
use crate::config::ANY_KEY;

/// The flags, or the variables, that say another value of a key than one before them. Equal ones are none: who does not know which name is read
/// sets both.
pub(super) fn rivals(values: &[Value]) -> Vec<(String, &'static str)> {
    let mut told = Vec::new();
    for (at, Value { section, key, text, origin }) in values.iter().enumerate() {
        let Some((kind, name)) = declared(origin) else { continue };
        let is_other = |other: &&Value| (&other.section, &other.key) == (section, key) && other.text != *text;
        let of_kind = |other: &Value| declared(&other.origin).filter(|(of, _)| *of == kind);
        if let Some((_, other)) = values[..at].iter().filter(is_other).find_map(of_kind) {
            let what = format!("{kind}s {other} and {name} say two values of key `{section}.{key}`");
            told.push((what, "keep one of them"));
        }
    }
    told
}

/// What it is, and its name, of one that a plugin declares: of those that any key has, the last one holds.
fn declared(origin: &Origin) -> Option<(&'static str, String)> {
    match origin {
        Origin::Variable(name) if !name.starts_with(ANY_KEY) => Some(("variable", name.clone())),
        Origin::Flag(name) if !name.starts_with("set ") => Some(("flag", format!("--{name}"))),
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
        let told = |values: &[Value]| rivals(values).into_iter().map(|(what, _)| what).collect::<Vec<_>>();
        let variable = |name: &str, text: &str| value("port", text, Origin::Variable(name.to_string()));
        let flag = |name: &str, text: &str| value("port", text, Origin::Flag(name.to_string()));
        for (values, what) in [
            (
                [variable("PROBE_PORT", "1"), variable("HTTP_PROBE_PORT", "2")],
                "variables PROBE_PORT and HTTP_PROBE_PORT say two values of key `probe.port`",
            ),
            (
                [flag("probe-port", "1"), flag("http-probe-port", "2")],
                "flags --probe-port and --http-probe-port say two values of key `probe.port`",
            ),
        ] {
            assert_eq!(told(&values), [what]);
        }
        for values in [
            [variable("PROBE_PORT", "1"), variable("HTTP_PROBE_PORT", "1")],
            // each over the one before
            [variable("PROBE_PORT", "1"), flag("probe-port", "2")],
            [variable("PROBE_PORT", "1"), variable("CNINFRA__PROBE__PORT", "2")],
            [flag("probe-port", "1"), flag("set probe.port", "2")],
            [flag("set probe.port", "1"), flag("set probe.port", "2")],
            [variable("PROBE_PORT", "1"), value("other", "2", Origin::Variable("PROBE_OTHER".to_string()))],
        ] {
            assert_eq!(told(&values), [""; 0], "{values:?}");
        }
    }
}
