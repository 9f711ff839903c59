//! [`Choice`]: deserializes an enum, which is written as a name, or as a name with its content.

use super::reader::{Reader, variant_name};
use crate::config::{
    said::shape::Kind,
    written::{key, way::Step},
    wrong::failure::{Failed, Failure, What},
};
use figment::value::Value;
use serde::de::{self, DeserializeSeed, Deserializer as _, EnumAccess, VariantAccess, Visitor};

/// A variant's name, with its content if there is one: `name`, or `name: content`.
pub(super) struct Choice<'a, 'r> {
    name: String,
    content: Option<Reader<'a, 'r>>,
}

impl<'a, 'r> Choice<'a, 'r> {
    /// `None` if the value is neither a text nor a mapping with a single key.
    pub(super) fn of(reader: &Reader<'a, 'r>, names: &'static [&'static str]) -> Option<Self> {
        let spelled = |written: &str| {
            let name = names.iter().find(|name| key::same(name, written));
            name.map_or_else(|| written.to_string(), ToString::to_string)
        };
        if let Some(text) = reader.value.as_str() {
            return Some(Choice { name: spelled(text), content: None });
        }
        let entries = reader.entries().filter(|_| matches!(&*reader.value, Value::Dict(..)))?;
        let [(written, value)] = <[_; 1]>::try_from(entries).ok()?;
        let content = reader.child(key::kebab(&written), Step::Key(written.clone()), value);
        Some(Choice { name: spelled(&written), content: Some(content) })
    }
}

impl<'de, 'a, 'r> EnumAccess<'de> for Choice<'a, 'r> {
    type Error = Failed;
    type Variant = Content<'a, 'r>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<'a, 'r>), Failed> {
        Ok((seed.deserialize(variant_name(&self.name))?, Content(self.content)))
    }
}

/// The content of the variant.
pub(super) struct Content<'a, 'r>(Option<Reader<'a, 'r>>);

impl<'a, 'r> Content<'a, 'r> {
    fn read<T>(self, read: impl FnOnce(Reader<'a, 'r>) -> Result<T, Failed>) -> Result<T, Failed> {
        let reader = self.0.ok_or_else(|| Failure::new(What::NoContent))?;
        let reading = reader.reading;
        let depth = reading.enter(reader.spot());
        match read(reader) {
            Ok(value) => {
                reading.leave(depth);
                Ok(value)
            }
            Err(failure) => Err(reading.leave_failed(depth, failure)),
        }
    }
}

impl<'de> VariantAccess<'de> for Content<'_, '_> {
    type Error = Failed;

    fn unit_variant(self) -> Result<(), Failed> {
        match self.0 {
            Some(reader) if reader.is_asked() => reader.answer_if_asked(Kind::Nothing),
            Some(reader) if !matches!(&*reader.value, Value::Empty(..)) => {
                Err(<Failed as de::Error>::custom("nothing belongs to this name: write it alone"))
            }
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failed> {
        self.read(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Failed> {
        self.read(|reader| reader.deserialize_tuple(len, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Failed> {
        self.read(|reader| reader.deserialize_struct("", fields, visitor))
    }
}
