//! [`Failure`]: why a value could not be read, in plain words.

use super::source::Way;
use crate::foreign;
use serde::de::{self, Expected, Unexpected};
use std::{borrow::Cow, fmt, path::PathBuf};

/// How the words begin where a text is wanted, and something else is there that is shown.
pub(super) const NO_TEXT: &str = "a text, not `";

/// Why reading a section stopped.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) what: What,
    /// Where: once it is known.
    pub(super) spot: Option<Spot>,
}

#[derive(Debug)]
pub(super) enum What {
    /// It goes after "key `k`".
    Takes(String),
    /// It goes after "key `k`: ".
    Says(String),
    Missing {
        field: &'static str,
        /// The other keys of its type that nothing says: serde tells no more than the first one that is needed.
        others: Vec<String>,
    },
    /// serde found the field, by another name, among those that were fed before.
    Twice(&'static str),
    /// A key that the type does not have, told by the type itself.
    Unknown { key: String, known: &'static [&'static str] },
    /// `<key>-file` of a key that is no secret.
    NoSecret,
    /// The file of a secret does not answer.
    Unanswered(PathBuf),
    /// Nothing is wrong: the type was only asked what it wants.
    Asked,
}

/// A value in its section, and in its source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    /// The key's path in the section, as it is shown.
    pub(super) path: Vec<String>,
    /// The entry's number, and the way in it.
    pub(super) entry: usize,
    pub(super) way: Way,
}

impl Failure {
    pub(super) fn new(what: What) -> Self {
        Failure { what, spot: None }
    }

    /// The innermost spot stays.
    pub(super) fn at(mut self, spot: impl FnOnce() -> Spot) -> Self {
        self.spot.get_or_insert_with(spot);
        self
    }

    /// Without what was found, but for its kind: it may be a secret.
    pub(super) fn without_value(self, found: Option<&str>) -> Self {
        let words = match (&self.what, found) {
            (What::Takes(wanted), Some(found)) if wanted.starts_with(NO_TEXT) => {
                format!("its value is {found} where a text is wanted: put it in quotes")
            }
            _ => "its value does not fit".to_string(),
        };
        Failure { what: What::Says(format!("{words} (it is not shown, since it is a secret)")), ..self }
    }
}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Failure::new(What::Says(foreign::text(&message)))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Failure::new(What::Takes(format!("{}, not {}", in_words(&expected.to_string()), shown(&found))))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Failure::new(What::Takes(format!("{expected}, not {len} of them")))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Failure::new(What::Takes(format!("{}, not `{variant}`", one_of(known))))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Failure::new(What::Unknown { key: key.to_string(), known })
    }

    fn missing_field(field: &'static str) -> Self {
        Failure::new(What::Missing { field, others: Vec::new() })
    }

    fn duplicate_field(field: &'static str) -> Self {
        Failure::new(What::Twice(field))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Failure {}

/// `a`, `b` or `c`
pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_string(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            format!("{} or `{last}`", first.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

/// What serde calls by the names of Rust's types.
fn in_words(expected: &str) -> Cow<'_, str> {
    let whole = |min: i128, max: i128| format!("a whole number from {min} to {max}").into();
    match expected {
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "i8" => whole(i8::MIN.into(), i8::MAX.into()),
        "i16" => whole(i16::MIN.into(), i16::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "u64" | "usize" => "a whole number, not below 0".into(),
        "i64" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a string" | "a borrowed string" => "a text".into(),
        "a character" => "one character".into(),
        "a sequence" => "a list".into(),
        "a map" => "a mapping of keys to values".into(),
        other if other.starts_with("a nonzero ") => {
            other.replacen("a nonzero", "a whole number, not 0, of type", 1).into()
        }
        other if other.starts_with("struct ") || other.starts_with("tuple struct ") => {
            "a mapping of keys to values".into()
        }
        other if other.starts_with("enum ") => "a name".into(),
        other => other.into(),
    }
}

/// As it would be written.
fn shown(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        // with its point: a whole number is another thing
        Unexpected::Float(value) => format!("`{value:?}`"),
        Unexpected::Str("") => "an empty text".to_string(),
        Unexpected::Str(text) => format!("the text `{text}`"),
        Unexpected::Unit => "nothing".to_string(),
        Unexpected::Seq => "a list".to_string(),
        Unexpected::Map => "a mapping".to_string(),
        other => other.to_string(),
    }
}
