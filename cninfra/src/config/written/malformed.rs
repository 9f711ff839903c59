//! [`Malformed`]: what is wrong with a text as a whole.

use super::way::Way;

/// The most mistakes that are reported for one section, file or folder.
pub(in crate::config) const MOST: usize = 30;

/// What is wrong with a text as a whole, and where.
#[derive(Debug)]
pub(in crate::config) struct Malformed {
    pub(in crate::config) message: String,
    pub(in crate::config) at: Option<(usize, usize)>,
    pub(in crate::config) help: Option<&'static str>,
    /// The way to a duplicate key. The message does not name the key, since it may be inside a secret.
    pub(in crate::config) duplicate_key: Option<Way>,
}

impl Malformed {
    pub(super) fn new(message: String, at: Option<(usize, usize)>, help: Option<&'static str>) -> Self {
        Malformed { message, at, help, duplicate_key: None }
    }

    pub(super) fn too_large(at: Option<(usize, usize)>) -> Self {
        let message = "a whole number is larger than any that is read".to_string();
        Malformed::new(message, at, Some("put a text of digits in quotes"))
    }
}

/// Does YAML refuse this character unless it is escaped?
pub(super) fn is_odd(c: char) -> bool {
    !matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

/// The line and column of a byte, both counted from 1. Columns are counted in characters.
pub(in crate::config) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
