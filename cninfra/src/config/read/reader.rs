//! [`Reader`]: the deserializer that reads a section into its type, from the value that figment has merged from all
//! layers.
//!
//! The type determines what its keys are, and what each value is read as. It can also be asked for just that, before
//! there is anything to read.

use super::{
    fields::{self, EntryAccess, EntryReader, fields_not_set, map_entries, struct_entries},
    number::{self, IntegerOrFloat, integer_or_float, is_beyond},
    reading::{Reading, Reads},
    secret_file,
    unexpected::unexpected,
    variant::Choice,
};
use crate::config::{
    said::shape::Kind,
    types::{duration::Duration, plugin_name, secret},
    written::{
        value,
        way::{Step, Way, inner_at, onward},
    },
    wrong::{
        failure::{self, Failed, Failure, What},
        spot::Spot,
    },
};
use figment::value::{Num, Value};
use serde::{
    Deserialize as _,
    de::{
        self, Deserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer, StrDeserializer},
    },
};
use std::{borrow::Cow, iter, rc::Rc};

/// A value that is being read.
pub(in crate::config) struct Reader<'a, 'r> {
    pub(in crate::config) reading: &'r Reading<'a>,
    /// The path of the key, as messages show it.
    pub(super) path: Vec<String>,
    pub(super) way: Way,
    pub(super) value: Cow<'a, Value>,
    /// The key is `<key>-file`: the value is the path of the file that holds the actual value.
    pub(super) names_file: bool,
    /// The spot of the `<key>-file`, if the value is from the file that it names: what is in there has no places of its
    /// own.
    of_file: Option<Rc<Spot>>,
    /// The value is from such a file, which is empty.
    is_empty_file: bool,
    /// The value is a text (from a secret's file) that is yet to be converted to what the type wants.
    pub(super) is_text: bool,
    /// The value is inside a secret: its keys are not shown.
    pub(super) is_hidden: bool,
}

impl<'a, 'r> Reader<'a, 'r> {
    pub(in crate::config) fn new(reading: &'r Reading<'a>, value: &'a Value) -> Self {
        let (path, way) = (Vec::new(), Way::new());
        let value = Cow::Borrowed(value);
        let (names_file, of_file, is_empty_file, is_text, is_hidden) = (false, None, false, false, false);
        Reader { reading, path, way, value, names_file, of_file, is_empty_file, is_text, is_hidden }
    }

    /// A reader of an entry of this mapping.
    pub(super) fn child(&self, shown: String, step: Step, value: Cow<'a, Value>) -> Self {
        let shown = Some(shown).filter(|_| !self.is_hidden);
        let path = self.path.iter().cloned().chain(shown).collect();
        let way = onward(&self.way, step);
        let (reading, of_file, is_hidden) = (self.reading, self.of_file.clone(), self.is_hidden);
        Reader {
            reading,
            path,
            way,
            value,
            names_file: false,
            of_file,
            is_empty_file: false,
            is_text: false,
            is_hidden,
        }
    }

    /// A reader of an item of this list.
    fn item(&self, index: usize, value: Cow<'a, Value>) -> Self {
        let mut item = self.child(String::new(), Step::Index(index), value);
        if !self.is_hidden {
            item.path.pop();
            if let Some(last) = item.path.last_mut() {
                *last = format!("{last}[{index}]");
            }
        }
        item
    }

    pub(in crate::config) fn spot(&self) -> Spot {
        if let Some(file) = &self.of_file {
            return Spot::clone(file);
        }
        let entry = self.reading.layers.layer_of(self.value.tag(), &self.way);
        Spot { path: self.path.clone(), entry, way: self.way.clone() }
    }

    /// The key at a spot, as its source spells it.
    pub(super) fn written(&self, spot: &Spot) -> Option<String> {
        if self.of_file.is_some() { None } else { self.reading.layers.written(spot) }
    }

    /// The entries of a mapping (none for a null); `None` if it is not a mapping.
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

    /// Is this the place at which the type is asked what it wants?
    pub(super) fn is_asked(&self) -> bool {
        self.reading.asked.is_some_and(|asked| asked.len() == self.way.len())
    }

    /// Notes what the type wants and stops reading, if this is the place at which the type is asked.
    pub(super) fn answer_if_asked(&self, kind: Kind) -> Result<(), Failed> {
        if !self.is_asked() {
            return Ok(());
        }
        self.reading.notes.borrow_mut().wanted_kind.get_or_insert(kind);
        Err(Failure::new(What::Asked))
    }

