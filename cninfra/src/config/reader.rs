//! [`Reader`]: reads a section into its type, of all its layers at once.
//!
//! The type leads: it says what its keys are, so that they can be spelled in any way, and what each value must be, so that
//! a text of a flag goes into a number and into a text alike. Layers are merged on the way: of a mapping each key by itself,
//! of all else the highest.

use super::{
    failure::{Failure, Spot, What},
    fields::{Fed, Feed, feed_map, feed_struct},
    found::Found,
    key,
    mistake::Mistake,
    secret,
    source::{Step, Way},
    variant::Choice,
};
use serde::de::{self, Deserializer, Unexpected, Visitor, value::StrDeserializer};
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashSet},
    path::PathBuf,
};
use yaml_serde::Value;

/// One reading of a section.
pub(super) struct Reading<'a> {
    pub(super) section: &'a str,
    /// Values that were found wrong in an earlier reading: they are not there any more.
    pub(super) dropped: &'a HashSet<(usize, Way)>,
    pub(super) notes: RefCell<Notes>,
}

/// What is seen on the way.
#[derive(Default)]
pub(super) struct Notes {
    /// Keys that nobody knows, and the like: what does not stop the reading.
    pub(super) mistakes: Vec<(Spot, Mistake)>,
    /// Where each key's value comes from.
    pub(super) origins: BTreeMap<Vec<String>, Spot>,
    /// Paths whose keys are fields of a type.
    pub(super) structs: BTreeSet<Vec<String>>,
    /// `enabled`, where the section's type has no such key.
    pub(super) enabled: Option<Spot>,
    /// The files of secrets, and what they hold.
    pub(super) secrets: Vec<(PathBuf, String)>,
}

/// A value, of all the layers that have it: the highest first, never none.
pub(super) struct Reader<'a, 'r> {
    pub(super) reading: &'r Reading<'a>,
    pub(super) path: Vec<String>,
    pub(super) top: Found<'a>,
    pub(super) below: Vec<Found<'a>>,
}

impl<'a, 'r> Reader<'a, 'r> {
    pub(super) fn new(reading: &'r Reading<'a>, path: Vec<String>, mut found: Vec<Found<'a>>) -> Option<Self> {
        if found.is_empty() {
            return None;
        }
        let top = found.remove(0);
        Some(Reader { reading, path, top, below: found })
    }

    pub(super) fn spot(&self) -> Spot {
        Spot { path: self.path.clone(), entry: self.top.number, way: self.top.way.clone() }
    }

