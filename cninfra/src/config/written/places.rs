//! Finds the positions of all keys of a file in one pass: `locate` parses the file once for each key.

use super::{
    format::Format,
    value::key_text,
    way::{Step, Way},
};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    fmt,
};
use toml::de::{DeTable, DeValue};

/// Lines and columns, both counted from 1, by the ways to the keys.
pub(in crate::config) type Places = HashMap<Way, (usize, usize)>;

/// The positions of the keys at and below `under`. A key that is missing here may still have a position: one that YAML
/// merges in, for example.
pub(in crate::config) fn keys(text: &str, format: Format, under: &[Step]) -> Places {
    let places = RefCell::new(Places::new());
    match format {
        Format::Yaml | Format::Json => {
            let walk = Walk { way: &RefCell::default(), under, places: &places };
            // If parsing stops with an error, the positions of the keys before it have been found.
            let _ = walk.deserialize(yaml_serde::Deserializer::from_str(text));
        }
        Format::Toml => {
            if let Ok(table) = DeTable::parse(text) {
                let begins = text.match_indices('\n').map(|(at, _)| at + 1);
                let lines = Lines { text, begins: [0].into_iter().chain(begins).collect() };
                lines.table(table.get_ref(), &mut Way::new(), under, &mut places.borrow_mut());
            }
        }
    }
    places.into_inner()
}

/// Does the way lead towards `under`, or into it?
fn is_on_way(way: &[Step], under: &[Step]) -> bool {
    way.iter().zip(under).all(|(step, under)| step == under)
}

/// The text, with the byte offset at which each line begins.
struct Lines<'t> {
    text: &'t str,
    begins: Vec<usize>,
}

impl Lines<'_> {
    fn place(&self, byte: usize) -> (usize, usize) {
        let line = self.begins.partition_point(|begin| *begin <= byte);
        let begin = self.begins.get(line.wrapping_sub(1)).copied().unwrap_or_default();
        (line, self.text.get(begin..byte).map_or(1, |before| before.chars().count() + 1))
    }

    fn table(&self, table: &DeTable<'_>, way: &mut Way, under: &[Step], places: &mut Places) {
        for (key, value) in table {
            way.push(Step::Key(key.get_ref().to_string()));
            if is_on_way(way, under) {
                places.entry(way.clone()).or_insert_with(|| self.place(key.span().start));
                self.value(value.get_ref(), way, under, places);
            }
            way.pop();
        }
    }

    fn value(&self, value: &DeValue<'_>, way: &mut Way, under: &[Step], places: &mut Places) {
        match value {
            DeValue::Table(table) => self.table(table, way, under, places),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    way.push(Step::Index(index));
                    self.value(item.get_ref(), way, under, places);
                    way.pop();
                }
            }
            _ => {}
        }
    }
}

/// Walks through a YAML value, and records the positions of its keys.
#[derive(Clone, Copy)]
struct Walk<'a> {
    /// The way to the current value.
    way: &'a RefCell<Way>,
    under: &'a [Step],
    places: &'a RefCell<Places>,
}

impl Walk<'_> {
    /// Goes one step further in, and tells `walk` whether that leads to `under`.
    fn step<T>(self, step: Step, walk: impl FnOnce(bool) -> T) -> T {
        self.way.borrow_mut().push(step);
        let leads = is_on_way(&self.way.borrow(), self.under);
        let walked = walk(leads);
        self.way.borrow_mut().pop();
        walked
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0.. {
            let item = self.step(Step::Index(index), |leads| match leads {
                true => items.next_element_seed(self).map(|item| item.is_some()),
                false => items.next_element::<IgnoredAny>().map(|item| item.is_some()),
            });
            if !item? {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some((key, at)) = entries.next_key_seed(KeyAt(&Cell::default()))? {
            self.step(Step::Key(key), |leads| {
                if !leads {
                    return entries.next_value::<IgnoredAny>().map(drop);
                }
                if let Some(at) = at {
                    self.places.borrow_mut().entry(self.way.borrow().clone()).or_insert(at);
                }
                entries.next_value_seed(self)
            })?;
        }
        Ok(())
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, choice: A) -> Result<(), A::Error> {
        let (name, content) = choice.variant::<String>()?;
        let name = name.trim_start_matches('!').to_string();
        self.step(Step::Key(name), |_| de::VariantAccess::newtype_variant_seed(content, self))
    }
}

/// Reads a key and its position. The position is taken from an error that is returned when the key, a scalar, has been
/// read completely. The deserializer continues after that error as if there had been none.
struct KeyAt<'a>(&'a Cell<Option<String>>);

