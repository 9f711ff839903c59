//! Reads files that a parser refuses as a whole, but in which everything else can be read, so that other mistakes in
//! them are reported too: files with duplicate keys, and with integers of more bits than the parser's values have.

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

/// A duplicate key, and its position.
pub(super) struct DuplicateKey {
    /// The way to the key, including the key.
    pub(super) way: Way,
    pub(super) at: Option<(usize, usize)>,
}

/// The duplicate keys of a YAML text, and its value, in which the first of two equal keys counts. `None` if the text
/// has another mistake, or neither duplicate keys nor large numbers.
pub(super) fn yaml(text: &str, merges: bool) -> Option<(Vec<DuplicateKey>, Value)> {
    let read = |end| {
        let findings = Findings { end, ..Findings::default() };
        let value = Lenient(&findings).deserialize(yaml_serde::Deserializer::from_str(text));
        (value, findings.duplicates.into_inner(), findings.is_large.get())
    };
    let (value, ways, is_large) = read(usize::MAX);
    let mut value = value.ok()?;
    if merges {
        value.apply_merge().ok()?;
    }
    // The deserializer gives positions only in errors, so the text is read once more for each duplicate key, up to that
    // key.
    let place = |number| read(number).0.err()?.location().map(|at| (at.line(), at.column()));
    let duplicates = ways.into_iter().take(MOST).enumerate();
    let duplicates: Vec<_> = duplicates.map(|(number, way)| DuplicateKey { way, at: place(number) }).collect();
    (is_large || !duplicates.is_empty()).then_some((duplicates, value))
}

/// The value of a TOML text in which only large numbers are wrong.
pub(super) fn toml(text: &str) -> Option<Value> {
    let findings = Findings::default();
    let value = Lenient(&findings).deserialize(toml::Deserializer::parse(text).ok()?).ok()?;
    findings.is_large.get().then_some(value)
}

/// A TOML text whose too large integers are replaced by floats of the same width, so that all positions stay. A type
/// that wants an integer accepts none of these. `None` if the text has another mistake.
pub(in crate::config) fn large_as_floats(text: &str) -> Option<String> {
    let mut rewritten = text.to_string();
    for _ in 0..=MOST {
        let findings = Findings::default();
        let parsed = toml::Deserializer::parse(&rewritten).ok()?;
        let Err(error) = Lenient(&findings).deserialize(parsed) else { return Some(rewritten) };
        let span = error.span()?;
        let digits = rewritten.get(span.clone())?.replace('_', "");
        // Only a decimal number is replaced, not one of another base, nor anything else.
        let number: f64 = digits.parse().ok()?;
        rewritten.replace_range(span.clone(), &format!("{number:<width$e}", width = span.len()));
    }
    None
}

/// What was found while reading.
#[derive(Default)]
struct Findings {
    /// The way to the value that is being read.
    way: RefCell<Way>,
    /// The ways to the duplicate keys.
    duplicates: RefCell<Vec<Way>>,
    /// Was there a number of more bits than the parser's values have?
    is_large: Cell<bool>,
    /// The index of the duplicate key at which reading stops with an error, which has the key's position.
    end: usize,
}

/// Reads any value; of duplicate keys, the first one counts.
#[derive(Clone, Copy)]
struct Lenient<'a>(&'a Findings);

impl Lenient<'_> {
    /// Reads the value one step further in.
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

    // A float of about that size: no type that wants an integer accepts it, and the message shows the number as it is
    // written.
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
        while let Some(key) = entries.next_key_seed(KeySeed { lenient: self, before: &all })? {
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

/// Reads a key, and notes if the mapping already has it.
struct KeySeed<'a> {
    lenient: Lenient<'a>,
    before: &'a Mapping,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl KeySeed<'_> {
    fn note_if_duplicate<E: de::Error>(self, key: Value) -> Result<Value, E> {
        if self.before.contains_key(&key) {
            let Findings { way, duplicates, end, .. } = self.lenient.0;
            if duplicates.borrow().len() == *end {
                return Err(E::custom("twice"));
            }
            let way = inner(&way.borrow(), &key_text(&key));
            duplicates.borrow_mut().push(way);
        }
        Ok(key)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bool<E: de::Error>(self, key: bool) -> Result<Value, E> {
        self.note_if_duplicate(key.into())
    }

    fn visit_i64<E: de::Error>(self, key: i64) -> Result<Value, E> {
        self.note_if_duplicate(key.into())
    }

    fn visit_u64<E: de::Error>(self, key: u64) -> Result<Value, E> {
        self.note_if_duplicate(key.into())
    }

    fn visit_i128<E: de::Error>(self, key: i128) -> Result<Value, E> {
        let key = self.lenient.visit_i128(key)?;
        self.note_if_duplicate(key)
    }

    fn visit_u128<E: de::Error>(self, key: u128) -> Result<Value, E> {
        let key = self.lenient.visit_u128(key)?;
        self.note_if_duplicate(key)
    }

    fn visit_f64<E: de::Error>(self, key: f64) -> Result<Value, E> {
        self.note_if_duplicate(key.into())
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Value, E> {
        self.note_if_duplicate(key.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.note_if_duplicate(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value, A::Error> {
        let key = self.lenient.visit_seq(items)?;
        self.note_if_duplicate(key)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        let key = self.lenient.visit_map(entries)?;
        self.note_if_duplicate(key)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<Value, A::Error> {
        let key = self.lenient.visit_enum(choice)?;
        self.note_if_duplicate(key)
    }
}
