//! Finds the line and column of a value by parsing its file again. That is slow, so it is done for messages only.

use super::{format::Format, malformed::line_and_column, place::Part, value::key_text, way::Step};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess as _, Visitor,
};
use std::{cell::Cell, fmt};

/// The position, counted from 1, of the value at the end of this way, or of its key.
pub(in crate::config) fn locate(text: &str, format: Format, way: &[Step], part: Part) -> Option<(usize, usize)> {
    // What the mapping itself says overrides what YAML merges into it (`<<`), so that is searched first.
    let merges = [false, true].into_iter().filter(|merged| !merged || (format == Format::Yaml && text.contains("<<")));
    let mut places = merges.map(|merged| seek(text, format, way, part, merged));
    places.find_map(|place| place)
}

fn seek(text: &str, format: Format, way: &[Step], part: Part, merged: bool) -> Option<(usize, usize)> {
    let found = Cell::new(false);
    let seek = Seek { way, part, merged, found: &found };
    // The visitor returns an error at the value that is sought, since the parsers' errors have positions.
    let at = match format {
        Format::Yaml | Format::Json => {
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
    /// Search also in mappings that are merged in with `<<`.
    merged: bool,
    found: &'a Cell<bool>,
}

impl Seek<'_> {
    fn stop_here<E: de::Error>(self) -> E {
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
        Err(self.stop_here())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.stop_here())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.stop_here())
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<(), E> {
        Err(self.stop_here())
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<(), E> {
        Err(self.stop_here())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.stop_here())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.stop_here())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Err(self.stop_here())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Index(index), rest)) = self.way.split_first() else { return Err(self.stop_here()) };
        for _ in 0..*index {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        items.next_element_seed(Seek { way: rest, ..self }).map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(key), rest)) = self.way.split_first() else { return Err(self.stop_here()) };
        let is_last = rest.is_empty() && self.part == Part::Key;
        loop {
            match entries.next_key_seed(CompareKey { key, seek: is_last.then_some(self) })? {
                None => return Ok(()),
                Some(KeyKind::Sought) => return entries.next_value_seed(Seek { way: rest, ..self }),
                Some(KeyKind::Merge) if self.merged => entries.next_value_seed(Merged(self))?,
                Some(_) => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
    }

    // A YAML tag is read as the key of the value that follows it.
    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<(), A::Error> {
        let Some((Step::Key(key), rest)) = self.way.split_first() else { return Err(self.stop_here()) };
        let (tag, content) = choice.variant::<String>()?;
        if tag != *key || rest.is_empty() && self.part == Part::Key {
            return Err(self.stop_here());
        }
        content.newtype_variant_seed(Seek { way: rest, ..self })
    }
}

/// Searches what is merged into a mapping: a mapping, or a list of mappings.
struct Merged<'a>(Seek<'a>);

impl<'de> DeserializeSeed<'de> for Merged<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Merged<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, or a list of mappings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Merged(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        self.0.visit_map(entries)
    }
}

/// What a key turned out to be.
enum KeyKind {
    Sought,
    Merge,
    Other,
}

/// Compares a key with the one that is sought. With `seek`, the key itself is sought, and its position is reported.
struct CompareKey<'a> {
    key: &'a str,
    seek: Option<Seek<'a>>,
}

impl CompareKey<'_> {
    fn classify<E: de::Error>(self, key: &str) -> Result<KeyKind, E> {
        match self.seek {
            Some(seek) if key == self.key => Err(seek.stop_here()),
            _ if key == self.key => Ok(KeyKind::Sought),
            _ if key == "<<" => Ok(KeyKind::Merge),
            _ => Ok(KeyKind::Other),
        }
    }

    /// The same for a key that is not a text, by the text that it is converted to.
    fn classify_value<E: de::Error>(self, key: impl Into<yaml_serde::Value>) -> Result<KeyKind, E> {
        self.classify(&key_text(&key.into()))
    }
}

impl<'de> DeserializeSeed<'de> for CompareKey<'_> {
    type Value = KeyKind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<KeyKind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CompareKey<'_> {
    type Value = KeyKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<KeyKind, E> {
        self.classify(key)
    }

    fn visit_bool<E: de::Error>(self, key: bool) -> Result<KeyKind, E> {
        self.classify_value(key)
    }

    fn visit_i64<E: de::Error>(self, key: i64) -> Result<KeyKind, E> {
        self.classify_value(key)
    }

    fn visit_u64<E: de::Error>(self, key: u64) -> Result<KeyKind, E> {
        self.classify_value(key)
    }

    fn visit_i128<E: de::Error>(self, key: i128) -> Result<KeyKind, E> {
        self.classify_value(key as f64)
    }

    fn visit_u128<E: de::Error>(self, key: u128) -> Result<KeyKind, E> {
        self.classify_value(key as f64)
    }

    fn visit_f64<E: de::Error>(self, key: f64) -> Result<KeyKind, E> {
        self.classify_value(key)
    }

    fn visit_unit<E: de::Error>(self) -> Result<KeyKind, E> {
        self.classify_value(yaml_serde::Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<KeyKind, A::Error> {
        let kind = self.classify_value(yaml_serde::Value::Sequence(Vec::new()))?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(kind)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<KeyKind, A::Error> {
        let kind = self.classify_value(yaml_serde::Value::Mapping(yaml_serde::Mapping::new()))?;
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(kind)
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
    fn odd_keys_and_merged_ones_have_places() {
        let text = "a: 1\n1.5: b\nnull: c\n? [d]\n: e\n? {f: 1}\n: g\n.inf: h\n";
        for (key, at) in [("1.5", (2, 1)), ("null", (3, 1)), ("[..]", (4, 3)), ("{..}", (6, 3)), (".inf", (8, 1))] {
            assert_eq!(locate(text, Format::Yaml, &[Step::Key(key.to_string())], Part::Key), Some(at), "{key}");
        }
        let text = "base: &base\n  in: {x: 1}\nuser:\n  <<: [{a: 1,\n    b: 2}, *base]\n  a: 3\nlone:\n  <<: {c: {<<: {d: 1,\n  e: 2}}}\n";
        for (steps, part, at) in [
            (&["user", "a"] as &[_], Part::Key, Some((6, 3))),
            (&["user", "b"], Part::Key, Some((5, 5))),
            (&["user", "b"], Part::Value, Some((5, 8))),
            (&["user", "in", "x"], Part::Value, Some((2, 11))),
            (&["lone", "c", "e"], Part::Key, Some((9, 3))),
            (&["lone", "none"], Part::Key, None),
        ] {
            assert_eq!(locate(text, Format::Yaml, &way(steps), part), at, "{steps:?} {part:?}");
        }
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
