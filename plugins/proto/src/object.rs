//! The fields of an object of JSON, each as it is written.

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// In their order, with those that are there twice.
pub(crate) type Fields<'j> = Vec<(String, &'j RawValue)>;

pub(crate) fn is_one(json: &RawValue) -> bool {
    json.get().starts_with('{')
}

/// # Errors
/// It is no object, or a name of it is no text.
pub(crate) fn fields(json: &RawValue) -> Result<Fields<'_>, serde_json::Error> {
    struct All;

    impl<'de> Visitor<'de> for All {
        type Value = Fields<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }

    serde_json::Deserializer::from_str(json.get()).deserialize_map(All)
}
