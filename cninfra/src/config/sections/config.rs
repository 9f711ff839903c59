//! [`Config`]: what all sources say about all sections.

use super::{
    files::{Files, Incomplete, Stamp},
    followers::Followers,
};
use crate::{
    Result,
    config::{
        find::extract::{Depth, default_of, extract, extract_of},
        read::named::Named,
        said::{
            entry::{Entries, Entry, entry_for_key},
            file::ReadResult,
            kept::KeptLayers,
            secrets::{self, Secrets},
            source::{NOWHERE, Source, origin},
        },
        written::{
            key,
            place::{Part, Place},
            value,
            way::Step,
        },
        wrong::mistake::Mistake,
    },
};
use figment::{Figment, value::Value};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::TypeId,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The config of an agent: sections by name.
///
/// ```
/// use cninfra::config::Config;
///
/// let config = Config::new().set("http", "endpoint", "127.0.0.1:0");
/// # let _ = config;
/// ```
#[derive(Clone, Default)]
pub struct Config {
    /// What the program sets. Each of these lists begins with the lowest layer.
    pub(super) program: Vec<Entry>,
    pub(super) files: Vec<Entry>,
    /// What variables say, then what flags say.
    pub(in crate::config) process: Vec<Entry>,
    /// Mistakes that were found before any section was read.
    pub(super) mistakes: Vec<Mistake>,
    /// The files that were read, with their contents or errors.
    pub(super) texts: Vec<(PathBuf, ReadResult)>,
    /// When the files were last modified.
    pub(super) stamps: Vec<Stamp>,
    /// The files of secrets that any layer names.
    pub(super) secrets: Arc<Secrets>,
    /// The sections that have files which do not answer.
    pub(super) unanswered: Incomplete,
    /// The sections that have files which cannot be read or parsed; that is reported.
    pub(super) unread: Incomplete,
    /// Where the files are, if there are any.
    pub(super) origin: Option<Files>,
    pub(in crate::config) followers: Arc<Followers<Config>>,
    /// The layers of checked sections, until their plugins read them.
    pub(super) kept: Arc<KeptLayers>,
}

impl Config {
    /// A config without any layer: every section has its defaults.
    #[must_use]
    pub fn new() -> Self {
        Config::default()
    }

    /// The files that it was read from.
    pub(crate) fn files_read(&self) -> impl Iterator<Item = &Path> {
        self.texts.iter().map(|(path, _)| path.as_path())
    }

