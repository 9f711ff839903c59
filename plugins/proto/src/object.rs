//! The fields of a JSON object, each with its value as it is written.

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// In their order, including duplicates.
pub(crate) type Fields<'j> = Vec<(String, &'j RawValue)>;

pub(crate) fn is_one(json: &RawValue) -> bool {
    json.get().starts_with('{')
}

/// # Errors
/// It is not an object, or a name is not a string.
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
