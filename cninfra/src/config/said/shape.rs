//! [`Shape`]: what a type wants to be read from, as it tells serde.

use crate::config::written::{key, untyped, value};
use figment::value::{Num, Tag, Value};

/// What the type of a key wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Shape {
    /// The value may be null.
    pub(in crate::config) optional: bool,
    pub(in crate::config) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Kind {
    /// A mapping with these keys, including aliases.
    Struct(&'static [&'static str]),
    /// A mapping with any keys.
    Map,
    List,
    /// One of these variants.
    Choice(&'static [&'static str]),
    Text,
    Number,
    Bool,
    /// A unit variant, with no content.
    Nothing,
    /// Any value.
    Any,
}

impl Kind {
    /// Converts the text of a flag, a variable or a secret's file to this kind. What cannot be converted stays a text.
    pub(in crate::config) fn convert_text(self, text: &str) -> Value {
        let plain = || value::text(text);
        match self {
            Kind::Text => plain(),
            Kind::Number => number(text.trim()).map_or_else(plain, |number| Value::Num(Tag::Default, number)),
            Kind::Bool => match untyped::as_yaml(text.trim()) {
                on @ Value::Bool(..) => on,
                _ => plain(),
            },
            Kind::Choice(names) if names.iter().any(|name| key::same(name, text)) => plain(),
            // The type may accept lists and mappings, even without brackets.
            Kind::Any => match untyped::as_yaml(text) {
                several @ (Value::Dict(..) | Value::Array(..)) => several,
                _ => untyped::by_look(text),
            },
            Kind::Choice(_) | Kind::Struct(_) | Kind::Map | Kind::List | Kind::Nothing => untyped::as_yaml(text),
        }
    }
}

impl Shape {
    /// May the value be a text, as it is?
    pub(super) fn accepts_texts(self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Any)
    }

    /// The same; but for an optional value, an empty text is a null.
    pub(super) fn convert_text(self, text: &str) -> Value {
        if self.optional && text.is_empty() { value::nothing(Tag::Default) } else { self.kind.convert_text(text) }
    }
}

fn number(text: &str) -> Option<Num> {
    let whole = text.parse().map(Num::U64).or_else(|_| text.parse().map(Num::I64));
    // A number that is too large for a float is not accepted, but `inf` is.
    let is_number = |number: &f64| number.is_finite() || !text.contains(|c: char| c.is_ascii_digit());
    let number = whole.ok().or_else(|| text.parse().ok().filter(is_number).map(Num::F64));
    // YAML has more forms of numbers, such as `0x10` and `.inf`.
    let of_yaml = || match untyped::as_yaml(text) {
        Value::Num(_, Num::F64(number)) if !is_number(&number) => None,
        Value::Num(_, number) => Some(number),
        _ => None,
    };
    number.or_else(of_yaml)
}

/// What a type wants at a place.
#[derive(Clone, Copy)]
pub(in crate::config) struct Wanted {
    /// `None` if the type does not say.
    pub(in crate::config) shape: Option<Shape>,
    /// The place is a secret, or in one.
    pub(in crate::config) secret: bool,
    /// The type accepts any mapping there, and only its own code knows what may be in it.
    pub(in crate::config) open: bool,
}
