//! Prints the config for `--print-config`: the value in force for each key, and where it comes from.

use super::{
    effective::{EffectiveSection, EffectiveValue},
    one_line::scalar,
};
use std::fmt::Write as _;
use yaml_serde::Value;

/// All sections with all keys, in the form of an `agent.yaml`, with the origin of each value as a comment. Secrets are
/// masked and commented out; so are values that are derived from keys of another section.
pub(crate) fn print(sections: &[EffectiveSection]) -> String {
    let mut all = String::new();
    // Sections without keys are left out, since nothing can be set in them.
    for section in sections.iter().filter(|section| !section.values.is_empty()) {
        let _ = writeln!(all, "{}:{}", scalar(&section.name.into()), braces(&section.values, 0));
        print_keys(&section.values, 0, &mut all);
    }
    all
}

/// Prints the keys below the first `depth` parts of their paths, which are printed already.
fn print_keys(values: &[EffectiveValue], depth: usize, all: &mut String) {
    let (indent, mut rest) = ("  ".repeat(depth + 1), values);
    while let [first, ..] = rest {
        let key = scalar(&Value::from(first.path[depth].as_str()));
        if first.path.len() > depth + 1 {
            let is_inner =
                |value: &&EffectiveValue| value.path.len() > depth + 1 && value.path[depth] == first.path[depth];
            let (inner, others) = rest.split_at(rest.iter().take_while(is_inner).count());
            let _ = writeln!(all, "{indent}{key}:{}", braces(inner, depth + 1));
            print_keys(inner, depth + 1, all);
            rest = others;
            continue;
        }
        let (text, origin) = (first.text(), first.origin());
        let (sign, secret) =
            (if is_comment(first) { "# " } else { "" }, if first.is_secret() { ", a secret" } else { "" });
        let _ = writeln!(all, "{indent}{sign}{key}: {text}  # {origin}{secret}");
        rest = &rest[1..];
    }
}

/// A masked secret must not be read back, and a derived value that is set would no longer follow the others.
fn is_comment(value: &EffectiveValue) -> bool {
    value.is_secret() || value.follows
}