    /// Refuses a `<key>-file` for a type that is not a secret, and an empty file unless it is a `Secret<Option<..>>`.
    fn refuse_file(self) -> Result<Self, Failed> {
        if self.names_file {
            return Err(Failure::new(What::NoSecret));
        }
        if self.is_empty_file {
            let notes = self.reading.notes.borrow();
            let file = notes.secret_files.last().map(|(_, file)| file.display().to_string()).unwrap_or_default();
            let help = "write the secret into it; if there is to be none, remove the key";
            return Err(Failure::new(What::OfFile(format!(": the file {file} is empty"), Some(help))));
        }
        Ok(self)
    }

    /// The value for a type that wants this kind of value.
    fn for_kind(self, kind: Kind) -> Result<Self, Failed> {
        self.answer_if_asked(kind)?;
        let mut reader = self.refuse_file()?;
        if reader.is_text
            && let Value::String(_, text) = &*reader.value
        {
            (reader.value, reader.is_text) = (Cow::Owned(kind.convert_text(text)), false);
        }
        Ok(reader)
    }

    fn wrong_type<V>(&self, visitor: &dyn de::Expected) -> Result<V, Failed> {
        Err(de::Error::invalid_type(unexpected(&self.value), visitor))
    }

    /// Like [`wrong_type`](Reader::wrong_type), but does not show the value: a scalar instead of a list or mapping may be
    /// a secret that belongs into it.
    fn wrong_type_hidden<V>(&self, visitor: &dyn de::Expected) -> Result<V, Failed> {
        match &*self.value {
            Value::String(..) => Err(de::Error::invalid_type(Unexpected::Other("a text"), visitor)),
            Value::Num(..) => Err(de::Error::invalid_type(Unexpected::Other("a number"), visitor)),
            _ => self.wrong_type(visitor),
        }
    }

