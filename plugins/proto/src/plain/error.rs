//! [`FieldError`]: a field that cannot be read or written, and why.

use std::{error::Error, fmt};

/// What is wrong with which field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The names from the field outwards to the message.
    path: Vec<String>,
    what: String,
}

impl FieldError {
    pub(super) fn new(what: impl Into<String>) -> Self {
        FieldError { path: Vec::new(), what: what.into() }
    }

    /// The same error, for the message or list that contains the field.
    pub(super) fn within(mut self, name: impl Into<String>) -> Self {
        self.path.push(name.into());
        self
    }

    /// The path of the field, such as `others[1].labels["a"]`; empty for the message itself.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for part in self.path.iter().rev() {
            if !path.is_empty() && !part.starts_with('[') {
                path.push('.');
            }
            path.push_str(part);
        }
        path
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.what);
        }
        write!(f, "field `{}`: {}", self.path(), self.what)
    }
}

impl Error for FieldError {}
