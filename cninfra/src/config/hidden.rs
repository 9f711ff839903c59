//! What the secrets of a section hold: for a test that looks whether one is told.

use super::{Config, Known};
use figment::value::Value;

impl Config {
    /// The secrets that are set in a section, as texts.
    pub(crate) fn hidden(&self, known: &Known, section: &str) -> Vec<String> {
        let Some(section) = known.find(section) else { return Vec::new() };
        section.read(&self.entries(section.name), false).0.notes.hidden
    }
}

/// A value, and all that is in it.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(_, text) => vec![text.clone()],
        Value::Char(_, char) => vec![char.to_string()],
        Value::Num(_, number) => number.to_u128().map(|number| number.to_string()).into_iter().collect(),
        Value::Array(_, items) => items.iter().flat_map(texts).collect(),
        Value::Dict(_, dict) => dict.values().flat_map(texts).collect(),
        Value::Bool(..) | Value::Empty(..) => Vec::new(),
    }
}
