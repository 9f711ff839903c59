//! [`Failure`]: why a value could not be read, translated from serde's terms into plain words.

use super::spot::Spot;
use crate::{
    config::types::secret::{self, HIDDEN},
    foreign::{self, Panic},
};
use serde::de::{self, Expected, Unexpected};
use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher as _, RandomState},
    path::PathBuf,
    sync::OnceLock,
};

const TEXT: &str = "a text";
const CHOICE: &str = "a name, alone or as a key with what belongs to it";

/// The kind of a value that is null.
const NOTHING: &str = "nothing";

/// A variant name, key or text that no type has or accepts, for trial readings.
pub(in crate::config) const NO_NAME: &str = "\0";

/// The beginning of the message about a panic.
pub(in crate::config) const PANICKED: &str = "reading it panicked: ";

/// The message if a flattened enum has none of the keys of its variants.
pub(in crate::config) const NO_VARIANT: &str = "none of the keys is there of which it takes one";

/// The most characters of a panic's message that are reported.
const MOST_CHARACTERS: usize = 400;

/// A panic with its message shortened to that.
pub(in crate::config) fn shortened(mut panic: Panic) -> Panic {
    if let Some((end, _)) = panic.message.char_indices().nth(MOST_CHARACTERS) {
        panic.message.truncate(end);
        panic.message.push('…');
    }
    panic
}

/// A boxed [`Failure`]: every `Result` of the reader would be as large as an unboxed one.
pub(in crate::config) type Failed = Box<Failure>;

/// Why reading a section stopped. It is the error type of the section's deserializer.
#[derive(Clone, Debug)]
pub(in crate::config) struct Failure {
    pub(in crate::config) what: What,
    /// The value that could not be read, once that is known.
    pub(in crate::config) spot: Option<Spot>,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) enum What {
    /// The message continues "key `k`".
    Takes(Box<Takes>),
    /// The message follows "key `k`: ".
    Says(String),
    Missing {
        field: &'static str,
        /// Is a secret being read?
        of_secret: bool,
        /// The other required keys that may be missing, too: serde reports only the first one.
        others: Vec<String>,
    },
    /// The value names no variant of this enum. `found` is shown only if no variant may hold a secret.
    NoVariant { found: String, names: &'static [&'static str] },
    /// The mapping for an enum has several keys.
    Variants { keys: Vec<String>, names: &'static [&'static str] },
    /// The name of a variant stands alone, although the variant has fields.
    NoContent,
    /// Serde found a second name (an alias) of this field.
    Twice(&'static str),
    /// An unknown key, reported by the type itself.
    Unknown { key: String, known: &'static [&'static str] },
    /// `<key>-file`, where `key` is not a secret.
    NoSecret,
    /// A mistake with a secret's file, and its help. The message continues "key `k-file`".
    OfFile(String, Option<&'static str>),
    /// The file of a secret does not answer.
    Unanswered(PathBuf),
    /// Nothing is wrong: the type was only asked what it wants.
    Asked,
}

impl What {
    pub(in crate::config) fn is_panic(&self) -> bool {
        matches!(self, What::Says(words) if words.starts_with(PANICKED))
    }

    /// Is it the same mistake, even if the type words it differently each time?
    pub(in crate::config) fn is_alike(&self, other: &What) -> bool {
        matches!((self, other), (What::Says(one), What::Says(other)) if unvarying(one) == unvarying(other))
    }
}

/// The part of a message that is the same each time it is made: of a panic, the source location (if known); otherwise
/// everything except the digits, which may be of a counter or a time.
pub(in crate::config) fn unvarying(words: &str) -> String {
    match words.split_once(PANICKED) {
        Some((before, panic)) => {
            let at = panic.rsplit_once(" (at ").map_or("", |(_, at)| at);
            format!("{before}{PANICKED}{at}")
        }
        None => words.split(|letter: char| letter.is_ascii_digit()).collect(),
    }
}

/// What the type wants, and what was found.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) struct Takes {
    pub(in crate::config) wanted: String,
    /// The value, as a message shows it.
    pub(in crate::config) found: String,
    /// The kind of the value, without the value itself.
    pub(in crate::config) kind: String,
    /// The type was read with `deserialize_any`, so only its own code knows what it accepts.
    pub(in crate::config) of_any: bool,
    /// The type is `f32`.
    pub(in crate::config) of_f32: bool,
    /// Is a secret being read?
    pub(in crate::config) of_secret: bool,
    /// Identifies the value that was found, to search for it in the layers.
    pub(in crate::config) mark: Option<Mark>,
}

