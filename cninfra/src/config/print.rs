//! `--print-config`: what holds for each key, and where it comes from.

use super::{Config, Known, KnownSection, key, reader::Notes, secret};
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
        let entries = self.entries(section.name);
        let (outcome, value) = (section.meta.read)(section.name, &entries, true);
        let origin = |path: &[String]| match outcome.notes.origins.get(path) {
            Some(spot) => {
                let entry = entries[spot.entry];
                let way: Vec<_> = entry.way.iter().chain(&spot.way).cloned().collect();
                entry.source.place(&way, super::Part::Key).to_string()
            }
            None => "default".to_string(),
        };
        let mut lines = Lines { notes: &outcome.notes, origin: &origin, all: String::new() };
        if section.optional {
            let said = entries.iter().find_map(|entry| super::enabled(entry));
            let origin = said.map_or_else(
                || "default".into(),
                |(entry, _)| super::enabled_place(entry, super::Part::Key).to_string(),
            );
            let _ = writeln!(lines.all, "  enabled: {}  # {origin}", self.is_enabled(section.name));
        }
        if let Some(Value::Mapping(mapping)) = value {
            lines.mapping(&mut Vec::new(), &mapping, 1);
        }
        // what can not be set needs no mention
        if !lines.all.is_empty() {
            let empty = lines.all.lines().all(|line| line.trim_start().starts_with('#'));
            let _ = writeln!(all, "{}:{}", scalar(&section.name.into()), if empty { " {}" } else { "" });
            all.push_str(&lines.all);
        }
    }
}

struct Lines<'a> {
    notes: &'a Notes,
    origin: &'a dyn Fn(&[String]) -> String,
    all: String,
}

impl Lines<'_> {
    fn mapping(&mut self, path: &mut Vec<String>, mapping: &yaml_serde::Mapping, depth: usize) {
        let is_struct = depth == 1 || self.notes.structs.contains(path);
        for (written, value) in mapping {
            let written = written.as_str().map_or_else(|| scalar(written), str::to_string);
            let shown = if is_struct { key::kebab(&written) } else { written };
            path.push(shown.clone());
            let key = scalar(&Value::from(shown));
            let indent = "  ".repeat(depth);
            match value {
                Value::String(text) if text == secret::MASK => {
                    let _ = writeln!(self.all, "{indent}# {key}: {text}  # {}, a secret", (self.origin)(path));
                }
                Value::Mapping(inner) if !inner.is_empty() => {
                    let before = self.all.len();
                    self.mapping(path, inner, depth + 1);
                    let empty = self.all[before..].lines().all(|line| line.trim_start().starts_with('#'));
                    self.all.insert_str(before, &format!("{indent}{key}:{}\n", if empty { " {}" } else { "" }));
                }
                value => {
                    let _ = writeln!(self.all, "{indent}{key}: {}  # {}", scalar(value), (self.origin)(path));
                }
            }
            path.pop();
        }
    }
}

/// A value on one line. What is JSON is YAML.
fn scalar(value: &Value) -> String {
    match value {
        // without quotes where it is a text without them
        Value::String(text) if is_plain(text) => text.clone(),
        value => serde_json::to_string(value).unwrap_or_else(|_| "null".to_string()),
    }
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