    fn visit_number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        self.for_kind(Kind::Number)?.visit_as_is(visitor)
    }

    /// Passes the value on as the kind that it has.
    fn visit_as_is<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        match &*self.value {
            Value::Empty(..) => visitor.visit_unit(),
            Value::Bool(_, value) => visitor.visit_bool(*value),
            Value::Num(_, number) => match integer_or_float(*number) {
                IntegerOrFloat::Unsigned(number) => visitor.visit_u64(number),
                IntegerOrFloat::Signed(number) => visitor.visit_i64(number),
                IntegerOrFloat::Float(number) => visitor.visit_f64(number),
            },
            Value::Char(_, value) => match value::trial_bytes(*value).filter(|_| self.reading.reads == Reads::Trial) {
                Some(bytes) => visitor.visit_bytes(&bytes),
                None => visitor.visit_char(*value),
            },
            Value::String(_, text) => visitor.visit_str(text),
            Value::Array(..) => self.visit_list(visitor),
            Value::Dict(..) => self.visit_mapping(visitor),
        }
    }

    /// The items of a list; `None` if it is not a list.
    fn items(&self) -> Option<Vec<Cow<'a, Value>>> {
        match &self.value {
            Cow::Borrowed(Value::Array(_, items)) => Some(items.iter().map(Cow::Borrowed).collect()),
            Cow::Owned(Value::Array(_, items)) => Some(items.iter().cloned().map(Cow::Owned).collect()),
            _ => None,
        }
    }

    fn visit_list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        let Some(items) = self.items() else { return self.wrong_type_hidden(&visitor) };
        self.visit_items(visitor, items)
    }

    fn visit_items<'de, V: Visitor<'de>>(&self, visitor: V, items: Vec<Cow<'a, Value>>) -> Result<V::Value, Failed> {
        let item = |(index, value)| EntryReader { name: Cow::Borrowed(""), reader: self.item(index, value) };
        // Items that were found wrong stay in the value, so that the others keep their places; they are skipped here.
        let is_there = |element: &EntryReader<'_, '_>| {
            let Spot { entry, way, .. } = element.reader.spot();
            !self.reading.dropped.contains(&(entry, way))
        };
        let mut access = EntryAccess::new(items.into_iter().enumerate().map(item).filter(is_there).collect());
        let value = visitor.visit_seq(&mut access)?;
        match access.next() {
            Some(surplus) => {
                Err(Failure::new(What::Says("nothing reads it: remove it".into())).at(|| surplus.reader.spot()))
            }
            None => Ok(value),
        }
    }

    fn visit_mapping<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        if self.entries().is_none() {
            return self.wrong_type_hidden(&visitor);
        }
        visitor.visit_map(&mut EntryAccess::new(map_entries(&self)))
    }

    fn visit_enum<'de, V: Visitor<'de>>(self, visitor: V, names: &'static [&'static str]) -> Result<V::Value, Failed> {
        // The content is under another key, and may be a secret.
        if self.is_asked() && failure::is_tag(&visitor) {
            self.reading.notes.borrow_mut().wanted_open = true;
        }
        let reader = self.for_kind(Kind::Choice(names))?;
        reader.reading.notes.borrow_mut().choices.insert(reader.path.clone());
        if let Some(choice) = Choice::of(&reader, names) {
            return visitor.visit_enum(choice);
        }
        match &*reader.value {
            Value::Dict(_, dict) if dict.len() > 1 => {
                Err(Failure::new(What::Variants { keys: dict.keys().cloned().collect(), names }))
            }
            _ => reader.wrong_type(&visitor).map_err(|failure| match failure.what {
                What::Takes(takes) => Failure::new(What::NoVariant { found: takes.shown(), names }),
                what => Failure::new(what),
            }),
        }
    }

    /// Reads a duration into the standard library's type.
    fn visit_duration<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        let time = Duration::deserialize(self)?;
        visitor.visit_seq(SeqDeserializer::new([time.as_secs(), time.subsec_nanos().into()].into_iter()))
    }

    /// Reads a tuple. Its items have different types, and only the first item's can be asked what it wants.
    fn visit_tuple<'de, V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Failed> {
        if let Some(Step::Index(1..)) = self.reading.asked.and_then(|asked| asked.get(self.way.len())) {
            return Err(Failure::new(What::Asked));
        }
        if self.is_asked() && len > 1 {
            self.reading.notes.borrow_mut().wanted_open = true;
        }
        let reader = self.for_kind(Kind::List)?;
        let Some(mut items) = reader.items() else { return reader.wrong_type_hidden(&visitor) };
        if items.len() > len {
            let surplus = reader.item(len, items[len].clone());
            fields::report_surplus(&reader, surplus.spot(), len, items.len());
            items.truncate(len);
        }
        // Without one of its items, the others would be read as other types.
        let entry = reader.spot().entry;
        let is_dropped = |index| reader.reading.dropped.contains(&(entry, inner_at(&reader.way, index)));
        if (0..items.len()).any(is_dropped) {
            return Err(Failure::new(What::Says("an item of it is wrong".into())));
        }
        reader.visit_items(visitor, items)
    }
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = Failed;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        if self.is_asked() {
            // A type that refuses an empty mapping for being a mapping accepts none at all.
            let empty = visitor.visit_map(MapDeserializer::<_, Failed>::new(iter::empty::<(&str, &str)>()));
            let is_open = !matches!(empty, Err(failed) if matches!(failed.what, What::Takes(_)));
            self.reading.notes.borrow_mut().wanted_open = is_open;
            self.answer_if_asked(Kind::Any)?;
            return Err(Failure::new(What::Asked));
        }
        let reader = self.for_kind(Kind::Any)?;
        reader.reading.note_buffering();
        if let Value::Num(_, Num::F64(number)) = &*reader.value
            && is_beyond(*number)
        {
            reader.reading.notes.borrow_mut().large.push(reader.spot());
        }
        reader.visit_as_is(visitor).map_err(Failure::of_any)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        self.for_kind(Kind::Bool)?.visit_as_is(visitor)
    }

    number::methods! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f64 }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        let reader = self.for_kind(Kind::Number)?;
        // A number that is too large for an `f32` would become infinite.
        match &*reader.value {
            Value::Num(_, number) if number.to_f64().is_some_and(is_beyond) => {
                Err(de::Error::invalid_value(unexpected(&reader.value), &number::WANTED))
            }
            _ => reader.visit_as_is(visitor),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        self.for_kind(Kind::Text)?.visit_as_is(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        if self.is_asked() {
            self.reading.notes.borrow_mut().wanted_optional = true;
            return visitor.visit_some(self);
        }
        let is_none = match &*self.value {
            Value::Empty(..) => true,
            Value::String(_, text) => self.is_text && text.is_empty(),
            _ => false,
        };
        if is_none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failed> {
        if name == plugin_name::NAME {
            let named = self.value.as_str().map(|name| (self.spot(), name.to_string()));
            self.reading.notes.borrow_mut().plugins.extend(named);
        }
        if name != secret::NAME {
            return visitor.visit_newtype_struct(self);
        }
        let mut reader = self;
        reader.is_hidden = true;
        if reader.reading.asked.is_some() {
            reader.reading.notes.borrow_mut().wanted_secret = true;
            // If the type is only asked, there is no file to read.
            reader.names_file = false;
        }
        if reader.value.as_str() == Some(secret::MASK) {
            let what = "`***` stands for a secret where it is not shown: write the secret itself (in a program, `secret.reveal()`)";
            return Err(Failure::new(What::Says(what.to_string())));
        }
        if reader.names_file {
            let folder = reader.reading.layers.folder(&reader.spot());
            let path = secret_file::path(&reader.value, folder).map_err(Failure::new)?;
            let text = reader.reading.layers.secrets.read(&path).map_err(|what| match reader.reading.reads {
                Reads::All => Failure::new(what),
                // The file need not exist if another layer overrides its key.
                Reads::OneLayer | Reads::Trial => Failure::new(What::Asked),
            })?;
            reader.value = Cow::Owned(Value::String(reader.value.tag(), text.clone()));
            reader.of_file = Some(reader.spot().into());
            (reader.names_file, reader.is_text) = (false, true);
            reader.is_empty_file = reader.reading.reads == Reads::All && text.is_empty();
            let mut notes = reader.reading.notes.borrow_mut();
            notes.secret_files.push((reader.path.clone(), path.clone()));
            notes.secrets.push((path, text));
            drop(notes);
        }
        #[cfg(feature = "testing")]
        reader.reading.notes.borrow_mut().secret_texts.extend(value::texts(&reader.value));
        // Messages about the value may show it.
        let found = match &*reader.value {
            Value::Num(..) => Some("a number"),
            Value::Bool(..) => Some("`true` or `false`"),
            _ => None,
        };
        visitor.visit_newtype_struct(reader).map_err(|failure| failure.without_value(found))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        self.for_kind(Kind::List)?.visit_list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Failed> {
        self.visit_tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Failed> {
        self.visit_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        // Serde calls this also for a type with flattened fields, for which it buffers the values.
        self.reading.note_buffering();
        self.for_kind(Kind::Map)?.visit_mapping(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        // The standard library's duration is read like ours, unless it is written as a mapping, as serde writes it.
        if (name, fields) == ("Duration", &["secs", "nanos"]) {
            self.reading.notes.borrow_mut().durations.insert(self.path.clone());
            if !matches!(&*self.value, Value::Dict(..)) {
                return self.visit_duration(visitor);
            }
        }
        if fields.len() == 2 && failure::is_adjacently_tagged(&visitor) {
            self.reading.note_buffering();
        }
        let reader = self.for_kind(Kind::Struct(fields))?;
        if reader.entries().is_none() {
            return reader.wrong_type_hidden(&visitor);
        }
        let mut access = EntryAccess::new(struct_entries(&reader, fields));
        visitor.visit_map(&mut access).map_err(|failed| match *failed {
            Failure { what: What::Missing { field, of_secret, .. }, spot: None } => {
                Failure::new(What::Missing { field, of_secret, others: fields_not_set(&reader, fields, field) })
            }
            Failure { what: What::Twice(_), spot: None } => match access.last.take() {
                Some(spot) => failed.at(|| spot),
                None => failed,
            },
            _ => failed,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        self.visit_enum(visitor, names)
    }

    /// Reads the tag of an enum. Only the type's own code knows which other keys belong to the variant.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        if self.is_asked() {
            self.reading.notes.borrow_mut().wanted_open = true;
        }
        let reader = self.for_kind(Kind::Any)?;
        // Serde would take a number for the index of a variant.
        if let Value::Num(_, number) = &*reader.value {
            return visitor.visit_str(&number.to_u128().map_or_else(String::new, |number| number.to_string()));
        }
        reader.visit_as_is(visitor).map_err(Failure::of_any)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit_struct
    }
}

/// Wraps a variant's name for serde.
pub(super) fn variant_name(name: &str) -> StrDeserializer<'_, Failed> {
    de::value::StrDeserializer::new(name)
}
