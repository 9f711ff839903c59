//! The keys of a mapping, of all layers, as serde takes them.

use super::{
    failure::{Failure, Spot},
    found::Found,
    key,
    mistake::Mistake,
    reader::{Reader, name},
    source::Part,
};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use std::borrow::Cow;

/// The prefix of the names that refuse keys. See [`Later`](super::Later).
pub(super) const LATER: &str = "later:";
/// `password-file` holds the path of the file that holds `password`.
const FILE: &str = "file";

/// One key and its value.
pub(super) struct Fed<'a, 'r> {
    pub(super) name: Cow<'a, str>,
    pub(super) reader: Reader<'a, 'r>,
}

/// Keys and values, one after the other.
pub(super) struct Feed<'a, 'r> {
    rest: std::vec::IntoIter<Fed<'a, 'r>>,
    value: Option<Reader<'a, 'r>>,
    /// What was fed last.
    pub(super) last: Option<Spot>,
}

impl<'a, 'r> Feed<'a, 'r> {
    pub(super) fn new(all: Vec<Fed<'a, 'r>>) -> Self {
        Feed { rest: all.into_iter(), value: None, last: None }
    }

    fn read<'de, S: DeserializeSeed<'de>>(reader: Reader<'a, 'r>, seed: S) -> Result<S::Value, Failure> {
        let spot = reader.spot();
        reader.reading.notes.borrow_mut().origins.insert(spot.path.clone(), spot.clone());
        seed.deserialize(reader).map_err(|failure| failure.at(|| spot))
    }
}

