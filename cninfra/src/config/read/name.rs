//! [`Name`]: deserializes a map's key, which is written as a text, into the key's type: a number, a boolean or a type
//! of its own.

use super::number;
use crate::config::wrong::failure::Failed;
use serde::de::{Deserializer, IntoDeserializer as _, Visitor, value::StrDeserializer};

/// A key of a map.
pub(super) struct Name<'n>(pub(super) &'n str);

impl Name<'_> {
    fn visit_number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        match (self.0.parse(), self.0.parse()) {
            (Ok(number), _) => visitor.visit_u64(number),
            (_, Ok(number)) => visitor.visit_i64(number),
            _ => visitor.visit_str(self.0),
        }
    }
}

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Failed;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        visitor.visit_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        match self.0.parse() {
            Ok(value) => visitor.visit_bool(value),
            Err(_) => visitor.visit_str(self.0),
        }
    }

    number::methods! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failed> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        let name: StrDeserializer<'_, Failed> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, PluginName};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        by_number: BTreeMap<u16, u8>,
        by_signed: BTreeMap<i8, u8>,
        by_truth: BTreeMap<bool, u8>,
        by_label: BTreeMap<Label, u8>,
        by_plugin: BTreeMap<PluginName, u8>,
        by_id: BTreeMap<Id, u8>,
        by_side: BTreeMap<Side, u8>,
        by_letter: BTreeMap<char, u8>,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    struct Label(String);

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    struct Id(u16);

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Side {
        Left,
    }

    fn read_by_flag(key: &str, text: &str) -> Result<Odd, String> {
        let mut config = Config::new();
        config.set_flag("odd", key, text, "f");
        config.section("odd").map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_of_the_type_that_a_map_has() {
        assert_eq!(read_by_flag("by-number", "{80: 1}").unwrap().by_number, [(80, 1)].into());
        assert_eq!(read_by_flag("by-number.80", "1").unwrap().by_number, [(80, 1)].into());
        assert_eq!(read_by_flag("by-signed.-8", "1").unwrap().by_signed, [(-8, 1)].into());
        assert_eq!(read_by_flag("by-truth.true", "1").unwrap().by_truth, [(true, 1)].into());
        assert_eq!(read_by_flag("by-label.a", "1").unwrap().by_label, [(Label("a".into()), 1)].into());
        assert_eq!(read_by_flag("by-id.7", "1").unwrap().by_id, [(Id(7), 1)].into());
        assert_eq!(read_by_flag("by-side.left", "1").unwrap().by_side, [(Side::Left, 1)].into());
        assert_eq!(read_by_flag("by-letter.7", "1").unwrap().by_letter, [('7', 1)].into());
        assert!(read_by_flag("by-plugin.http", "1").unwrap().by_plugin.len() == 1);
        for (key, words) in [
            ("by-number.x", "the key takes a whole number from 0 to 65535, not the text `x`"),
            ("by-number.-1", "the key takes a whole number from 0 to 65535, not `-1`"),
            ("by-id.70000", "the key takes a whole number from 0 to 65535, not `70000`"),
            ("by-truth.yes", "the key takes `true` or `false`, not the text `yes`"),
            ("by-side.up", "the key takes `left`, not `up`"),
        ] {
            assert_eq!(read_by_flag(key, "1").unwrap_err(), format!("flag --f: key `odd.{key}`: {words}"));
        }
    }
}