/// The error's message.
const HERE: &str = "here";

impl<'de> DeserializeSeed<'de> for KeyAt<'_> {
    type Value = (String, Option<(usize, usize)>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = self.0;
        match deserializer.deserialize_any(self) {
            Ok(other) => Ok((other, None)),
            Err(error) => match key.take() {
                Some(key) => Ok((key, position_in(&error.to_string()))),
                None => Err(error),
            },
        }
    }
}

/// The position in the error's message. An error without one is at the beginning of the text.
fn position_in(error: &str) -> Option<(usize, usize)> {
    let (_, at) = error.rsplit_once(HERE)?;
    if at.is_empty() {
        return Some((1, 1));
    }
    let (line, column) = at.strip_prefix(" at line ")?.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

impl KeyAt<'_> {
    fn stop_with_position<E: de::Error>(self, key: impl Into<yaml_serde::Value>) -> Result<String, E> {
        self.0.set(Some(key_text(&key.into())));
        Err(E::custom(HERE))
    }
}

impl<'de> Visitor<'de> for KeyAt<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<String, E> {
        self.stop_with_position(key)
    }

    fn visit_bool<E: de::Error>(self, key: bool) -> Result<String, E> {
        self.stop_with_position(key)
    }

    fn visit_i64<E: de::Error>(self, key: i64) -> Result<String, E> {
        self.stop_with_position(key)
    }

    fn visit_u64<E: de::Error>(self, key: u64) -> Result<String, E> {
        self.stop_with_position(key)
    }

    fn visit_f64<E: de::Error>(self, key: f64) -> Result<String, E> {
        self.stop_with_position(key)
    }

    fn visit_unit<E: de::Error>(self) -> Result<String, E> {
        self.stop_with_position(yaml_serde::Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<String, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(key_text(&yaml_serde::Value::Sequence(Vec::new())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<String, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(key_text(&yaml_serde::Value::Mapping(yaml_serde::Mapping::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{locate::locate, place::Part},
        *,
    };

    #[test]
    fn each_key_has_the_place_that_is_found_for_it_alone() {
        let yaml = "é: 1\n1.5: b\nnull: c\n? [d]\n: e\n.inf: h\nhttp:\n  users:\n    - name: é\n    - {name: b, \"age\": {x: [[{y: 1}]]}}\n  at: &at {z: 1}\n  to: *at\n  <<: {w: 1}\nlast: {}\n";
        let toml = "\"é\" = 1\n[http]\nendpoint.port = 1\nusers = [ { name = 'é' },\n { name = 'b', age = 'x' } ]\n[[loggers]]\nname = 'é'\n[[loggers]]\n  name = 'b'\n";
        let json = "{\"http\": {\n    \"endpoint\": 5, \"users\": [\n {\"age\": 1},\n {\"age\": 2}]\n  }\n}";
        for (format, text, many) in [(Format::Yaml, yaml, 18), (Format::Toml, toml, 11), (Format::Yaml, json, 5)] {
            let all = keys(text, format, &[]);
            assert_eq!(all.len(), many, "{all:?}");
            for (way, at) in &all {
                assert_eq!(locate(text, format, way, Part::Key), Some(*at), "{way:?}");
            }
            // With `under`, only the keys there are found.
            let under = [Step::Key("http".to_string())];
            let mut inner = all.clone();
            inner.retain(|way, _| way.starts_with(&under));
            assert_eq!(keys(text, format, &under), inner);
            assert!(!inner.is_empty() && inner.len() < all.len() || text == json);
        }
        // Keys before one that cannot be read are found.
        let before = keys("a: 1\n!t e: 1\nd: 2\n", Format::Yaml, &[]);
        assert_eq!(before.into_iter().collect::<Vec<_>>(), [(vec![Step::Key("a".to_string())], (1, 1))]);
    }
}
