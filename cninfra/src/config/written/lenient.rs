//! Reads what the parsers refuse as a whole, though all else in it can be read, and is to be told, too: keys that are there twice, and whole
//! numbers of more bits than their values have.

use super::{
    malformed::MOST,
    value::key_text,
    way::{Step, Way, inner},
};
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess as _, Visitor};
use std::{
    cell::{Cell, RefCell},
    fmt,
};
use yaml_serde::{Mapping, Value, value::TaggedValue};

/// A key that is there for the second time, and where.
pub(super) struct Second {
    /// The way to it, and itself.
    pub(super) way: Way,
    pub(super) at: Option<(usize, usize)>,
}

/// The keys of a YAML that are there twice, and the text without what they say the second time; `None` where nothing else can be read of it.
pub(super) fn yaml(text: &str, merges: bool) -> Option<(Vec<Second>, Value)> {
    let read = |end| {
        let seen = Seen { end, ..Seen::default() };
        let value = Lenient(&seen).deserialize(yaml_serde::Deserializer::from_str(text));
        (value, seen.twice.into_inner(), seen.is_large.get())
    };
    let (value, ways, is_large) = read(usize::MAX);
    let mut value = value.ok()?;
    if merges {
        value.apply_merge().ok()?;
    }
    // an error has a place
    let place = |number| read(number).0.err()?.location().map(|at| (at.line(), at.column()));
    let seconds = ways.into_iter().take(MOST).enumerate();
    let seconds: Vec<_> = seconds.map(|(number, way)| Second { way, at: place(number) }).collect();
    (is_large || !seconds.is_empty()).then_some((seconds, value))
}

/// A TOML in which nothing but large numbers is wrong.
pub(super) fn toml(text: &str) -> Option<Value> {
    let seen = Seen::default();
    let value = Lenient(&seen).deserialize(toml::Deserializer::parse(text).ok()?).ok()?;
    seen.is_large.get().then_some(value)
}

/// A TOML whose numbers of more bits than its parser takes are floating ones, each at its place: who takes a whole number takes none of these.
pub(in crate::config) fn shorter(text: &str) -> Option<String> {
    let mut shorter = text.to_string();
    for _ in 0..=MOST {
        let seen = Seen::default();
        let parsed = toml::Deserializer::parse(&shorter).ok()?;
        let Err(error) = Lenient(&seen).deserialize(parsed) else { return Some(shorter) };
        let span = error.span()?;
        let digits = shorter.get(span.clone())?.replace('_', "");
        // not of another base, nor anything else
        let number: f64 = digits.parse().ok()?;
        shorter.replace_range(span.clone(), &format!("{number:<width$e}", width = span.len()));
    }
    None
}

/// What was seen on the way.
#[derive(Default)]
struct Seen {
    /// The way to where it is.
    way: RefCell<Way>,
    /// The keys that are there twice.
    twice: RefCell<Vec<Way>>,
    /// There was a number of more bits.
    is_large: Cell<bool>,
    /// It ends with an error at that one of the keys.
    end: usize,
}

/// Takes what a key says first.
#[derive(Clone, Copy)]
struct Lenient<'a>(&'a Seen);

impl Lenient<'_> {
    /// What is one step further.
    fn inner<T>(self, step: Step, read: impl FnOnce() -> T) -> T {
        self.0.way.borrow_mut().push(step);
        let read = read();
        self.0.way.borrow_mut().pop();
        read
    }
}

impl<'de> DeserializeSeed<'de> for Lenient<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lenient<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    // as near as may be: who takes a whole number takes none of these, and is told of what is written
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.0.is_large.set(true);
        Ok((value as f64).into())
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.0.is_large.set(true);
        Ok((value as f64).into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = self.inner(Step::Index(all.len()), || items.next_element_seed(self))? {
            all.push(item);
        }
        Ok(Value::Sequence(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Mapping::new();
        while let Some(key) = entries.next_key_seed(New { lenient: self, before: &all })? {
            let value = self.inner(Step::Key(key_text(&key)), || entries.next_value_seed(self))?;
            all.entry(key).or_insert(value);
        }
        Ok(Value::Mapping(all))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<Value, A::Error> {
        let (tag, content) = choice.variant::<String>()?;
        let value = self.inner(Step::Key(tag.clone()), || content.newtype_variant_seed(self))?;
        Ok(Value::Tagged(Box::new(TaggedValue { tag: yaml_serde::value::Tag::new(tag), value })))
    }
}

/// A key that may be there before.
struct New<'a> {
    lenient: Lenient<'a>,
    before: &'a Mapping,
}

impl<'de> DeserializeSeed<'de> for New<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl New<'_> {
    fn key<E: de::Error>(self, key: Value) -> Result<Value, E> {
        if self.before.contains_key(&key) {
            let Seen { way, twice, end, .. } = self.lenient.0;
            if twice.borrow().len() == *end {
                return Err(E::custom("twice"));
            }
            let way = inner(&way.borrow(), &key_text(&key));
            twice.borrow_mut().push(way);
        }
        Ok(key)
    }
}

impl<'de> Visitor<'de> for New<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bool<E: de::Error>(self, key: bool) -> Result<Value, E> {
        self.key(key.into())
    }

    fn visit_i64<E: de::Error>(self, key: i64) -> Result<Value, E> {
        self.key(key.into())
    }

    fn visit_u64<E: de::Error>(self, key: u64) -> Result<Value, E> {
        self.key(key.into())
    }

    fn visit_i128<E: de::Error>(self, key: i128) -> Result<Value, E> {
        let key = self.lenient.visit_i128(key)?;
        self.key(key)
    }

    fn visit_u128<E: de::Error>(self, key: u128) -> Result<Value, E> {
        let key = self.lenient.visit_u128(key)?;
        self.key(key)
    }

    fn visit_f64<E: de::Error>(self, key: f64) -> Result<Value, E> {
        self.key(key.into())
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Value, E> {
        self.key(key.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.key(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value, A::Error> {
        let key = self.lenient.visit_seq(items)?;
        self.key(key)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        let key = self.lenient.visit_map(entries)?;
        self.key(key)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<Value, A::Error> {
        let key = self.lenient.visit_enum(choice)?;
        self.key(key)
    }
}
