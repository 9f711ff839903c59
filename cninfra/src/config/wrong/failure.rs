//! [`Failure`]: why a value could not be read, in plain words.

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

/// What is there where a key has no value.
const NOTHING: &str = "nothing";

/// No variant has this name.
pub(in crate::config) const NO_NAME: &str = "\0";

/// What is said of a panic begins so.
pub(in crate::config) const PANICKED: &str = "reading it panicked: ";

/// What is said where a flattened choice has none of its keys.
pub(in crate::config) const NO_VARIANT: &str = "none of the keys is there of which it takes one";

/// So many characters of its message are told.
const MOST: usize = 400;

/// A panic with as much of its message.
pub(in crate::config) fn brief(mut panic: Panic) -> Panic {
    if let Some((end, _)) = panic.message.char_indices().nth(MOST) {
        panic.message.truncate(end);
        panic.message.push('…');
    }
    panic
}

/// A [`Failure`] as it is handed on: each value that is read may have one, and has no room for it.
pub(in crate::config) type Failed = Box<Failure>;

/// Why reading a section stopped.
#[derive(Clone, Debug)]
pub(in crate::config) struct Failure {
    pub(in crate::config) what: What,
    /// Where: once it is known.
    pub(in crate::config) spot: Option<Spot>,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) enum What {
    /// It goes after "key `k`".
    Takes(Box<Takes>),
    /// It goes after "key `k`: ".
    Says(String),
    Missing {
        field: &'static str,
        /// A secret was read.
        of_secret: bool,
        /// The other keys of its type that nothing says: serde tells no more than the first one that is needed.
        others: Vec<String>,
    },
    /// What is there is none of the variants of a choice. It is shown where no variant may hold a secret.
    NoVariant { found: String, names: &'static [&'static str] },
    /// Several variants of a choice stand beside each other, by these keys.
    Variants { keys: Vec<String>, names: &'static [&'static str] },
    /// The name of a variant stands alone, to which something belongs.
    NoContent,
    /// serde found the field, by another name, among those that were fed before.
    Twice(&'static str),
    /// A key that the type does not have, told by the type itself.
    Unknown { key: String, known: &'static [&'static str] },
    /// `<key>-file` of a key that is no secret.
    NoSecret,
    /// Of the file of a secret: it goes after "key `k-file`". With its mend.
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

    /// May it be the same, in the words of a type that has others each time?
    pub(in crate::config) fn is_alike(&self, other: &What) -> bool {
        matches!((self, other), (What::Says(one), What::Says(other)) if steady(one) == steady(other))
    }
}

/// What is the same each time in the words of a type that has others each time: of a panic where it was, if that is known, and of all others what is beside their
/// numbers, which count, or tell a time.
pub(in crate::config) fn steady(words: &str) -> String {
    match words.split_once(PANICKED) {
        Some((before, panic)) => {
            let at = panic.rsplit_once(" (at ").map_or("", |(_, at)| at);
            format!("{before}{PANICKED}{at}")
        }
        None => words.split(|letter: char| letter.is_ascii_digit()).collect(),
    }
}

/// What is wanted, and what was found.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) struct Takes {
    pub(in crate::config) wanted: String,
    /// As it is written.
    pub(in crate::config) found: String,
    /// The same without what it is.
    pub(in crate::config) kind: String,
    /// The type takes whatever is there, and only its own code knows what that may be.
    pub(in crate::config) of_any: bool,
    /// It is read as an `f32`.
    pub(in crate::config) of_f32: bool,
    /// A secret was read.
    pub(in crate::config) of_secret: bool,
    /// What was found, to be looked for.
    pub(in crate::config) mark: Option<Mark>,
}

/// A value, to be compared with others: it says nothing of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Mark(u64);

