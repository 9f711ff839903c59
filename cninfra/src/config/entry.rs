//! [`Entry`]: what one source says of one section, as a provider of figment; [`Entries`]: what all say.

use super::{
    key,
    secrets::Secrets,
    source::{Source, Way},
    value,
};
use figment::{
    Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};
use std::sync::Arc;

/// What one source says of one section.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) section: String,
    pub(super) source: Arc<Source>,
    /// Where the section is in its source.
    pub(super) way: Way,
    /// With the keys as they are written.
    pub(super) value: Value,
}

/// All that is said of one section, and the files of secrets that it names.
#[derive(Clone, Default)]
pub(super) struct Entries<'a> {
    /// The highest first.
    pub(super) all: Vec<&'a Entry>,
    pub(super) secrets: Arc<Secrets>,
    /// A file that does not answer may say more.
    pub(super) partial: bool,
}

impl<'a> Entries<'a> {
    /// Only this, which names no files that have been read.
    pub(super) fn one(entry: &'a Entry) -> Self {
        Entries { all: vec![entry], ..Entries::default() }
    }
}

impl Entry {
    /// The same with another value.
    pub(super) fn with(&self, value: Value) -> Self {
        Entry { section: self.section.clone(), source: self.source.clone(), way: self.way.clone(), value }
    }

    /// Over what is there.
    pub(super) fn merge_into(&self, figment: Figment) -> Figment {
        match &*self.source {
            // its values have their tags already, and keep them: what belongs to them comes first
            Source::Figment(origin) => figment.merge(&**origin).merge(self),
            _ => figment.merge(self),
        }
    }

    /// Only these keys of it; `None` where none of them is there.
    pub(super) fn only(&self, wanted: &[&str]) -> Option<Self> {
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
