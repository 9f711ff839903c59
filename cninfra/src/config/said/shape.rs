//! [`Shape`]: what a type wants to be read of, as serde tells it.

use crate::config::written::{key, untyped, value};
use figment::value::{Num, Tag, Value};

/// What the type of a key wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Shape {
    /// It may be nothing.
    pub(in crate::config) optional: bool,
    pub(in crate::config) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Kind {
    /// A mapping of these keys, and their further names.
    Struct(&'static [&'static str]),
    /// A mapping of any keys.
    Map,
    List,
    /// One of these names.
    Choice(&'static [&'static str]),
    Text,
    Number,
    Bool,
    /// It is there or not.
    Nothing,
    /// Whatever is there.
    Any,
}

impl Kind {
    /// The text of a flag, a variable or a secret's file, as this kind has it. What does not fit stays a text.
    pub(in crate::config) fn of_text(self, text: &str) -> Value {
        let plain = || value::text(text);
        match self {
            Kind::Text => plain(),
            Kind::Number => number(text.trim()).map_or_else(plain, |number| Value::Num(Tag::Default, number)),
            Kind::Bool => match untyped::understood(text.trim()) {
                on @ Value::Bool(..) => on,
                _ => plain(),
            },
            Kind::Choice(names) if names.iter().any(|name| key::same(name, text)) => plain(),
            // all that is there may be wanted
            Kind::Any => match untyped::understood(text) {
                several @ (Value::Dict(..) | Value::Array(..)) => several,
                _ => untyped::looked_at(text),
            },
            Kind::Choice(_) | Kind::Struct(_) | Kind::Map | Kind::List | Kind::Nothing => untyped::understood(text),
        }
    }
}

impl Shape {
    /// May a text be there, as it is?
    pub(super) fn takes_texts(self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Any)
    }

    /// The same; an empty text is nothing where that may be.
    pub(super) fn of_text(self, text: &str) -> Value {
        if self.optional && text.is_empty() { value::nothing(Tag::Default) } else { self.kind.of_text(text) }
    }
}

fn number(text: &str) -> Option<Num> {
    let whole = text.parse().map(Num::U64).or_else(|_| text.parse().map(Num::I64));
    // what is more than any number is none, but where it is called infinite
    let is_number = |number: &f64| number.is_finite() || !text.contains(|c: char| c.is_ascii_digit());
    let number = whole.ok().or_else(|| text.parse().ok().filter(is_number).map(Num::F64));
    // `0x10`, `.inf`: as a file has it
    let of_yaml = || match untyped::understood(text) {
        Value::Num(_, Num::F64(number)) if !is_number(&number) => None,
        Value::Num(_, number) => Some(number),
        _ => None,
    };
    number.or_else(of_yaml)
}

/// What a type says of a place.
#[derive(Clone, Copy)]
pub(in crate::config) struct Told {
    /// `None` where it can not be known.
    pub(in crate::config) shape: Option<Shape>,
    /// It is a secret, or in one.
    pub(in crate::config) secret: bool,
    /// It takes any mapping, and only its own code knows what is in that.
    pub(in crate::config) open: bool,
}
