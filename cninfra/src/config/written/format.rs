//! [`Format`]: parses config files as YAML, JSON or TOML, and says what is wrong with a file that cannot be parsed.

use super::{
    json,
    lenient::{self, DuplicateKey},
    malformed::{Malformed, is_odd, line_and_column},
    value::is_too_deep,
};
use std::{borrow::Cow, path::Path};
use yaml_serde::Value;

/// The language of a file, known by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Format {
    /// `.conf` (the predecessor's), `.yaml`, `.yml`
    Yaml,
    /// `.json`, where only valid JSON is accepted. It is parsed as YAML, of which it is a subset except for `<<`: in
    /// JSON that is a key like others.
    Json,
    /// `.toml`
    Toml,
}

/// Is a parser's message about a number that is too large for it?
fn is_too_large(words: &str) -> bool {
    let of_more_bits = ["` as u128", "` as i128"].iter().any(|words_of| words.contains(words_of));
    of_more_bits || words.contains("number too large") || words.contains("integer number overflowed")
}

/// A parser's message without the value or key that it quotes: that may be a secret.
fn without_found(words: &str) -> Cow<'_, str> {
    let found = |what: &[&str]| what.iter().find_map(|what| words.find(what));
    match (found(&["invalid type", "invalid value"]), found(&["duplicate "])) {
        (Some(at), _) => format!("{}a value that no config has", &words[..at]).into(),
        (None, Some(at)) => format!("{}a key is there twice", &words[..at]).into(),
        (None, None) => words.into(),
    }
}

impl Format {
    /// The extensions of config files, the canonical one first.
    pub(in crate::config) const EXTENSIONS: [&'static str; 5] = ["conf", "yaml", "yml", "toml", "json"];

    pub(in crate::config) fn of(path: &Path) -> Self {
        match path.extension() {
            Some(end) if end.eq_ignore_ascii_case("toml") => Format::Toml,
            Some(end) if end.eq_ignore_ascii_case("json") => Format::Json,
            _ => Format::Yaml,
        }
    }

    /// The text of a file as its parser reads it.
    pub(in crate::config) fn prepared(self, text: &str) -> Cow<'_, str> {
        if self == Format::Json { json::as_yaml(text) } else { text.into() }
    }

    /// Parses a text, and says what is wrong with it as a whole. An empty text is null; `None` means that nothing can
    /// be read.
    pub(in crate::config) fn parse(self, text: &str) -> (Option<Value>, Vec<Malformed>) {
        match self.parse_all(text) {
            Ok(value) => (Some(value), Vec::new()),
            Err(_)
                if self != Format::Toml
                    && !is_too_deep(text)
                    && let Some((duplicates, value)) = lenient::yaml(text, self == Format::Yaml) =>
            {
                let duplicate = |DuplicateKey { way, at }| {
                    let message = "it is not valid YAML: a key is there twice".to_string();
                    Malformed { message, at, help: Some("keep one of them"), duplicate_key: Some(way) }
                };
                (Some(value), duplicates.into_iter().map(duplicate).collect())
            }
            Err(_)
                if self == Format::Toml
                    && let Some(value) = lenient::toml(text) =>
            {
                (Some(without_dates(value)), Vec::new())
            }
            Err(malformed) => (None, vec![malformed]),
        }
    }

    fn parse_all(self, text: &str) -> Result<Value, Malformed> {
        match self {
            Format::Yaml | Format::Json if is_too_deep(text) => {
                let message = "it is not valid YAML: more brackets are open at once than config has".to_string();
                Err(Malformed::new(message, None, None))
            }
            Format::Yaml | Format::Json => yaml(text, self == Format::Yaml).map_err(|error| {
                // The position is reported separately, so it is cut off the message.
                let words = error.to_string();
                let message = words.split(" at line ").next().unwrap_or_default();
                if let Some((at, char)) = odd_character(text).filter(|_| message.contains("control characters")) {
                    let message = format!("it is not valid YAML: the control character {char:?} stands in it");
                    let help = "remove it; a text in double quotes has such characters as `\\x1b`";
                    return Malformed::new(message, Some(at), Some(help));
                }
                let at = error.location().map(|at| (at.line(), at.column())).or_else(|| without_location(text));
                if is_too_large(message) {
                    return Malformed::too_large(at);
                }
                if message.contains("more than one document") {
                    let message = "it is not valid YAML: something follows its end".to_string();
                    return Malformed::new(message, at, Some("keep one document, without `---` or `...` behind it"));
                }
                let help = at
                    .and_then(|(line, _)| yaml_help(text, line, message))
                    .filter(|_| !message.contains("limit exceeded"));
                Malformed::new(format!("it is not valid YAML: {}", without_found(message)), at, help)
            }),
            Format::Toml => toml::from_str::<Value>(text).map(without_dates).map_err(|error| {
                let at = error.span().map(|span| line_and_column(text, span.start));
                // Only the message: the error's `Display` shows the whole line, which may contain a secret.
                let message = error.message().replace('\n', ", ");
                if is_too_large(&message) {
                    return Malformed::too_large(at);
                }
                Malformed::new(format!("it is not valid TOML: {}", without_found(&message)), at, None)
            }),
        }
    }
}

/// The first control character that the YAML parser refuses anywhere in a text. Its error has no position.
fn odd_character(text: &str) -> Option<((usize, usize), char)> {
    let (at, char) = text.char_indices().find(|(_, c)| is_odd(*c))?;
    Some((line_and_column(text, at), char))
}

/// The position of a second document, or of a `<<` that cannot be merged: the YAML parser's errors for these have none.
fn without_location(text: &str) -> Option<(usize, usize)> {
    let line_of = |is: &dyn Fn(&str) -> bool| text.lines().enumerate().filter(|(_, line)| is(line)).last();
    let merge = || line_of(&|line| line.contains("<<"));
    let (line, found) = line_of(&|line| line.starts_with("---") || line.starts_with("...")).or_else(merge)?;
    Some((line + 1, found.find("<<").map_or(1, |at| found[..at].chars().count() + 1)))
}

/// Help for common mistakes that make a line invalid YAML.
fn yaml_help(text: &str, line: usize, words: &str) -> Option<&'static str> {
    let line = text.lines().nth(line - 1)?;
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start_matches([' ', '-']);
    if line.trim_start_matches(' ').starts_with('\t') {
        Some("YAML is indented by spaces, not by tabs")
    } else if words.contains("mapping values") && line.starts_with(' ') && !value.contains(": ") {
        Some("correct the indentation: a key with a value on its line has no keys below it")
    } else if value.starts_with(['[', '{', '*', '&', '!', '%', '@', '`', '|', '>']) {
        Some("put a text that begins with a character that YAML reserves in quotes: \"[::]:9191\"")
    } else if value.contains(": ") {
        Some("put a text that contains `: ` in quotes")
    } else {
        None
    }
}

fn yaml(text: &str, merges: bool) -> Result<Value, yaml_serde::Error> {
    let mut value: Value = yaml_serde::from_str(text)?;
    if merges {
        value.apply_merge()?;
    }
    Ok(value)
}

/// Replaces TOML's dates by texts: the toml crate deserializes a date as a mapping with a private key.
fn without_dates(value: Value) -> Value {
    match value {
        Value::Mapping(mut mapping) => {
            const DATE: &str = "$__toml_private_datetime";
            if mapping.len() == 1
                && let Some(date) = mapping.remove(DATE)
            {
                return date;
            }
            Value::Mapping(mapping.into_iter().map(|(key, value)| (key, without_dates(value))).collect())
        }
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(without_dates).collect()),
        other => other,
    }
}