/// What follows the key of a mapping with these keys: ` {}` if all of them are comments, since the mapping would be
/// null otherwise.
fn braces(values: &[EffectiveValue], depth: usize) -> &'static str {
    if values.iter().all(|value| is_comment(value) && value.path.len() == depth + 1) { " {}" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ByteSize, Config, Duration, Known, Secret, Section as _};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Rich {
        some_text: String,
        none: Option<u8>,
        size: ByteSize,
        time: Duration,
        std_time: std::time::Duration,
        #[serde(alias = "other_name")]
        number: f64,
        list: Vec<String>,
        labels: BTreeMap<String, i32>,
        inner: Inner,
        choice: Choice,
        choices: Vec<Choice>,
        secret_choice: Choice,
        key: Secret,
        keys: Vec<Secret>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        max_open: u8,
        secret: Secret,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    enum Choice {
        #[default]
        None,
        One(String),
        Both {
            left: u8,
            right: Option<u8>,
        },
        Pass(Secret),
    }

    fn text_of(config: &Config) -> String {
        print(&config.effective(&known(), &Config::new(), &Config::new()))
    }

    fn known() -> Known {
        Known::none().with("rich", Rich::META)
    }

    fn rich(text: &str) -> Config {
        let value: BTreeMap<String, Value> = yaml_serde::from_str(text).unwrap();
        value.into_iter().fold(Config::new(), |config, (key, value)| config.set("rich", &key, value))
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        for text in [
            "{}",
            "{some_text: 'a: # b', none: 5, size: 1MiB, time: 1m30s, std_time: 2h5ms, number: 1.5, list: ['1', x], labels: {a_b: 1, A-b: -2}}",
            "{inner: {max_open: 3}, choice: {One: x}, choices: [None, {One: y}, {Both: {left: 1, right: null}}]}",
            "{std_time: {secs: 5, nanos: 7}}",
            "{number: .inf}",
            "{number: -.inf}",
            "{some_text: \"a\\u0085b\\u2028c\\u007f \\ufeff\", list: [\"\\u0085\"]}",
            "{choice: {Both: {left: 1, right: 2}}, labels: {'true': 1, '5': 2, 'a b': 3}, number: 1e300}",
        ] {
            let config = rich(text);
            let printed = text_of(&config);
            let whole: BTreeMap<String, Value> = yaml_serde::from_str(&printed).unwrap();
            let again = rich(&yaml_serde::to_string(&whole["rich"]).unwrap());
            assert!(again.check(&known()).is_empty(), "{printed}");
            assert_eq!(again.section::<Rich>("rich").unwrap(), config.section::<Rich>("rich").unwrap(), "{printed}");
            let values = |text: &str| text.lines().map(|line| line.split("  # ").next().unwrap().to_string()).collect();
            let (before, after): (Vec<String>, Vec<String>) = (values(&printed), values(&text_of(&again)));
            assert_eq!(before, after);
        }
    }

    #[test]
    fn origins_are_told_key_by_key_and_secrets_are_not_told() {
        let config = rich(
            "{some_text: x, other_name: 2, inner: {secret: hunter2}, key: hunter2, keys: [hunter2], secret_choice: {Pass: hunter2}}",
        );
        let printed = text_of(&config);
        assert!(!printed.contains("hunter2"), "{printed}");
        for line in [
            "  some-text: x  # set by the program",
            "  none: null  # default",
            "  std-time: 0s  # default",
            "  size: 0B  # default",
            "  number: 2.0  # set by the program",
            "    max-open: 0  # default",
            "    # secret: ***  # set by the program, a secret",
            "  # key: ***  # set by the program, a secret",
            "  # keys: [\"***\"]  # set by the program, a secret",
            "  # secret-choice: {\"Pass\":\"***\"}  # set by the program, a secret",
        ] {
            assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
        }
    }

    #[test]
    fn a_secret_that_is_not_set_is_seen_to_be_empty() {
        let config = rich("{inner: {secret: hunter2}}");
        let printed = text_of(&config);
        for line in ["  key: \"\"  # default", "    # secret: ***  # set by the program, a secret"] {
            assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
        }
    }

    #[test]
    fn what_is_no_number_is_printed_as_such() {
        let printed = text_of(&rich("{number: .nan}"));
        let whole: BTreeMap<String, Value> = yaml_serde::from_str(&printed).unwrap();
        assert!(whole["rich"]["number"].as_f64().unwrap().is_nan(), "{printed}");
        let values = Value::from(vec![f64::INFINITY, -f64::INFINITY, 1.5]);
        assert_eq!(yaml_serde::from_str::<Value>(&scalar(&values)).unwrap(), values);
        let mapping = yaml_serde::from_str::<Value>("{a b: .inf, c: [{d: null}]}").unwrap();
        assert_eq!(yaml_serde::from_str::<Value>(&scalar(&mapping)).unwrap(), mapping);
    }

    #[test]
    fn start_policies_and_limits_are_printed() {
        let printed = |config: &Config| {
            let known = Known::none().plugin("rich", Rich::META);
            print(&config.effective(&known, &Config::new(), &Config::new()))
        };
        let policy = |policy: &str, origin: &str| {
            format!("rich:\n  enabled: true  # default\n  start-policy: {policy}  # {origin}\n")
        };
        let of_program = printed(&rich("{some_text: x}").set("rich", "StartPolicy", "retry"));
        assert!(of_program.starts_with(&policy("retry", "set by the program")), "{of_program}");
        let config = rich("{}").set("rich", "Limits.AfterInit", "5s").set("rich", "limits.init", "1s");
        let lines = "  limits:\n    init: 1s  # set by the program\n    after-init: 5s  # set by the program\n";
        let limits = printed(&config);
        assert!(limits.starts_with(&format!("{}{lines}", policy("fail", "default"))), "{limits}");
        // The agent's own section has these keys as keys of its own.
        assert!(!text_of(&rich("{some_text: x}")).contains("policy"));
    }

    #[test]
    fn texts_are_quoted_where_they_would_be_something_else() {
        for (text, written) in [
            ("info", "info"),
            ("5s", "5s"),
            ("a/b.c-d", "a/b.c-d"),
            ("8080", "\"8080\""),
            ("true", "\"true\""),
            ("null", "\"null\""),
            (":9191", "\":9191\""),
            ("0.0.0.0:9191", "\"0.0.0.0:9191\""),
            ("a # b", "\"a # b\""),
            ("", "\"\""),
            ("a\nb", "\"a\\nb\""),
        ] {
            assert_eq!(scalar(&text.into()), written);
            assert_eq!(yaml_serde::from_str::<String>(written).unwrap(), text);
        }
    }
}