/// Identifies a value by its hash, without revealing it: it may be a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Mark(u64);

impl Mark {
    pub(in crate::config) fn of(value: &Unexpected<'_>) -> Self {
        // The key is random for each process. Without a key, a short secret could be found by trying all values.
        static KEY: OnceLock<RandomState> = OnceLock::new();
        let key = KEY.get_or_init(RandomState::new);
        Mark(match value {
            // `shown` would give the same text for all bytes.
            Unexpected::Bytes(bytes) => key.hash_one(bytes),
            value => key.hash_one(shown(value)),
        })
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark")
    }
}

impl Takes {
    pub(in crate::config) fn shown(&self) -> String {
        self.with(&self.found)
    }

    pub(in crate::config) fn hidden(&self) -> String {
        self.with(&self.kind)
    }

    fn with(&self, found: &str) -> String {
        match found {
            NOTHING => format!("{}, but has no value", self.wanted),
            found => format!("{}, not {found}", self.wanted),
        }
    }

    pub(in crate::config) fn wants_text(&self) -> bool {
        self.wanted == TEXT
    }

    pub(in crate::config) fn wants_choice(&self) -> bool {
        self.wanted == CHOICE
    }

    /// The number of values that the type takes, if too few or too many were found.
    pub(in crate::config) fn count(&self) -> Option<usize> {
        let (count, _) = self.wanted.split_once(' ').filter(|_| self.mark.is_none())?;
        if count == "one" { Some(1) } else { count.parse().ok() }
    }

    pub(in crate::config) fn is_text(&self) -> bool {
        self.kind == TEXT
    }

    /// The help if a list or a mapping was wanted: how to write it on one line. In a shell it needs quotes, too.
    pub(in crate::config) fn brackets(&self, is_for_shell: bool) -> Option<&'static str> {
        let is_mapping = self.wanted.starts_with("a mapping");
        match (self.wanted.starts_with("a list"), is_for_shell) {
            (true, true) => Some("a list stands in brackets, and in a shell in quotes: `'[a, b]'`"),
            (true, false) => Some("a list stands in brackets: `[\"a\", \"b\"]`"),
            (false, true) if is_mapping => {
                Some("a mapping stands in braces, and in a shell in quotes: `'{a: 1, b: 2}'`")
            }
            (false, _) => None,
        }
    }
}

impl Failure {
    pub(in crate::config) fn new(what: What) -> Failed {
        Box::new(Failure { what, spot: None })
    }

    /// Sets the spot, unless an inner value has set it already.
    pub(in crate::config) fn at(mut self: Box<Self>, spot: impl FnOnce() -> Spot) -> Failed {
        self.spot.get_or_insert_with(spot);
        self
    }

    /// Marks a failure of a type that was read with `deserialize_any`.
    pub(in crate::config) fn of_any(mut self: Box<Self>) -> Failed {
        if let (What::Takes(takes), None) = (&mut self.what, &self.spot) {
            takes.of_any = true;
        }
        self
    }

    /// Removes the value from the message, since it may be a secret. Only the kind `found` is shown.
    pub(in crate::config) fn without_value(mut self: Box<Self>, found: Option<&str>) -> Failed {
        let words = match (&self.what, found) {
            // These messages do not contain the value.
            (What::Missing { .. } | What::NoContent | What::OfFile(..) | What::Unanswered(_) | What::Asked, _) => {
                return self;
            }
            (What::Says(words), _) if words.starts_with(NO_NAME) => return self,
            // That there is no value reveals nothing of the secret.
            (What::Takes(takes), _) if takes.kind == NOTHING => return self,
            // `find::beyond` has put this text there, to ask about a number that is too large for an `f32`.
            (What::Takes(takes), _) if takes.of_f32 && takes.mark == Some(Mark::of(&Unexpected::Str(NO_NAME))) => {
                return self;
            }
            (What::Takes(takes), Some(found)) if takes.wants_text() => {
                format!("its value is {found} where a text is wanted: put it in quotes")
            }
            _ => "its value does not fit".to_string(),
        };
        self.what = What::Says(format!("{words} {HIDDEN}"));
        self
    }
}

