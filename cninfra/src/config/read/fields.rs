//! Feeds the keys of a mapping, merged from all layers, to serde, and reports those that are unknown or given twice.

use super::{name::Name, reader::Reader};
use crate::{
    config::{
        said::{
            agent_keys::AGENT_KEYS,
            meant::{HIDES, LATER, Meant, meant, suggestion},
        },
        types::secret::HIDDEN,
        written::{key, place::Part, way::Step},
        wrong::{
            failure::{Failed, Failure, What},
            mistake::Mistake,
            spot::Spot,
        },
    },
    order::sort_few,
};
use figment::value::Value;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use std::borrow::Cow;

/// A key and its value; for an item of a list the key is empty.
pub(super) struct EntryReader<'a, 'r> {
    pub(super) name: Cow<'a, str>,
    pub(super) reader: Reader<'a, 'r>,
}

/// Feeds entries or items to serde, one after the other.
pub(super) struct EntryAccess<'a, 'r> {
    rest: std::vec::IntoIter<EntryReader<'a, 'r>>,
    value: Option<Reader<'a, 'r>>,
    /// The key that was fed last.
    pub(super) last: Option<Spot>,
}

impl<'a, 'r> EntryAccess<'a, 'r> {
    pub(super) fn new(all: Vec<EntryReader<'a, 'r>>) -> Self {
        EntryAccess { rest: all.into_iter(), value: None, last: None }
    }

    /// The next one that serde has not asked for.
    pub(super) fn next(&mut self) -> Option<EntryReader<'a, 'r>> {
        self.rest.next()
    }

    fn read<'de, S: DeserializeSeed<'de>>(reader: Reader<'a, 'r>, seed: S) -> Result<S::Value, Failed> {
        let (reading, depth) = (reader.reading, enter(&reader));
        match seed.deserialize(reader) {
            Ok(value) => {
                reading.leave(depth);
                Ok(value)
            }
            Err(failure) => Err(reading.leave_failed(depth, failure)),
        }
    }
}

// Not generic, so that it is compiled once.
fn enter(reader: &Reader<'_, '_>) -> usize {
    let spot = reader.spot();
    if !reader.is_hidden {
        reader.reading.notes.borrow_mut().origins.insert(spot.path.clone(), spot.clone());
    }
    reader.reading.enter(spot)
}

