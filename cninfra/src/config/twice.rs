//! Reads YAML in which keys are there twice. The parser refuses it as a whole, but what else is wrong with it is to be told, too.

use super::mistake::MOST;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess as _, Visitor};
use std::{cell::RefCell, fmt};
use yaml_serde::{Mapping, Value, value::TaggedValue};

/// A key that is there for the second time, and where.
pub(super) struct Second {
    pub(super) key: String,
    pub(super) at: Option<(usize, usize)>,
}

/// The keys that are there twice, and the text without what they say the second time; `None` where nothing else can be read of it.
pub(super) fn twice(text: &str) -> Option<(Vec<Second>, Value)> {
    let read = |end| {
        let seen = RefCell::new(Vec::new());
        let value = Lenient { seen: &seen, end }.deserialize(yaml_serde::Deserializer::from_str(text));
        (value, seen.into_inner())
    };
    let (value, keys) = read(usize::MAX);
    let mut value = value.ok()?;
    value.apply_merge().ok()?;
    // an error has a place
    let place = |number| read(number).0.err()?.location().map(|at| (at.line(), at.column()));
    let seconds = keys.into_iter().take(MOST).enumerate();
    let seconds: Vec<_> = seconds.map(|(number, key)| Second { key, at: place(number) }).collect();
    (!seconds.is_empty()).then_some((seconds, value))
}

/// Takes what a key says first.
#[derive(Clone, Copy)]
struct Lenient<'a> {
    /// The keys that are there twice.
    seen: &'a RefCell<Vec<String>>,
    /// It ends with an error at that one.
    end: usize,
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
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Value::Sequence(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Mapping::new();
        while let Some(key) = entries.next_key_seed(New { lenient: self, before: &all })? {
            let value = entries.next_value_seed(self)?;
            all.entry(key.into()).or_insert(value);
        }
        Ok(Value::Mapping(all))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<Value, A::Error> {
        let (tag, content) = choice.variant::<String>()?;
        let value = content.newtype_variant_seed(self)?;
        Ok(Value::Tagged(Box::new(TaggedValue { tag: yaml_serde::value::Tag::new(tag), value })))
    }
}

/// A key that may be there before.
struct New<'a> {
    lenient: Lenient<'a>,
    before: &'a Mapping,
}

impl<'de> DeserializeSeed<'de> for New<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for New<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<String, E> {
        if self.before.contains_key(key) {
            let mut seen = self.lenient.seen.borrow_mut();
            if seen.len() == self.lenient.end {
                return Err(E::custom("twice"));
            }
            seen.push(key.to_string());
        }
        Ok(key.to_string())
    }
}
