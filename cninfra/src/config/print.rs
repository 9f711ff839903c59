//! `--print-config`: what holds for each key, and where it comes from.

use super::{
    Config, Duration, Known, KnownSection, Part, Source,
    agent_keys::{AGENT_KEYS_OF_ALL, AgentKeys, ENABLED},
    entry::Entry,
    extract::Outcome,
    failure::Spot,
    key, secret,
    source::Way,
    value,
};
use std::fmt::Write as _;
use yaml_serde::Value;

impl Config {
    /// Every section with all its keys, as an `agent.yaml` would have them, and the origin of each as a comment. Secrets
    /// are masked, and commented out.
    pub(crate) fn print(&self, known: &Known) -> String {
        let mut all = String::new();
        for section in known.iter() {
            self.print_section(section, &mut all);
        }
        all
    }

    fn print_section(&self, section: &KnownSection, all: &mut String) {
        let mut entries = self.entries(section.name);
        let (_, value) = section.read(&entries, true);
        let value = value.map(without_tags).unwrap_or_default();
        // read once more with all of it as the lowest layer: so every key is met, and its origin is known
        let (source, way) = (Source::Default.into(), Way::new());
        let defaults = Entry { section: section.name.into(), source, way, value: value::from_yaml(value.clone()) };
        entries.push(&defaults);
        let (outcome, _) = section.read(&entries, false);
        let mut lines = Lines { outcome: &outcome, all: String::new() };
        if section.optional && !self.says(section.name, ENABLED) {
            let _ = writeln!(lines.all, "  {ENABLED}: true  # default");
        }
        // every plugin has these: only where they are said
        let optional = section.optional.then_some(&ENABLED);
        let said = optional.into_iter().chain(AGENT_KEYS_OF_ALL);
        for key in said.filter(|key| outcome.notes.agent_keys.contains_key(**key)) {
            lines.all.push_str(&self.print_agent_key(section, key));
        }
        if let Value::Mapping(mapping) = value {
            lines.mapping(&mut Vec::new(), &mapping);
        }
        // what can not be set needs no mention
        if !lines.all.is_empty() {
            let _ = writeln!(all, "{}:{}", scalar(&section.name.into()), braces(&lines.all));
            all.push_str(&lines.all);
        }
    }
}

impl Config {
    /// One of the agent's keys, where it is said.
    fn print_agent_key(&self, section: &KnownSection, key: &str) -> String {
        let (keys, outcome): (AgentKeys, _) = self.agent_keys(section.name, key);
        let mut lines = Lines { outcome: &outcome, all: String::new() };
        if let Ok(Value::Mapping(mapping)) = yaml_serde::to_value(keys) {
            lines.mapping(&mut Vec::new(), &mapping);
        }
        lines.all
    }
}

/// What stands behind the key of a mapping with these lines.
fn braces(lines: &str) -> &'static str {
    if lines.lines().all(|line| line.trim_start().starts_with('#')) { " {}" } else { "" }
}

struct Lines<'a> {
    outcome: &'a Outcome,
    all: String,
}

impl Lines<'_> {
    fn mapping(&mut self, path: &mut Vec<String>, mapping: &yaml_serde::Mapping) {
        let is_struct = self.outcome.notes.structs.contains(path);
        let shown = |key: &Value| {
            let key = key.as_str().map_or_else(|| scalar(key), str::to_string);
            if is_struct { key::kebab(&key) } else { key }
        };
        let keys: Vec<_> = mapping.keys().map(shown).collect();
        let indent = "  ".repeat(path.len() + 1);
        for (name, value) in keys.iter().zip(mapping.values()) {
            path.push(name.clone());
            let key = scalar(&Value::from(name.as_str()));
            let time = self.outcome.notes.times.contains(path).then(|| time(value)).flatten();
            // a choice without what was chosen would be none
            let is_hidden = self.outcome.notes.choices.contains(path) && has_secret(value);
            match time.as_ref().unwrap_or(value) {
                Value::Mapping(inner) if !inner.is_empty() && !is_hidden => {
                    let before = self.all.len();
                    self.mapping(path, inner);
                    let head = format!("{indent}{key}:{}\n", braces(&self.all[before..]));
                    self.all.insert_str(before, &head);
                }
                // it is no value to be read back
                value if has_secret(value) => {
                    let shown = if value.is_string() { secret::MASK.to_string() } else { scalar(value) };
                    // its default is no secret to be read, and has no origin therefore
                    let origin =
                        self.outcome.notes.origins.get(path).map_or_else(|| "default".into(), |spot| self.place(spot));
                    let _ = writeln!(self.all, "{indent}# {key}: {shown}  # {origin}, a secret");
                }
                value => {
                    let _ = writeln!(self.all, "{indent}{key}: {}  # {}", scalar(value), self.origin(path, &keys));
                }
            }
            path.pop();
        }
    }

    /// Where the value of a key comes from that stands among these.
    fn origin(&self, path: &[String], keys: &[String]) -> String {
        if let Some(spot) = self.outcome.notes.origins.get(path) {
            return self.place(spot);
        }
        // it was set by another name of it
        let Some((_, around)) = path.split_last() else { return String::new() };
        let mut others = self.outcome.notes.origins.iter().filter(|(other, _)| {
            other
                .split_last()
                .is_some_and(|(key, before)| before == around && !key.ends_with(']') && !keys.contains(key))
        });
        match (others.next(), others.next()) {
            (Some((_, spot)), None) => self.place(spot),
            _ => "set by another name of it".to_string(),
        }
    }

    fn place(&self, spot: &Spot) -> String {
        self.outcome.layers.place(spot, Part::Key).to_string()
    }
}