impl Mark {
    pub(in crate::config) fn of(value: &Unexpected<'_>) -> Self {
        // of this process alone: from one without a key, a short secret could be found by trying all
        static KEY: OnceLock<RandomState> = OnceLock::new();
        let key = KEY.get_or_init(RandomState::new);
        Mark(match value {
            // which are not shown
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

    /// How many values it takes, where there are too few of them or too many.
    pub(in crate::config) fn count(&self) -> Option<usize> {
        let (count, _) = self.wanted.split_once(' ').filter(|_| self.mark.is_none())?;
        if count == "one" { Some(1) } else { count.parse().ok() }
    }

    pub(in crate::config) fn is_text(&self) -> bool {
        self.kind == TEXT
    }

    /// How a list or a mapping is written on one line, where one is wanted; a shell takes brackets for its own.
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

    /// The innermost spot stays.
    pub(in crate::config) fn at(mut self: Box<Self>, spot: impl FnOnce() -> Spot) -> Failed {
        self.spot.get_or_insert_with(spot);
        self
    }

    /// Of a type that takes whatever is there.
    pub(in crate::config) fn of_any(mut self: Box<Self>) -> Failed {
        if let (What::Takes(takes), None) = (&mut self.what, &self.spot) {
            takes.of_any = true;
        }
        self
    }

    /// Without what was found, but for its kind: it may be a secret.
    pub(in crate::config) fn without_value(mut self: Box<Self>, found: Option<&str>) -> Failed {
        let words = match (&self.what, found) {
            // nothing of the value is in them
            (What::Missing { .. } | What::NoContent | What::OfFile(..) | What::Unanswered(_) | What::Asked, _) => {
                return self;
            }
            (What::Says(words), _) if words.starts_with(NO_NAME) => return self,
            // that there is nothing is no secret
            (What::Takes(takes), _) if takes.kind == NOTHING => return self,
            // what looks for a number that is too large has put this text there
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
        Failure::new(What::Says(plain(foreign::text(&message))))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let wanted = match found {
            // of those that are too large for it, it is of use to know the largest
            Unexpected::Float(number) if number.fract() == 0.0 => in_all_words(&expected),
            _ => in_words(&expected),
        };
        let (wanted, kind, mark) = (wanted.into_owned(), kind(&found), Some(Mark::of(&found)));
        let (of_secret, of_f32) = (secret::is_being_read(), expected == "f32");
        let is_value = matches!(
            found,
            Unexpected::Str(_) | Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_)
        );
        // in what should hold several values, a secret may be one, and of what was put by nobody can be asked
        let is_hidden = of_secret || is_value && is_of_several(&expected);
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
            // who looks for the name of a variant has put this one there
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

/// `a`, `b` or `c`
pub(in crate::config) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_string(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            format!("{} or `{last}`", first.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Is it for the tag of an enum that has what belongs to it in another key?
pub(in crate::config) fn is_tag(expected: &dyn Expected) -> bool {
    expected.to_string().starts_with(TAG)
}

/// Is something wanted that holds several values, or has them beside a name, or is nothing at all, by what a type says of itself?
fn is_of_several(expected: &str) -> bool {
    const WORDS: &[&str] = &[
        "array", "list", "lists", "map", "mapping", "object", "sequence", "set", "struct", "table", "tagged", "tuple",
        "unit", "variant",
    ];
    expected.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// What serde says in words of Rust.
fn plain(words: String) -> String {
    if words.starts_with("data did not match any variant of untagged enum ") {
        return "what is there fits nothing that it takes".to_string();
    }
    if words.starts_with("no variant of enum ") && words.ends_with(" found in flattened data") {
        return NO_VARIANT.to_string();
    }
    if words == "u128 is not supported" || words == "i128 is not supported" {
        return "a number of 128 bits is not read here: it is a defect of the plugin".to_string();
    }
    // a type may have words like these of its own, which go on
    let key = words.strip_prefix("unknown field `").and_then(|rest| rest.strip_suffix('`'));
    match key.filter(|key| !key.contains('`')) {
        Some(key) => format!("the key `{key}` is unknown"),
        None => words,
    }
}

/// What serde calls by the names of Rust's types.
fn in_words(expected: &str) -> Cow<'_, str> {
    match expected {
        "u64" | "usize" => "a whole number, 0 or more".into(),
        "i64" | "isize" => "a whole number".into(),
        other => in_all_words(other),
    }
}

/// The same with the ends of what a number may be, however large they are.
fn in_all_words(expected: &str) -> Cow<'_, str> {
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
        // no more is read of a file
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
        other => match OF_RUST.iter().find_map(|(begin, words)| Some((other.strip_prefix(begin)?, *words))) {
            Some((kind, "")) => format!("{}, but not 0", in_all_words(kind)).into(),
            Some((number, words)) if words.ends_with(' ') => format!("{words}{number} values").into(),
            Some((_, words)) => words.into(),
            None => other.into(),
        },
    }
}

/// Is it for an enum that has what belongs to its tag in another key? It is put by if it comes first.
pub(in crate::config) fn is_beside(expected: &dyn Expected) -> bool {
    expected.to_string().starts_with(BESIDE)
}

const BESIDE: &str = "adjacently tagged enum ";

/// What an enum with `tag` and `content` says of its tag.
const TAG: &str = "variant of enum ";

/// With what serde's words for types begin, and what they are to users: what ends with a space goes on with a number.
const OF_RUST: [(&str, &str); 14] = [
    ("variant index ", "a name"),
    ("field index ", "a name"),
    ("a nonzero ", ""),
    ("struct ", "a mapping of keys to values"),
    ("tuple struct ", "a list"),
    ("tuple variant ", "a list"),
    ("unit struct ", "nothing"),
    ("internally tagged enum ", "a mapping of keys to values"),
    (BESIDE, "a mapping of keys to values"),
    (TAG, "a name"),
    ("enum ", "a name"),
    ("a tuple of size ", "a list of "),
    ("an array of length ", "a list of "),
    ("newtype struct ", "a value"),
];

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
        other => kind(other),
    }
}

/// Without what it is.
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
        // which has the number in it
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
        let said = |words: &str| match Failed::custom(words).what {
            What::Says(said) => said,
            other => panic!("{other:?}"),
        };
        assert_eq!(said("unknown field `x`"), "the key `x` is unknown");
        for own in ["unknown field `x`, expected `a` or `b`", "unknown field x", "unknown field `x` at line 1 column 5"]
        {
            assert_eq!(said(own), own);
        }
    }
}