    /// Sets a key of a section, overriding what was set before. The parts of a nested key are separated by dots. The
    /// key `enabled` switches an optional plugin on or off.
    ///
    /// A value has its own type: a number for a key with numbers, a text for a key with texts. A text for a key of
    /// another type is parsed like that of a flag or a variable: `"8080"` for a number, `"true"`, `"[a, b]"` for a
    /// list.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: impl Serialize) -> Self {
        let wrong = |error: &dyn std::fmt::Display| {
            let place = Source::Program.place(&[], Part::Value);
            Mistake::new(place, format!("key `{section}.{key}`: {error}")).in_section(section)
        };
        let value = yaml_serde::to_value(value).map_err(|error| wrong(&error));
        match value.and_then(|value| entry_for_key(section, key, value::from_yaml(value), Source::Program)) {
            Ok(entry) => self.program.push(entry),
            Err(mistake) => self.mistakes.push(mistake),
        }
        self
    }

    /// Makes a config from a figment. Its values have the precedence of [`Config::set`]: later calls of that override
    /// them, and files, variables and flags override all. Each section is a key of the figment that contains the keys
    /// of the section, in any spelling. Origins, and lines in files, are those that figment knows.
    ///
    /// (`figment` 0.10 is a dependency that you add yourself. It is not re-exported, because rustc would then write
    /// `std::string::String` in all errors, since figment has a `String` too.)
    ///
    /// ```
    /// use cninfra::config::Config;
    /// use figment::{Figment, Metadata, Profile, Provider, value::{Dict, Map, Value}};
    ///
    /// /// Says what a store of the company's says.
    /// struct Store;
    ///
    /// impl Provider for Store {
    ///     fn metadata(&self) -> Metadata {
    ///         Metadata::named("the store")
    ///     }
    ///
    ///     fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
    ///         let http = Dict::from([("endpoint".to_string(), Value::from("127.0.0.1:0"))]);
    ///         Ok(Map::from([(Profile::Default, Dict::from([("http".to_string(), http.into())]))]))
    ///     }
    /// }
    ///
    /// let config = Config::from_figment(Figment::from(Store)).set("http", "port", 8080);
    /// let figment = config.figment();
    /// assert_eq!(figment.find_metadata("http.endpoint").map(|metadata| &*metadata.name), Some("the store"));
    /// assert_eq!(figment.extract_inner::<u16>("http.port")?, 8080);
    /// # Ok::<(), figment::Error>(())
    /// ```
    #[must_use]
    pub fn from_figment(figment: Figment) -> Self {
        let mut config = Config::new();
        let source = Arc::new(Source::Figment(Box::new(figment.focus(NOWHERE))));
        match figment.find_value("") {
            Ok(value) => {
                let entry = |(section, value): (String, Value)| {
                    let way = vec![Step::Key(section.clone())];
                    Entry { section, source: source.clone(), way, value }
                };
                config.program.extend(value.into_dict().unwrap_or_default().into_iter().map(entry));
            }
            Err(errors) => {
                let mistake = |error: figment::Error| {
                    let source = error.metadata.as_ref().map_or_else(|| source.to_string(), origin);
                    let key =
                        if error.path.is_empty() { String::new() } else { format!("key `{}`: ", error.path.join(".")) };
                    Mistake::new(Place { source, at: None }, format!("{key}{}", error.kind))
                };
                config.mistakes.extend(errors.into_iter().map(mistake));
            }
        }
        config
    }

    /// What the program has set, as a figment: with origins, and to add providers to. The keys are as they were
    /// written. What an agent makes of them together with its files is
    /// [`Builder::figment`](crate::agent::Builder::figment).
    #[must_use]
    pub fn figment(&self) -> Figment {
        self.program.iter().fold(Figment::new(), |figment, entry| entry.merge_into(figment))
    }

    /// Sets a key to what an environment variable says.
    pub(crate) fn set_variable(&mut self, section: &str, key: &str, text: &str, variable: &str) {
        let source = Source::Variable(variable.to_string());
        self.add(entry_for_key(section, key, value::text(text), source));
    }

    /// Sets a key to what a flag says.
    pub(crate) fn set_flag(&mut self, section: &str, key: &str, text: &str, flag: &str) {
        let source = Source::Flag(flag.to_string());
        self.add(entry_for_key(section, key, value::text(text), source));
    }

    fn add(&mut self, entry: Result<Entry, Mistake>) {
        match entry {
            Ok(entry) => self.process.push(entry),
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    /// The config for one agent, without the followers of another one.
    pub(crate) fn without_followers(self) -> Self {
        Config { followers: Arc::default(), ..self }
    }

    /// The same config; the files of its secrets will be read again.
    pub(crate) fn with_secrets_unread(self) -> Self {
        Config { secrets: Arc::default(), ..self }
    }

    /// Does what the program, variables and flags say name files of secrets?
    pub(crate) fn may_name_files(&self) -> bool {
        self.program.iter().chain(&self.process).any(|entry| secrets::may_name_files(&entry.value))
    }

    /// Does no layer say anything, so that every section has its defaults?
    pub(crate) fn is_empty(&self) -> bool {
        self.program.is_empty() && self.files.is_empty() && self.process.is_empty() && self.mistakes.is_empty()
    }

    /// Does it come from files, which may change?
    pub(crate) fn has_files(&self) -> bool {
        self.origin.is_some()
    }

    /// The agent stops, so the config does not change any more.
    pub(crate) fn end_following(&self) {
        self.followers.end();
    }

    /// All entries of a section, the highest layer first.
    pub(in crate::config) fn entries(&self, section: &str) -> Entries<'_> {
        let all = self.program.iter().chain(&self.files).chain(&self.process).rev();
        let all = all.filter(|entry| key::same(&entry.section, section)).collect();
        Entries { all, secrets: self.secrets.clone(), is_partial: false }
    }

    /// Merges what this program sets over what `under` sets.
    pub(crate) fn with_program_under(mut self, mut under: Config) -> Self {
        under.program.append(&mut self.program);
        Config { program: under.program, ..self }
    }

    /// Is there a file with this section? The section may be empty there.
    pub(crate) fn has_file_of(&self, section: &str) -> bool {
        self.files.iter().any(|entry| key::same(&entry.section, section))
    }

    /// Does any layer set this key?
    pub(crate) fn is_set(&self, section: &str, key: &str) -> bool {
        let says =
            |entry: &Entry| entry.value.as_dict().is_some_and(|keys| keys.keys().any(|said| key::same(said, key)));
        self.entries(section).all.into_iter().any(says)
    }

    /// The section without its wrong values; `None` if it cannot be read.
    pub(crate) fn section_without_wrong_values<C: DeserializeOwned + Default>(&self, name: &str) -> Option<C> {
        let (name, entries) = (Named::plain(name), self.entries(name));
        if entries.all.is_empty() { default_of(name).ok() } else { extract(name, &entries, Depth::Top).0 }
    }

    /// Reads a plugin's section.
    pub(crate) fn section<C: DeserializeOwned + Default>(&self, name: &str) -> Result<C> {
        let (name, entries) = (Named::plain(name), self.entries(name));
        // A shortcut: the agent reads its own sections repeatedly while it starts.
        if entries.all.is_empty() {
            return Ok(default_of(name)?);
        }
        let (value, outcome) = extract(name, &entries, Depth::Top);
        Ok(outcome.sound(value)?.0)
    }

    /// Like [`section`](Self::section), but uses the layers that were kept if the section was checked as this type.
    pub(in crate::config) fn section_from_kept<C: DeserializeOwned + Default + 'static>(
        &self,
        name: &str,
    ) -> Result<C> {
        let entries = self.entries(name);
        let Some(kept) = self.kept.take(name, TypeId::of::<C>(), &entries) else { return self.section(name) };
        let (value, outcome) = extract_of(Named::plain(name), (&entries, Some(kept)), Depth::Top);
        Ok(outcome.sound(value)?.0)
    }
}

impl std::fmt::Debug for Config {
    /// Shows the sections and their sources, without values, since these may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.program.iter().chain(&self.files).chain(&self.process);
        f.debug_list().entries(all.map(|entry| format!("{} ({})", entry.section, entry.source))).finish()
    }
}
