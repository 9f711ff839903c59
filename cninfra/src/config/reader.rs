//! [`Reader`]: reads a section into its type, of the value that figment has merged of all its layers.
//!
//! The type leads: it says what its keys are, and what each value must be. It can also be asked for that alone, before there is
//! anything to read.

use super::{
    Duration,
    extract::Reads,
    failure::{Failure, Spot, What},
    fields::{Fed, Feed, feed_map, feed_struct, unsaid},
    plugin_name,
    reading::Reading,
    secret,
    shape::Kind,
    source::{Step, Way},
    variant::Choice,
};
use figment::value::{Num, Value};
use serde::{
    Deserialize as _,
    de::{
        self, Deserializer, Unexpected, Visitor,
        value::{SeqDeserializer, StrDeserializer},
    },
};
use std::borrow::Cow;

/// A value.
pub(super) struct Reader<'a, 'r> {
    pub(super) reading: &'r Reading<'a>,
    /// As it is shown.
    pub(super) path: Vec<String>,
    pub(super) way: Way,
    pub(super) value: Cow<'a, Value>,
    /// It is `<key>-file`: it names the file that holds the value.
    pub(super) names_file: bool,
    /// It is a text whose type only the key says.
    pub(super) is_text: bool,
}

impl<'a, 'r> Reader<'a, 'r> {
    pub(super) fn new(reading: &'r Reading<'a>, value: &'a Value) -> Self {
        let (path, way) = (Vec::new(), Way::new());
        Reader { reading, path, way, value: Cow::Borrowed(value), names_file: false, is_text: false }
    }

    /// What is in it.
    pub(super) fn child(&self, shown: String, step: Step, value: Cow<'a, Value>) -> Self {
        let path = self.path.iter().cloned().chain([shown]).collect();
        let way = self.way.iter().cloned().chain([step]).collect();
        Reader { reading: self.reading, path, way, value, names_file: false, is_text: false }
    }

    pub(super) fn spot(&self) -> Spot {
        let entry = self.reading.layers.number(self.value.tag(), &self.way);
        Spot { path: self.path.clone(), entry, way: self.way.clone() }
    }

    /// The entries of a mapping; `None` if it is none.
    pub(super) fn entries(&self) -> Option<Vec<(String, Cow<'a, Value>)>> {
        match &self.value {
            Cow::Borrowed(Value::Dict(_, dict)) => {
                Some(dict.iter().map(|(key, value)| (key.clone(), Cow::Borrowed(value))).collect())
            }
            Cow::Owned(Value::Dict(_, dict)) => {
                Some(dict.iter().map(|(key, value)| (key.clone(), Cow::Owned(value.clone()))).collect())
            }
            value => matches!(&**value, Value::Empty(..)).then(Vec::new),
        }
    }

    /// Says what the type wants, where it is asked here.
    fn wants(&self, kind: Kind) -> Result<(), Failure> {
        if self.reading.asked.is_none_or(|asked| asked.len() != self.way.len()) {
            return Ok(());
        }
        self.reading.notes.borrow_mut().told.get_or_insert(kind);
        Err(Failure::new(What::Asked))
    }

    /// Only secrets are read from files of their own.
    fn no_file(self) -> Result<Self, Failure> {
        if self.names_file { Err(Failure::new(What::NoSecret)) } else { Ok(self) }
    }

    /// As a type wants it that wants this.
    fn wanted(self, kind: Kind) -> Result<Self, Failure> {
        self.wants(kind)?;
        let mut reader = self.no_file()?;
        if reader.is_text
            && let Value::String(_, text) = &*reader.value
        {
            (reader.value, reader.is_text) = (Cow::Owned(kind.of_text(text)), false);
        }
        Ok(reader)
    }