impl de::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        if secret::is_being_read() {
            return Failure::new(What::Says(format!("its value does not fit {HIDDEN}")));
        }
        Failure::new(What::Says(without_rust_terms(foreign::text(&message))))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let wanted = match found {
            // For an integer that is too large for the type, the message says which is the largest.
            Unexpected::Float(number) if number.fract() == 0.0 => plain_words_with_limits(&expected),
            _ => plain_words(&expected),
        };
        let (wanted, kind, mark) = (wanted.into_owned(), kind(&found), Some(Mark::of(&found)));
        let (of_secret, of_f32) = (secret::is_being_read(), expected == "f32");
        let is_value = matches!(
            found,
            Unexpected::Str(_) | Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_)
        );
        // A scalar instead of a list or mapping may be a secret that belongs into it. Of a buffered value the type
        // cannot be asked whether that is so.
        let is_hidden = of_secret || is_value && wants_composite(&expected);
        let found = if is_hidden { kind.clone() } else { shown(&found) };
        Failure::new(What::Takes(Takes { wanted, found, kind, of_any: false, of_f32, of_secret, mark }.into()))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let is_number = |word: &&str| word.parse::<usize>().is_ok();
        let (wanted, found) = match expected.split(' ').find(is_number) {
            Some("1") => ("one value".to_string(), len.to_string()),
            Some(number) => (format!("{number} values"), len.to_string()),
            None => (expected, format!("{len} of them")),
        };
        let of_secret = secret::is_being_read();
        let (kind, of_any, of_f32) = (found.clone(), false, false);
        Failure::new(What::Takes(Takes { wanted, kind, found, of_any, of_f32, of_secret, mark: None }.into()))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        if secret::is_being_read() {
            // A trial reading has put this name there, and has to recognise it.
            let name = if variant == NO_NAME { NO_NAME } else { "" };
            return Failure::new(What::Says(format!("{name}its value does not fit {HIDDEN}")));
        }
        Failure::new(What::NoVariant { found: format!("{}, not `{variant}`", one_of(known)), names: known })
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        if secret::is_being_read() {
            return Failure::new(What::Says(format!("a key in it is unknown {HIDDEN}")));
        }
        Failure::new(What::Unknown { key: key.to_string(), known })
    }

    fn missing_field(field: &'static str) -> Self {
        Failure::new(What::Missing { field, of_secret: secret::is_being_read(), others: Vec::new() })
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

/// `a`, `b` or `c`.
pub(in crate::config) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_string(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            format!("{} or `{last}`", first.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Is this the tag of an enum whose content is under another key (`tag` and `content`)?
pub(in crate::config) fn is_tag(expected: &dyn Expected) -> bool {
    expected.to_string().starts_with(TAG)
}

/// Judging by a type's `expecting`, does it want a composite value: a list, a mapping, a variant with content, or a
/// unit?
fn wants_composite(expected: &str) -> bool {
    const WORDS: &[&str] = &[
        "array", "list", "lists", "map", "mapping", "object", "sequence", "set", "struct", "table", "tagged", "tuple",
        "unit", "variant",
    ];
    expected.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// Replaces serde's messages that use terms of Rust.
fn without_rust_terms(words: String) -> String {
    if words.starts_with("data did not match any variant of untagged enum ") {
        return "what is there fits nothing that it takes".to_string();
    }
    if words.starts_with("no variant of enum ") && words.ends_with(" found in flattened data") {
        return NO_VARIANT.to_string();
    }
    if words == "u128 is not supported" || words == "i128 is not supported" {
        return "a number of 128 bits is not read here: it is a defect of the plugin".to_string();
    }
    // A type may have a message of its own that begins like this, but goes on after the key.
    let key = words.strip_prefix("unknown field `").and_then(|rest| rest.strip_suffix('`'));
    match key.filter(|key| !key.contains('`')) {
        Some(key) => format!("the key `{key}` is unknown"),
        None => words,
    }
}

/// What a type wants, in plain words instead of serde's names of Rust types.
fn plain_words(expected: &str) -> Cow<'_, str> {
    match expected {
        "u64" | "usize" => "a whole number, 0 or more".into(),
        "i64" | "isize" => "a whole number".into(),
        other => plain_words_with_limits(other),
    }
}

/// The same, with the limits of every integer type, however large.
fn plain_words_with_limits(expected: &str) -> Cow<'_, str> {
    let whole = |min: i128, max: i128| format!("a whole number from {min} to {max}").into();
    match expected {
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "u64" | "usize" => whole(0, u64::MAX.into()),
        "i8" => whole(i8::MIN.into(), i8::MAX.into()),
        "i16" => whole(i16::MIN.into(), i16::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => whole(i64::MIN.into(), i64::MAX.into()),
        // The parsers read no larger integers from a file.
        "u128" => whole(0, u64::MAX.into()),
        "i128" => whole(i64::MIN.into(), u64::MAX.into()),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a string" | "a borrowed string" => "a text".into(),
        "a character" => "one character".into(),
        "a sequence" => "a list".into(),
        "a map" => "a mapping of keys to values".into(),
        "unit" => "nothing".into(),
        "unit variant" => "a name alone".into(),
        "newtype variant" | "tuple variant" | "struct variant" => "a name with what belongs to it".into(),
        "string or map" | "map with a single key" => CHOICE.into(),
        "variant identifier" | "field identifier" => "a name".into(),
        "path string" | "a borrowed path" => "a path".into(),
        "an empty array" => "an empty list".into(),
        other => match SERDE_TERMS.iter().find_map(|(begin, words)| Some((other.strip_prefix(begin)?, *words))) {
            Some((kind, "")) => format!("{}, but not 0", plain_words_with_limits(kind)).into(),
            Some((number, words)) if words.ends_with(' ') => format!("{words}{number} values").into(),
            Some((_, words)) => words.into(),
            None => other.into(),
        },
    }
}

/// Is this an enum whose content is under another key than its tag? Serde buffers the content if that comes first.
pub(in crate::config) fn is_adjacently_tagged(expected: &dyn Expected) -> bool {
    expected.to_string().starts_with(ADJACENTLY_TAGGED)
}

const ADJACENTLY_TAGGED: &str = "adjacently tagged enum ";

/// The beginning of what serde expects as the tag of an enum with `tag` and `content`.
const TAG: &str = "variant of enum ";

/// How serde's expectations begin, and their plain words. Words that end with a space are followed by a number.
const SERDE_TERMS: [(&str, &str); 14] = [
    ("variant index ", "a name"),
    ("field index ", "a name"),
    ("a nonzero ", ""),
    ("struct ", "a mapping of keys to values"),
    ("tuple struct ", "a list"),
    ("tuple variant ", "a list"),
    ("unit struct ", "nothing"),
    ("internally tagged enum ", "a mapping of keys to values"),
    (ADJACENTLY_TAGGED, "a mapping of keys to values"),
    (TAG, "a name"),
    ("enum ", "a name"),
    ("a tuple of size ", "a list of "),
    ("an array of length ", "a list of "),
    ("newtype struct ", "a value"),
];

/// The value, as a message shows it.
fn shown(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        // With its decimal point, to tell it from an integer.
        Unexpected::Float(value) => format!("`{value:?}`"),
        Unexpected::Str("") => "an empty text".to_string(),
        Unexpected::Str(text) => format!("the text `{text}`"),
        other => kind(other),
    }
}

/// The kind of a value, without the value itself.
fn kind(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(_) => "`true` or `false`".to_string(),
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number".to_string(),
        Unexpected::Str("") => "an empty text".to_string(),
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a text".to_string(),
        Unexpected::Unit => NOTHING.to_string(),
        Unexpected::Seq => "a list".to_string(),
        Unexpected::Map => "a mapping".to_string(),
        Unexpected::Option | Unexpected::NewtypeStruct => "a value".to_string(),
        Unexpected::Enum => "a name".to_string(),
        Unexpected::UnitVariant => "a name alone".to_string(),
        Unexpected::NewtypeVariant | Unexpected::TupleVariant | Unexpected::StructVariant => {
            "a name with what belongs to it".to_string()
        }
        // It contains the number.
        Unexpected::Other(words) if words.starts_with("integer `") => "a number".to_string(),
        Unexpected::Other(words) => (*words).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::Error as _;

    #[test]
    fn words_of_a_types_own_are_told_as_they_are() {
        let message = |words: &str| match Failed::custom(words).what {
            What::Says(message) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(message("unknown field `x`"), "the key `x` is unknown");
        for own in ["unknown field `x`, expected `a` or `b`", "unknown field x", "unknown field `x` at line 1 column 5"]
        {
            assert_eq!(message(own), own);
        }
    }
}
