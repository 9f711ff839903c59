//! A choice among names, as serde takes it.

use super::{
    failure::{Failure, What},
    found::Found,
    key,
    reader::{Reader, name},
};
use serde::de::{self, DeserializeSeed, Deserializer as _, EnumAccess, VariantAccess, Visitor};
use std::borrow::Cow;
use yaml_serde::Value;

/// One of several names, with what belongs to it: `name`, or `name: content`.
pub(super) struct Choice<'a, 'r> {
    name: String,
    content: Option<Reader<'a, 'r>>,
}

impl<'a, 'r> Choice<'a, 'r> {
    /// `None` where it is no choice at all.
    pub(super) fn of(reader: &Reader<'a, 'r>, variants: &'static [&'static str]) -> Option<Self> {
        let spelled = |written: &str| {
            let variant = variants.iter().find(|variant| key::same(variant, written));
            variant.map_or_else(|| written.to_string(), ToString::to_string)
        };
        let content = |found: Found<'a>, written: &str| {
            let path = reader.path.iter().cloned().chain([key::kebab(written)]).collect();
            Some(Reader { reading: reader.reading, path, top: found, below: Vec::new() })
        };
        if let Value::Tagged(tagged) = &*reader.top.value {
            let written = tagged.tag.to_string().trim_start_matches('!').to_string();
            let found = Found { value: Cow::Owned(tagged.value.clone()), ..reader.top.clone() };
            return Some(Choice { name: spelled(&written), content: content(found, &written) });
        }
        if let Some(text) = reader.top.value.as_str() {
            return Some(Choice { name: spelled(text), content: None });
        }
        let entries = reader.top.entries().filter(|_| reader.top.value.is_mapping())?;
        match <[_; 1]>::try_from(entries) {
            Ok([(written, found)]) => Some(Choice { name: spelled(&written), content: content(found, &written) }),
            Err(_) => None,
        }
    }
}

impl<'de, 'a, 'r> EnumAccess<'de> for Choice<'a, 'r> {
    type Error = Failure;
    type Variant = Content<'a, 'r>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<'a, 'r>), Failure> {
        Ok((seed.deserialize(name(&self.name))?, Content(self.content)))
    }
}

/// What belongs to the chosen name.
pub(super) struct Content<'a, 'r>(Option<Reader<'a, 'r>>);

impl<'a, 'r> Content<'a, 'r> {
    fn read<T>(self, read: impl FnOnce(Reader<'a, 'r>) -> Result<T, Failure>) -> Result<T, Failure> {
        let reader = self.0.ok_or_else(|| Failure::new(What::Says("what belongs to this name is missing".into())))?;
        let spot = reader.spot();
        read(reader).map_err(|failure| failure.at(|| spot))
    }
}

impl<'de> VariantAccess<'de> for Content<'_, '_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.0 {
            Some(reader) if !reader.top.value.is_null() => {
                Err(<Failure as de::Error>::custom("nothing belongs to this name: write it alone"))
            }
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        self.read(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.read(|reader| reader.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Failure> {
        self.read(|reader| reader.deserialize_struct("", fields, visitor))
    }
}