/// A length of time of the standard library, as it is written.
fn time(value: &Value) -> Option<Value> {
    let time: std::time::Duration = yaml_serde::from_value(value.clone()).ok()?;
    Some(Value::from(Duration::from(time).to_string()))
}

/// `!One x` is `One: x`: so it can be written as JSON.
fn without_tags(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string().trim_start_matches('!').to_string();
            Value::Mapping([(Value::from(tag), without_tags(tagged.value))].into_iter().collect())
        }
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(without_tags).collect()),
        Value::Mapping(mapping) => {
            Value::Mapping(mapping.into_iter().map(|(key, value)| (key, without_tags(value))).collect())
        }
        other => other,
    }
}

fn has_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => text == secret::MASK,
        Value::Sequence(items) => items.iter().any(has_secret),
        Value::Mapping(mapping) => mapping.values().any(has_secret),
        _ => false,
    }
}

/// A value on one line. What is JSON is YAML.
fn scalar(value: &Value) -> String {
    match value {
        // without quotes where it is a text without them
        Value::String(text) if is_plain(text) => text.clone(),
        // which JSON does not have
        Value::Number(number) if !number.is_finite() => number.to_string(),
        Value::Sequence(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(",")),
        Value::Mapping(mapping) => {
            let entry = |(key, value): (&Value, &Value)| {
                let key = key.as_str().map_or_else(|| scalar(key), str::to_string);
                format!("{}:{}", json(&Value::from(key)), flow(value))
            };
            format!("{{{}}}", mapping.iter().map(entry).collect::<Vec<_>>().join(","))
        }
        value => json(value),
    }
}

/// A value within brackets.
fn flow(value: &Value) -> String {
    if value.is_string() { json(value) } else { scalar(value) }
}

/// As JSON; what JSON leaves as it is and YAML takes for the end of a line, or refuses, is escaped.
fn json(value: &Value) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_string());
    let is_odd =
        |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        if is_odd(c) {
            let _ = write!(all, "\\u{:04x}", u32::from(c));
        } else {
            all.push(c);
        }
    }
    all
}

/// Is a text the same text in YAML, on one line and before a comment?
fn is_plain(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@');
    let is_text = yaml_serde::from_str::<Value>(text).is_ok_and(|value| value.as_str() == Some(text));
    // `0815` is a text to some readers of YAML and a number to others
    is_text
        && text.parse::<f64>().is_err()
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ByteSize, Secret, Section as _};
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
            let printed = config.print(&known());
            let whole: BTreeMap<String, Value> = yaml_serde::from_str(&printed).unwrap();
            let again = rich(&yaml_serde::to_string(&whole["rich"]).unwrap());
            assert!(again.check(&known()).is_empty(), "{printed}");
            assert_eq!(again.section::<Rich>("rich").unwrap(), config.section::<Rich>("rich").unwrap(), "{printed}");
            let values = |text: &str| text.lines().map(|line| line.split("  # ").next().unwrap().to_string()).collect();
            let (before, after): (Vec<String>, Vec<String>) = (values(&printed), values(&again.print(&known())));
            assert_eq!(before, after);
        }
    }

    #[test]
    fn origins_are_told_key_by_key_and_secrets_are_not_told() {
        let config = rich(
            "{some_text: x, other_name: 2, inner: {secret: hunter2}, key: hunter2, keys: [hunter2], secret_choice: {Pass: hunter2}}",
        );
        let printed = config.print(&known());
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
    fn what_is_no_number_is_printed_as_such() {
        let printed = rich("{number: .nan}").print(&known());
        let whole: BTreeMap<String, Value> = yaml_serde::from_str(&printed).unwrap();
        assert!(whole["rich"]["number"].as_f64().unwrap().is_nan(), "{printed}");
        let values = Value::from(vec![f64::INFINITY, -f64::INFINITY, 1.5]);
        assert_eq!(yaml_serde::from_str::<Value>(&scalar(&values)).unwrap(), values);
        let mapping = yaml_serde::from_str::<Value>("{a b: .inf, c: [{d: null}]}").unwrap();
        assert_eq!(yaml_serde::from_str::<Value>(&scalar(&mapping)).unwrap(), mapping);
    }

    #[test]
    fn start_policies_and_limits_are_printed_where_they_are_said() {
        let config = rich("{some_text: x}").set("rich", "StartPolicy", "retry");
        assert!(config.print(&known()).starts_with("rich:\n  start-policy: retry  # set by the program\n"));
        let printed = rich("{some_text: x}").print(&known());
        assert!(!printed.contains("policy") && !printed.contains("limits"), "{printed}");
        let printed = rich("{}").set("rich", "Limits.AfterInit", "5s").set("rich", "limits.init", "1s").print(&known());
        let lines = "rich:\n  limits:\n    init: 1s  # set by the program\n    after-init: 5s  # set by the program\n";
        assert!(printed.starts_with(lines), "{printed}");
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