impl<'de> MapAccess<'de> for &mut EntryAccess<'_, '_> {
    type Error = Failed;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failed> {
        let Some(EntryReader { name: key, reader }) = self.rest.next() else { return Ok(None) };
        let spot = reader.spot();
        self.last = Some(spot.clone());
        self.value = Some(reader);
        seed.deserialize(Name(&key)).map(Some).map_err(|failed| {
            let Failure { what, spot: inner } = *failed;
            // The text is a key, so it may be shown.
            let what = match what {
                What::NoVariant { found, .. } => What::Says(format!("the key takes {found}")),
                What::Takes(takes) => What::Says(format!("the key takes {}", takes.shown())),
                what => what,
            };
            Box::new(Failure { what, spot: inner }).at(|| spot)
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failed> {
        match self.value.take() {
            Some(reader) => EntryAccess::read(reader, seed),
            None => Err(serde::de::Error::custom("a value without a key")),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut EntryAccess<'_, '_> {
    type Error = Failed;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failed> {
        self.rest.next().map(|entry| EntryAccess::read(entry.reader, seed)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The entries for a mapping with any keys: as they are written.
pub(super) fn map_entries<'a, 'r>(reader: &Reader<'a, 'r>) -> Vec<EntryReader<'a, 'r>> {
    let entry = |(key, value): (String, Cow<'a, Value>)| EntryReader {
        reader: reader.child(key.clone(), Step::Key(key.clone()), value),
        name: Cow::Owned(key),
    };
    reader.entries().unwrap_or_default().into_iter().map(entry).collect()
}

/// The entries for a struct with these fields, those of the highest layer first. Other keys are reported as mistakes.
pub(super) fn struct_entries<'a, 'r>(
    reader: &Reader<'a, 'r>,
    fields: &'static [&'static str],
) -> Vec<EntryReader<'a, 'r>> {
    reader.reading.notes.borrow_mut().structs.insert(reader.path.clone());
    let mut keys: Vec<EntryReader<'a, 'r>> = Vec::new();
    let entries = reader.entries().unwrap_or_default().into_iter();
    let child = |(key, value): (String, Cow<'a, Value>)| {
        let child = reader.child(key::kebab(&key), Step::Key(key.clone()), value);
        let spot = child.spot();
        (key, child, spot)
    };
    let mut entries: Vec<_> = entries.map(child).collect();
    // If both an alias and the name of a field are given, only serde knows that they are the same: the higher layer's
    // comes first.
    sort_few(&mut entries, |(.., one), (.., other)| one.entry > other.entry);
    for (key, mut child, spot) in entries {
        let field = match meant(fields, &key) {
            Meant::Field(field) => field,
            Meant::FileOf(field) => {
                child.names_file = true;
                field
            }
            Meant::Later => {
                let what = "is a key of cn-infra that is not supported yet";
                let help = "remove it only if the agent can do without what it sets: nothing takes its place yet";
                report_key(reader, spot, what, Some(help.to_string()));
                continue;
            }
            Meant::Nothing if reader.path.is_empty() && agent_key_meant(&key).is_some() => {
                let mut notes = reader.reading.notes.borrow_mut();
                match agent_key_meant(&key).filter(|agent_key| **agent_key != key) {
                    // A second spelling in one layer is reported where the agent's keys are read.
                    Some(agent_key) => notes.overridden_agent_keys.push((agent_key.to_string(), spot)),
                    None => drop(notes.agent_keys.entry(key).or_insert(spot)),
                }
                continue;
            }
            // Beyond the most mistakes that are reported, no help is worked out: there may be thousands of unknown
            // keys.
            Meant::Nothing if !is_recording(reader) => continue,
            Meant::Nothing => {
                let written = reader.written(&spot).unwrap_or(key);
                let help = if reader.path.is_empty() && key::same(&written, reader.reading.section.name) {
                    format!(
                        "this already is the section `{written}`: remove this key, and move what is below it one level up"
                    )
                } else {
                    let agent_keys = if reader.path.is_empty() { reader.reading.section.agent_keys } else { &[] };
                    suggestion(&written, fields, agent_keys)
                };
                let mut notes = reader.reading.notes.borrow_mut();
                notes.meant.extend(key::nearest(&written, fields.iter().copied()).map(str::to_string));
                notes.unknown_key_help = Some(help.clone());
                drop(notes);
                report_key(reader, spot, "is unknown", Some(help));
                continue;
            }
        };
        if let Some(at) = child.path.last_mut().filter(|_| !reader.is_hidden) {
            *at = key::kebab(field);
        }
        match keys.iter().find(|entry| entry.name == field) {
            // The higher layer's key holds. But a secret and its file in layers of the same kind contradict each other.
            Some(other)
                if other.reader.spot().entry != spot.entry
                    && (other.reader.names_file == child.names_file
                        || !reader.reading.layers.are_one_kind(other.reader.spot().entry, spot.entry)) => {}
            Some(other) => report_duplicate(reader, other.reader.spot(), spot),
            None => keys.push(EntryReader { name: Cow::Borrowed(field), reader: child }),
        }
    }
    keys
}

/// The agent's key that this spelling means.
fn agent_key_meant(written: &str) -> Option<&'static &'static str> {
    AGENT_KEYS.iter().find(|agent_key| key::same(agent_key, written))
}

/// The fields, other than `missing`, for which no layer has a key. An alias counts as another field.
pub(super) fn fields_not_set(reader: &Reader<'_, '_>, fields: &'static [&'static str], missing: &str) -> Vec<String> {
    let set = |(key, _): (String, Cow<'_, Value>)| match meant(fields, &key) {
        Meant::Field(field) | Meant::FileOf(field) => Some(field),
        Meant::Later | Meant::Nothing => None,
    };
    let set: Vec<&str> = reader.entries().unwrap_or_default().into_iter().filter_map(set).chain([missing]).collect();
    let is_set = |field: &str| set.iter().any(|set| key::same(set, field));
    let keys = fields.iter().filter(|field| !field.starts_with(LATER) && !field.starts_with(HIDES) && !is_set(field));
    let mut keys: Vec<String> = keys.map(|field| key::kebab(field)).collect();
    // An alias may differ from the name only in its spelling.
    keys.dedup();
    keys
}

/// Reports the later one of two spellings of one key in the same layer.
fn report_duplicate(reader: &Reader<'_, '_>, one: Spot, other: Spot) {
    let layers = reader.reading.layers;
    if reader.reading.asked.is_some() {
        return;
    }
    let is_later = layers.place(&one, Part::Key) > layers.place(&other, Part::Key);
    let (first, second) = if is_later { (other, one) } else { (one, other) };
    let what = match reader.written(&first) {
        Some(first) => format!("is there twice, also as `{first}`"),
        None => "is there twice".to_string(),
    };
    report_key(reader, second, &what, None);
}

/// Reports that a list has more items than its type takes, at the first surplus item.
pub(super) fn report_surplus(list: &Reader<'_, '_>, first: Spot, len: usize, found: usize) {
    if !is_recording(list) {
        return;
    }
    let (layers, section) = (list.reading.layers, list.reading.section.name);
    let values = if len == 1 { "one value" } else { &format!("{len} values") };
    let what = format!("key `{section}.{}` takes {values}, not {found}", list.path.join("."));
    let mistake = Mistake::new(layers.place(&first, Part::Value), what).in_section(section);
    let mistake = mistake.help("take out what is too much, from here on");
    list.reading.notes.borrow_mut().mistakes.push((first, mistake));
}

/// Are further mistakes still recorded? One more than are shown, since that means that there are more.
fn is_recording(reader: &Reader<'_, '_>) -> bool {
    let reading = reader.reading;
    reading.asked.is_none() && reading.notes.borrow().mistakes.len() <= reading.layers.most_mistakes()
}

/// Reports a mistake about the key itself, which is shown as it is written.
fn report_key(reader: &Reader<'_, '_>, mut spot: Spot, what: &str, help: Option<String>) {
    let (layers, section) = (reader.reading.layers, reader.reading.section.name);
    if !is_recording(reader) {
        return;
    }
    if reader.is_hidden {
        let what = format!("key `{section}.{}`: a key in it {what} {HIDDEN}", spot.path.join("."));
        let mistake = Mistake::new(layers.place(&spot, Part::Key), what).in_section(section).help_if(help);
        reader.reading.notes.borrow_mut().mistakes.push((spot, mistake));
        return;
    }
    if let Some(written) = layers.written(&spot)
        && let Some(last) = spot.path.last_mut()
    {
        *last = written;
    }
    let what = format!("key `{section}.{}` {what}", spot.path.join("."));
    let mistake = Mistake::new(layers.place(&spot, Part::Key), what).in_section(section).help_if(help);
    reader.reading.notes.borrow_mut().mistakes.push((spot, mistake));
}
