//! [`Found`]: a value in one layer.

use super::source::{Source, Step, Way};
use std::{borrow::Cow, sync::Arc};
use yaml_serde::Value;

/// What one source says of one section.
#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) section: String,
    pub(super) source: Arc<Source>,
    /// Where the section is in its source.
    pub(super) way: Way,
    pub(super) value: Value,
}

/// A value of one layer.
#[derive(Clone)]
pub(super) struct Found<'a> {
    pub(super) entry: &'a Entry,
    pub(super) number: usize,
    pub(super) way: Way,
    pub(super) value: Cow<'a, Value>,
    /// It is a text whose type only the key says.
    pub(super) is_text: bool,
    /// It is `<key>-file`: it names the file that holds the value.
    pub(super) names_file: bool,
}

impl<'a> Found<'a> {
    pub(super) fn of(entry: &'a Entry, number: usize) -> Self {
        let is_text = entry.source.is_text();
        Found { entry, number, way: Way::new(), value: Cow::Borrowed(&entry.value), is_text, names_file: false }
    }

    /// What is in it.
    pub(super) fn child(&self, step: Step, value: Cow<'a, Value>) -> Self {
        let mut way = self.way.clone();
        way.push(step);
        Found { way, value, ..self.clone() }
    }

    /// The entries of a mapping; `None` if it is none.
    pub(super) fn entries(&self) -> Option<Vec<(String, Found<'a>)>> {
        let child = |key: &Value, value| {
            let key = key_text(key);
            (key.clone(), self.child(Step::Key(key), value))
        };
        match &self.value {
            Cow::Borrowed(Value::Mapping(mapping)) => {
                Some(mapping.iter().map(|(key, value)| child(key, Cow::Borrowed(value))).collect())
            }
            Cow::Owned(Value::Mapping(mapping)) => {
                Some(mapping.iter().map(|(key, value)| child(key, Cow::Owned(value.clone()))).collect())
            }
            Cow::Borrowed(Value::Null) | Cow::Owned(Value::Null) => Some(Vec::new()),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Vec<Found<'a>> {
        let child = |index, value| self.child(Step::Index(index), value);
        match &self.value {
            Cow::Borrowed(Value::Sequence(items)) => {
                items.iter().enumerate().map(|(index, value)| child(index, Cow::Borrowed(value))).collect()
            }
            Cow::Owned(Value::Sequence(items)) => {
                items.iter().enumerate().map(|(index, value)| child(index, Cow::Owned(value.clone()))).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.value.as_str().filter(|_| self.is_text)
    }

    /// The same place with the text of a file.
    pub(super) fn with_text(self, text: String) -> Self {
        Found { value: Cow::Owned(Value::String(text)), is_text: true, names_file: false, ..self }
    }

    /// A text as what it is in YAML.
    pub(super) fn understood(mut self) -> Self {
        if let Some(text) = self.text() {
            // what is no YAML is a text
            if let Ok(value) = yaml_serde::from_str::<Value>(text) {
                self.value = Cow::Owned(value);
            }
            self.is_text = false;
        }
        self
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        _ => String::new(),
    }
}