impl<'de> MapAccess<'de> for &mut Feed<'_, '_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        let Some(Fed { name: key, reader }) = self.rest.next() else { return Ok(None) };
        self.last = Some(reader.spot());
        let spot = reader.spot();
        self.value = Some(reader);
        seed.deserialize(name(&key)).map(Some).map_err(|failure| failure.at(|| spot))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        match self.value.take() {
            Some(reader) => Feed::read(reader, seed),
            None => Err(serde::de::Error::custom("a value without a key")),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Feed<'_, '_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        self.rest.next().map(|fed| Feed::read(fed.reader, seed)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The keys of a mapping that may have any: as they are written.
pub(super) fn feed_map<'a, 'r>(reader: &Reader<'a, 'r>) -> Vec<Fed<'a, 'r>> {
    let mut keys: Vec<(String, Vec<Found<'a>>)> = Vec::new();
    for (written, found) in entries(reader) {
        match keys.iter_mut().find(|(key, _)| *key == written) {
            Some((_, layers)) => layers.push(found),
            None => keys.push((written, vec![found])),
        }
    }
    keys.into_iter().filter_map(|(key, found)| fed(reader, Cow::Owned(key.clone()), key, found)).collect()
}

/// The keys of a type with these fields, however they are spelled; others are mistakes.
pub(super) fn feed_struct<'a, 'r>(reader: &Reader<'a, 'r>, fields: &'static [&'static str]) -> Vec<Fed<'a, 'r>> {
    reader.reading.notes.borrow_mut().structs.insert(reader.path.clone());
    let mut keys: Vec<(&'static str, Vec<Found<'a>>)> = Vec::new();
    for (written, mut found) in entries(reader) {
        let field = match meant(fields, &written) {
            Meant::Field(field) => field,
            Meant::FileOf(field) => {
                found.names_file = true;
                field
            }
            Meant::Later => {
                let what = "is known from the predecessor, but it is not served yet";
                mistake(reader, &found, &written, |_| what.to_string(), Some("take it out".to_string()));
                continue;
            }
            Meant::Nothing if reader.path.is_empty() && key::same(&written, "enabled") => {
                let spot = spot(reader, &found, &written);
                reader.reading.notes.borrow_mut().enabled.get_or_insert(spot);
                continue;
            }
            Meant::Nothing => {
                let help = if reader.path.is_empty() && key::same(&written, reader.reading.section) {
                    format!(
                        "the file holds the section itself: what is in `{written}` goes one step to the left, without it"
                    )
                } else {
                    suggestion(&written, fields)
                };
                mistake(reader, &found, &written, |_| "is unknown".to_string(), Some(help));
                continue;
            }
        };
        match keys.iter_mut().find(|(key, _)| *key == field) {
            Some((_, layers)) => match layers.iter().find(|other| other.number == found.number) {
                Some(other) => {
                    let twice = format!("is there twice, as `{}` too", shown_key(other));
                    mistake(reader, &found, &written, |_| twice, None);
                }
                None => layers.push(found),
            },
            None => keys.push((field, vec![found])),
        }
    }
    keys.into_iter().filter_map(|(field, found)| fed(reader, Cow::Borrowed(field), key::kebab(field), found)).collect()
}

fn fed<'a, 'r>(
    reader: &Reader<'a, 'r>,
    name: Cow<'a, str>,
    shown: String,
    found: Vec<Found<'a>>,
) -> Option<Fed<'a, 'r>> {
    let mut path = reader.path.clone();
    path.push(shown);
    Some(Fed { name, reader: Reader::new(reader.reading, path, found)? })
}

/// What is in the mappings of all layers, the highest layer first; no deeper than one that is no mapping.
fn entries<'a>(reader: &Reader<'a, '_>) -> Vec<(String, Found<'a>)> {
    let mappings = reader.layers().map_while(Found::entries).flatten();
    mappings.filter(|(_, found)| !reader.reading.dropped.contains(&(found.number, found.way.clone()))).collect()
}

enum Meant {
    Field(&'static str),
    FileOf(&'static str),
    Later,
    Nothing,
}

fn meant(fields: &'static [&'static str], written: &str) -> Meant {
    let named = |written: &str| {
        let same = |field: &&&'static str| key::same(field, written);
        // an alias may differ from the name in its spelling only: the name is in lower case
        let matching = fields.iter().filter(same);
        matching.min_by_key(|field| field.chars().filter(|c| c.is_uppercase()).count()).copied()
    };
    if let Some(field) = named(written) {
        return Meant::Field(field);
    }
    if fields.iter().any(|field| field.strip_prefix(LATER).is_some_and(|key| key::same(key, written))) {
        return Meant::Later;
    }
    let plain = key::plain(written);
    match plain.strip_suffix(FILE).and_then(named) {
        Some(field) => Meant::FileOf(field),
        None => Meant::Nothing,
    }
}

/// "did you mean", and what there is.
pub(super) fn suggestion(written: &str, fields: &[&str]) -> String {
    let mut known: Vec<String> = Vec::new();
    for field in fields.iter().filter(|field| !field.starts_with(LATER)) {
        let field = key::kebab(field);
        if !known.contains(&field) {
            known.push(field);
        }
    }
    if known.is_empty() {
        return "there are no keys here: take it out".to_string();
    }
    let list = known.join(", ");
    match key::nearest(written, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`? known keys: {list}"),
        None => format!("known keys: {list}"),
    }
}

fn spot(reader: &Reader<'_, '_>, found: &Found<'_>, written: &str) -> Spot {
    let mut path = reader.path.clone();
    path.push(written.to_string());
    Spot { path, entry: found.number, way: found.way.clone() }
}

fn shown_key(found: &Found<'_>) -> String {
    match found.way.last() {
        Some(super::source::Step::Key(key)) => key.clone(),
        _ => String::new(),
    }
}

fn mistake(
    reader: &Reader<'_, '_>,
    found: &Found<'_>,
    written: &str,
    what: impl FnOnce(&str) -> String,
    help: Option<String>,
) {
    let spot = spot(reader, found, written);
    let way: Vec<_> = found.entry.way.iter().chain(&found.way).cloned().collect();
    let place = found.entry.source.place(&way, Part::Key);
    let path = format!("{}.{}", reader.reading.section, spot.path.join("."));
    let what = format!("key `{path}` {}", what(&path));
    let mistake = Mistake::new(place, what).of(reader.reading.section).help_if(help);
    reader.reading.notes.borrow_mut().mistakes.push((spot, mistake));
}