    fn wrong<V>(&self, visitor: &dyn de::Expected) -> Result<V, Failure> {
        let unexpected = match &*self.value {
            Value::Empty(..) => Unexpected::Unit,
            Value::Bool(_, value) => Unexpected::Bool(*value),
            Value::Num(_, number) => match whole(*number) {
                Whole::Unsigned(value) => Unexpected::Unsigned(value),
                Whole::Signed(value) => Unexpected::Signed(value),
                Whole::No(value) => Unexpected::Float(value),
            },
            Value::Char(_, value) => Unexpected::Char(*value),
            Value::String(_, text) => Unexpected::Str(text),
            Value::Array(..) => Unexpected::Seq,
            Value::Dict(..) => Unexpected::Map,
        };
        Err(de::Error::invalid_type(unexpected, visitor))
    }

    /// As [`wrong`](Reader::wrong), but what is written is not shown: in what should hold several values, a secret may be one.
    fn wrong_whole<V>(&self, visitor: &dyn de::Expected) -> Result<V, Failure> {
        match &*self.value {
            Value::String(..) => Err(de::Error::invalid_type(Unexpected::Other("a text"), visitor)),
            _ => self.wrong(visitor),
        }
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.wanted(Kind::Number)?.plain(visitor)
    }

    /// A value as it is.
    fn plain<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &*self.value {
            Value::Empty(..) => visitor.visit_unit(),
            Value::Bool(_, value) => visitor.visit_bool(*value),
            Value::Num(_, number) => match whole(*number) {
                Whole::Unsigned(number) => visitor.visit_u64(number),
                Whole::Signed(number) => visitor.visit_i64(number),
                Whole::No(number) => visitor.visit_f64(number),
            },
            Value::Char(_, value) => visitor.visit_char(*value),
            Value::String(_, text) => visitor.visit_str(text),
            Value::Array(..) => self.list(visitor),
            Value::Dict(..) => self.mapping(visitor),
        }
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let items: Vec<Cow<'a, Value>> = match &self.value {
            Cow::Borrowed(Value::Array(_, items)) => items.iter().map(Cow::Borrowed).collect(),
            Cow::Owned(Value::Array(_, items)) => items.iter().cloned().map(Cow::Owned).collect(),
            _ => return self.wrong_whole(&visitor),
        };
        let item = |(index, value)| {
            let mut reader = self.child(String::new(), Step::Index(index), value);
            reader.path.pop();
            if let Some(last) = reader.path.last_mut() {
                *last = format!("{last}[{index}]");
            }
            Fed { name: Cow::Borrowed(""), reader }
        };
        // they keep their places, so that they are left out here
        let is_there = |fed: &Fed<'_, '_>| {
            let Spot { entry, way, .. } = fed.reader.spot();
            !self.reading.dropped.contains(&(entry, way))
        };
        visitor.visit_seq(&mut Feed::new(items.into_iter().enumerate().map(item).filter(is_there).collect()))
    }

    fn mapping<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.entries().is_none() {
            return self.wrong_whole(&visitor);
        }
        visitor.visit_map(&mut Feed::new(feed_map(&self)))
    }

    fn choose<'de, V: Visitor<'de>>(self, visitor: V, names: &'static [&'static str]) -> Result<V::Value, Failure> {
        let reader = self.wanted(Kind::Choice(names))?;
        reader.reading.notes.borrow_mut().choices.insert(reader.path.clone());
        match Choice::of(&reader, names) {
            Some(choice) => visitor.visit_enum(choice),
            None => reader.wrong(&visitor),
        }
    }

    /// A length of time, for the type of the standard library.
    fn duration<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let time = Duration::deserialize(self)?;
        visitor.visit_seq(SeqDeserializer::new([time.as_secs(), time.subsec_nanos().into()].into_iter()))
    }

    /// The items of a tuple have types of their own: only that of the first can be asked for.
    fn tuple<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Some(Step::Index(1..)) = self.reading.asked.and_then(|asked| asked.get(self.way.len())) {
            return Err(Failure::new(What::Asked));
        }
        self.wanted(Kind::List)?.list(visitor)
    }
}