    /// The layers, the highest first.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Found<'a>> {
        std::iter::once(&self.top).chain(&self.below)
    }

    /// Only secrets are read from files of their own.
    fn no_file(self) -> Result<Self, Failure> {
        if self.top.names_file { Err(Failure::new(What::NoSecret)) } else { Ok(self) }
    }

    fn understood(mut self) -> Self {
        self.top = self.top.understood();
        self.below = self.below.into_iter().map(Found::understood).collect();
        self
    }

    fn wrong<V>(&self, visitor: &dyn de::Expected) -> Result<V, Failure> {
        let unexpected = match &*self.top.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => Unexpected::Unsigned(value),
                (_, Some(value)) => Unexpected::Signed(value),
                _ => Unexpected::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Sequence(_) => Unexpected::Seq,
            Value::Mapping(_) => Unexpected::Map,
            Value::Tagged(_) => Unexpected::Other("a value with a tag"),
        };
        Err(de::Error::invalid_type(unexpected, visitor))
    }

    /// As [`wrong`](Reader::wrong), but what is written is not shown: in what should hold several values, a secret may be one.
    fn wrong_whole<V>(&self, visitor: &dyn de::Expected) -> Result<V, Failure> {
        match &*self.top.value {
            Value::String(_) => Err(de::Error::invalid_type(Unexpected::Other("a text"), visitor)),
            _ => self.wrong(visitor),
        }
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let reader = self.no_file()?;
        let Some(text) = reader.top.text().map(str::trim) else { return reader.plain(visitor) };
        if let Ok(number) = text.parse::<u64>() {
            visitor.visit_u64(number)
        } else if let Ok(number) = text.parse::<i64>() {
            visitor.visit_i64(number)
        } else if let Ok(number) = text.parse::<f64>() {
            visitor.visit_f64(number)
        } else {
            reader.wrong(&visitor)
        }
    }

    /// A value that is no text of a flag or a variable, as it is.
    fn plain<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &*self.top.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (_, Some(number)) => visitor.visit_i64(number),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Sequence(_) => self.list(visitor),
            Value::Mapping(_) => self.mapping(visitor),
            Value::Tagged(_) => self.choose(visitor, &[]),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Value::Sequence(_) = &*self.top.value else { return self.wrong_whole(&visitor) };
        let item = |found: Found<'a>| {
            let mut path = self.path.clone();
            if let Some(last) = path.last_mut()
                && let Some(Step::Index(index)) = found.way.last()
            {
                *last = format!("{last}[{index}]");
            }
            Fed {
                name: Cow::Borrowed(""),
                reader: Reader { reading: self.reading, path, top: found, below: Vec::new() },
            }
        };
        let dropped = self.reading.dropped;
        let there = self.top.items().into_iter().filter(|item| !dropped.contains(&(item.number, item.way.clone())));
        visitor.visit_seq(&mut Feed::new(there.map(item).collect()))
    }

    fn mapping<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.top.entries().is_none() {
            return self.wrong_whole(&visitor);
        }
        visitor.visit_map(&mut Feed::new(feed_map(&self)))
    }

    pub(super) fn choose<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        variants: &'static [&'static str],
    ) -> Result<V::Value, Failure> {
        let mut reader = if variants.is_empty() { self } else { self.no_file()? };
        // a text of a flag is a name, or else what it is in YAML
        if reader.top.text().is_some_and(|text| !variants.iter().any(|variant| key::same(variant, text))) {
            reader = reader.understood();
        }
        match Choice::of(&reader, variants) {
            Some(choice) => visitor.visit_enum(choice),
            None => reader.understood().wrong(&visitor),
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.no_file()?.understood().plain(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let reader = self.no_file()?;
        match reader.top.text().map(str::trim) {
            Some("true") => visitor.visit_bool(true),
            Some("false") => visitor.visit_bool(false),
            Some(_) => reader.wrong(&visitor),
            None => reader.plain(visitor),
        }
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.number(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let reader = self.no_file()?;
        match reader.top.text() {
            Some(text) => visitor.visit_str(text),
            None => reader.plain(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let is_none = self.top.text().map_or(self.top.value.is_null(), str::is_empty);
        if is_none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.no_file()?.understood().plain(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        if name != secret::NAME {
            return visitor.visit_newtype_struct(self);
        }
        let mut reader = self;
        if reader.top.value.as_str() == Some(secret::MASK) {
            let what = "`***` stands for a secret where it is not shown: write the secret itself (in a program, `secret.reveal()`)";
            return Err(Failure::new(What::Says(what.to_string())));
        }
        if reader.top.names_file {
            let path = secret::path(&reader.top).map_err(Failure::new)?;
            let text = secret::read(&path).map_err(Failure::new)?;
            reader.top = reader.top.with_text(text.clone());
            reader.reading.notes.borrow_mut().secrets.push((path, text));
        }
        // what is said of the value may show it
        visitor.visit_newtype_struct(reader).map_err(Failure::without_value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.no_file()?.understood().list(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.no_file()?.understood().mapping(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let reader = self.no_file()?.understood();
        if reader.top.entries().is_none() {
            return reader.wrong_whole(&visitor);
        }
        let mut feed = Feed::new(feed_struct(&reader, fields));
        visitor.visit_map(&mut feed).map_err(|failure| match failure {
            Failure { what: What::Twice(_), spot: None } => match feed.last.take() {
                Some(spot) => failure.at(|| spot),
                None => failure,
            },
            failure => failure,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.choose(visitor, variants)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit_struct tuple tuple_struct identifier
    }
}

/// A name, for serde.
pub(super) fn name(name: &str) -> StrDeserializer<'_, Failure> {
    de::value::StrDeserializer::new(name)
}
