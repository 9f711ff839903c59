//! Finds the line and the column of a value, by reading its file once more: only for messages.

use super::{
    format::{Format, line_and_column},
    source::{Part, Step},
};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{cell::Cell, collections::HashSet, fmt};

/// Where the value stands that this way leads to, or its key. Both from 1.
pub(super) fn locate(text: &str, format: Format, way: &[Step], part: Part) -> Option<(usize, usize)> {
    let found = Cell::new(false);
    let seek = Seek { way, part, found: &found };
    // what is sought is told by an error, since errors have a place
    let at = match format {
        Format::Yaml => {
            let error = seek.deserialize(yaml_serde::Deserializer::from_str(text)).err()?;
            error.location().map(|at| (at.line(), at.column()))
        }
        Format::Toml => {
            let error = seek.deserialize(toml::Deserializer::parse(text).ok()?).err()?;
            error.span().map(|span| line_and_column(text, span.start))
        }
    };
    at.filter(|_| found.get())
}

#[derive(Clone, Copy)]
struct Seek<'a> {
    way: &'a [Step],
    part: Part,
    found: &'a Cell<bool>,
}

impl Seek<'_> {
    fn here<E: de::Error>(self) -> E {
        self.found.set(true);
        E::custom("here")
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Err(self.here())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Index(index), rest)) = self.way.split_first() else { return Err(self.here()) };
        for _ in 0..*index {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        items.next_element_seed(Seek { way: rest, ..self }).map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(key), rest)) = self.way.split_first() else { return Err(self.here()) };
        let is_last = rest.is_empty() && self.part == Part::Key;
        loop {
            match entries.next_key_seed(KeyIs { key, seek: is_last.then_some(self) })? {
                None => return Ok(()),
                Some(true) => return entries.next_value_seed(Seek { way: rest, ..self }),
                Some(false) => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
    }
}

/// Is it this key? If so, and if it is what is sought, that is told.
struct KeyIs<'a> {
    key: &'a str,
    seek: Option<Seek<'a>>,
}

impl KeyIs<'_> {
    fn is<E: de::Error>(self, key: &str) -> Result<bool, E> {
        match self.seek {
            Some(seek) if key == self.key => Err(seek.here()),
            _ => Ok(key == self.key),
        }
    }
}

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        self.is(key)
    }

    fn visit_bool<E: de::Error>(self, key: bool) -> Result<bool, E> {
        self.is(&key.to_string())
    }

    fn visit_i64<E: de::Error>(self, key: i64) -> Result<bool, E> {
        self.is(&key.to_string())
    }

    fn visit_u64<E: de::Error>(self, key: u64) -> Result<bool, E> {
        self.is(&key.to_string())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// Where a key of a YAML mapping stands for the second time.
pub(super) fn second(text: &str) -> Option<(usize, usize)> {
    let found = Cell::new(false);
    let error = Once { found: &found }.deserialize(yaml_serde::Deserializer::from_str(text)).err()?;
    error.location().filter(|_| found.get()).map(|at| (at.line(), at.column()))
}

/// Walks through everything, until a key is there twice.
#[derive(Clone, Copy)]
struct Once<'a> {
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while entries.next_key_seed(New { seen: &mut seen, found: self.found })?.is_some() {
            entries.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// A key that has not been seen yet; another one is told of.
struct New<'a> {
    seen: &'a mut HashSet<String>,
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for New<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for New<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<(), E> {
        if self.seen.insert(key.to_string()) {
            return Ok(());
        }
        self.found.set(true);
        Err(E::custom("twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(steps: &[&str]) -> Vec<Step> {
        let step = |text: &&str| text.parse().map_or_else(|_| Step::Key(text.to_string()), Step::Index);
        steps.iter().map(step).collect()
    }

    #[test]
    fn yaml_and_json_and_toml_have_places() {
        let yaml =
            "# comment\nhttp:\n  endpoint: localhost\n  users:\n    - name: é\n    - {name: b, age: x}\nlast: {}\n";
        let toml =
            "# comment\n[http]\nendpoint = 'localhost'\nusers = [ { name = 'é' },\n { name = 'b', age = 'x' } ]\n";
        let json = "{\n  \"http\": {\n    \"endpoint\": 5, \"users\": [\n {\"age\": 1},\n {\"age\": 2}]\n  }\n}";
        for (format, text, steps, part, at) in [
            (Format::Yaml, yaml, &["http", "endpoint"] as &[_], Part::Value, Some((3, 13))),
            (Format::Yaml, yaml, &["http", "endpoint"], Part::Key, Some((3, 3))),
            (Format::Yaml, yaml, &["http", "users", "1", "age"], Part::Value, Some((6, 22))),
            (Format::Yaml, yaml, &["http", "users", "1", "age"], Part::Key, Some((6, 17))),
            (Format::Yaml, yaml, &["last"], Part::Key, Some((7, 1))),
            (Format::Yaml, yaml, &["last", "none"], Part::Key, None),
            (Format::Yaml, yaml, &["http", "users", "2"], Part::Value, None),
            (Format::Toml, toml, &["http", "endpoint"], Part::Value, Some((3, 12))),
            (Format::Toml, toml, &["http", "endpoint"], Part::Key, Some((3, 1))),
            (Format::Toml, toml, &["http", "users", "1", "age"], Part::Value, Some((5, 22))),
            (Format::Toml, toml, &["http", "users", "1", "age"], Part::Key, Some((5, 16))),
            (Format::Toml, toml, &["http", "none"], Part::Key, None),
            (Format::Yaml, json, &["http", "endpoint"], Part::Value, Some((3, 17))),
            (Format::Yaml, json, &["http", "users", "1", "age"], Part::Key, Some((5, 3))),
        ] {
            assert_eq!(locate(text, format, &way(steps), part), at, "{format:?} {steps:?} {part:?}");
        }
    }
}