enum Whole {
    Unsigned(u64),
    Signed(i64),
    No(f64),
}

fn whole(number: Num) -> Whole {
    if let Some(number) = number.to_u128().and_then(|number| u64::try_from(number).ok()) {
        return Whole::Unsigned(number);
    }
    match number.to_i128().map(|number| (u64::try_from(number), i64::try_from(number))) {
        Some((Ok(number), _)) => Whole::Unsigned(number),
        Some((_, Ok(number))) => Whole::Signed(number),
        // more than anything wants that is read here
        Some((_, Err(_))) => Whole::No(f64::INFINITY),
        None => Whole::No(number.to_f64().unwrap_or(f64::INFINITY)),
    }
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.wanted(Kind::Any)?.plain(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.wanted(Kind::Bool)?.plain(visitor)
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
        self.wanted(Kind::Text)?.plain(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.reading.asked.is_some_and(|asked| asked.len() == self.way.len()) {
            self.reading.notes.borrow_mut().told_optional = true;
            return visitor.visit_some(self);
        }
        let is_none = match &*self.value {
            Value::Empty(..) => true,
            Value::String(_, text) => self.is_text && text.is_empty(),
            _ => false,
        };
        if is_none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        if name == plugin_name::NAME {
            let named = self.value.as_str().map(|name| (self.spot(), name.to_string()));
            self.reading.notes.borrow_mut().plugins.extend(named);
        }
        if name != secret::NAME {
            return visitor.visit_newtype_struct(self);
        }
        let mut reader = self;
        if reader.value.as_str() == Some(secret::MASK) {
            let what = "`***` stands for a secret where it is not shown: write the secret itself (in a program, `secret.reveal()`)";
            return Err(Failure::new(What::Says(what.to_string())));
        }
        if reader.names_file && reader.reading.reads == Reads::OneLayer {
            return Err(Failure::new(What::Asked));
        }
        if reader.names_file {
            let folder = reader.reading.layers.folder(&reader.spot());
            let path = secret::path(&reader.value, folder).map_err(Failure::new)?;
            let text = reader.reading.layers.secrets.read(&path).map_err(Failure::new)?;
            reader.value = Cow::Owned(Value::String(reader.value.tag(), text.clone()));
            (reader.names_file, reader.is_text) = (false, true);
            reader.reading.notes.borrow_mut().secrets.push((path, text));
        }
        #[cfg(feature = "testing")]
        reader.reading.notes.borrow_mut().hidden.extend(super::hidden::texts(&reader.value));
        // what is said of the value may show it
        let found = match &*reader.value {
            Value::Num(..) => Some("a number"),
            Value::Bool(..) => Some("`true` or `false`"),
            _ => None,
        };
        visitor.visit_newtype_struct(reader).map_err(|failure| failure.without_value(found))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.wanted(Kind::List)?.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.tuple(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.tuple(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.wanted(Kind::Map)?.mapping(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        // the standard library's: as ours, but for a mapping, as serde has it
        if (name, fields) == ("Duration", &["secs", "nanos"]) {
            self.reading.notes.borrow_mut().times.insert(self.path.clone());
            if !matches!(&*self.value, Value::Dict(..)) {
                return self.duration(visitor);
            }
        }
        let reader = self.wanted(Kind::Struct(fields))?;
        if reader.entries().is_none() {
            return reader.wrong_whole(&visitor);
        }
        let mut feed = Feed::new(feed_struct(&reader, fields));
        visitor.visit_map(&mut feed).map_err(|failure| match failure {
            Failure { what: What::Missing { field, .. }, spot: None } => {
                Failure::new(What::Missing { field, others: unsaid(&reader, fields, field) })
            }
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
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.choose(visitor, names)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit_struct identifier
    }
}

/// A name, for serde.
pub(super) fn name(name: &str) -> StrDeserializer<'_, Failure> {
    de::value::StrDeserializer::new(name)
}
