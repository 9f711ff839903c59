//! [`Entry`]: what one source says about one section, as a provider for figment. [`Entries`]: what all sources say.

use super::{secrets::Secrets, source::Source};
use crate::config::{
    written::{key, place::Part, value, way::Way},
    wrong::mistake::Mistake,
};
use figment::{
    Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};
use std::sync::Arc;

/// What one source says about one section.
#[derive(Clone)]
pub(in crate::config) struct Entry {
    pub(in crate::config) section: String,
    pub(in crate::config) source: Arc<Source>,
    /// The way to the section in its source.
    pub(in crate::config) way: Way,
    /// The keys are as they are written.
    pub(in crate::config) value: Value,
}

/// Everything that is said about one section, and the files of secrets that it names.
#[derive(Clone, Default)]
pub(in crate::config) struct Entries<'a> {
    /// All entries, the highest layer first.
    pub(in crate::config) all: Vec<&'a Entry>,
    pub(in crate::config) secrets: Arc<Secrets>,
    /// A file that does not answer may say more about the section.
    pub(in crate::config) is_partial: bool,
}

impl<'a> Entries<'a> {
    /// Only this entry; no file of a secret has been read.
    pub(in crate::config) fn one(entry: &'a Entry) -> Self {
        Entries { all: vec![entry], ..Entries::default() }
    }
}

impl Entry {
    /// What the defaults of a type say, for trial readings too.
    pub(in crate::config) fn of_default(section: &str, value: Value) -> Self {
        Entry { section: section.to_string(), source: Source::Default.into(), way: Way::new(), value }
    }

    /// The same entry with another value.
    pub(super) fn with(&self, value: Value) -> Self {
        Entry { section: self.section.clone(), source: self.source.clone(), way: self.way.clone(), value }
    }

    /// Merges the entry over what figment already has.
    pub(in crate::config) fn merge_into(&self, figment: Figment) -> Figment {
        match &*self.source {
            // These values keep the tags that they have, so the figment that knows these tags is merged first.
            Source::Figment(origin) => figment.merge(&**origin).merge(self),
            _ => figment.merge(self),
        }
    }

    /// The entry with only these keys; `None` if it has none of them.
    pub(in crate::config) fn only(&self, wanted: &[&str]) -> Option<Self> {
        let Value::Dict(tag, dict) = &self.value else { return None };
        let entries = dict.iter().filter(|(key, _)| wanted.iter().any(|wanted| key::same(key, wanted)));
        let dict = value::dict(entries.map(|(key, value)| (key.clone(), value.clone())));
        (!dict.is_empty()).then(|| self.with(Value::Dict(*tag, dict)))
    }
}

impl Provider for Entry {
    fn metadata(&self) -> Metadata {
        self.source.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let section = value::dict([(self.section.clone(), self.value.clone())]);
        Ok(Map::from([(Profile::Default, section)]))
    }
}

/// The most parts of a key. No section is nested that deep.
const DEEPEST: usize = 64;

/// Makes an entry of a value and its key, which may have several parts (`a.b`).
pub(in crate::config) fn entry_for_key(
    section: &str,
    key: &str,
    value: Value,
    source: Source,
) -> Result<Entry, Mistake> {
    let parts = key.split('.').count();
    if parts > DEEPEST {
        let what = format!("key `{section}.{key}` has {parts} parts, more than any");
        return Err(Mistake::new(source.place(&[], Part::Key), what).in_section(section).help("remove it"));
    }
    let nest = |value, key: &str| Value::from(value::dict([(key.to_string(), value)]));
    let value = key.rsplit('.').fold(value, nest);
    Ok(Entry { section: section.to_string(), source: Arc::new(source), way: Way::new(), value })
}
