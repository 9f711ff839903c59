//! Config: a section for each plugin, of layers over its defaults.
//!
//! Every plugin's section is a type of its own (a [`Section`]), named by the plugin's instance name. What goes into it, each layer
//! over the one before, for every key alike:
//!
//! 1. the type's `Default`, and what the program sets ([`Config::set`]);
//! 2. files: `<name>.conf` of the config directory (YAML; `<name>.yaml`, `.yml`, `.json` and `.toml` as well), or the section `<name>` of
//!    `agent.yaml`; the same key in two files is an error;
//! 3. variables of the environment: those that the plugin declares ([`Flag`](crate::Flag)), then `CNINFRA__<NAME>__<KEY>`;
//! 4. the command line: the flags that the plugin declares, then `--set <name>.<key>=<value>`.
//!
//! Files are looked for in the config directory only. (The predecessor looked in the working directory first, even where another one was
//! given.) A file that is named by itself, with `--<name>-config`, is looked for as it is written, then in the config directory; one that is not there
//! gives a warning, and an empty name says that there is none.
//!
//! All sections are read before anything is created. Reading is strict: an unknown key, a value of the wrong type, a duration without a unit
//! are mistakes, told with file, line, key and the mend, all of them in one run. Keys are compared without case, `-` and `_`.
//!
//! The agent has a section of its own, `agent`:
//!
//! | key | default | |
//! | --- | --- | --- |
//! | `microservice-label` | `vpp1` | the name of the agent among its peers; `--microservice-label`, `MICROSERVICE_LABEL` |
//! | `start-timeout`, `stop-timeout` | `15s`, `5s` | for the whole start, and the whole stop: see [`Limits`](crate::agent::Limits) |
//! | `plugin-start-timeout`, `plugin-stop-timeout` | the whole | for one plugin in one phase |
//! | `config-poll-interval` | `2s` | how often the files are looked at, where a section is [`Live`]; `0` is never |
//!
//! Types for keys: [`Duration`], [`ByteSize`], [`Secret`], and [`Live`] for a section that follows its file while the agent runs.

mod byte_size;
mod duration;
mod extract;
mod failure;
mod fields;
mod format;
mod found;
mod key;
mod known;
mod later;
mod live;
mod load;
mod locate;
mod mistake;
mod print;
mod reader;
mod reload;
mod secret;
mod section;
mod source;
mod variant;

pub use byte_size::{ByteSize, ByteSizeError};
pub use duration::{Duration, DurationError};
pub(crate) use known::{Known, KnownSection};
pub use later::Later;
pub use live::{Changes, Live};
pub(crate) use load::Files;
pub(crate) use mistake::Mistake;
pub(crate) use reload::{Reload, Reloader};
pub use secret::Secret;
pub use section::{ConfigMeta, Section};

use crate::{Error, Result};
use found::Entry;
use serde::{Serialize, de::DeserializeOwned};
use source::{Part, Place, Source, Step, Way};
use std::sync::Arc;
use yaml_serde::Value;

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
    /// What the program sets, the lowest first; so in each.
    program: Vec<Entry>,
    files: Vec<Entry>,
    /// Variables, then flags.
    process: Vec<Entry>,
    /// What was wrong before any section was read.
    mistakes: Vec<Mistake>,
    /// When the files were written.
    stamps: Vec<load::Stamp>,
    /// Where the files are from.
    origin: Option<Files>,
    followers: Arc<live::Followers>,
}

impl Config {
    /// No layer: every section is at its defaults.
    #[must_use]
    pub fn new() -> Self {
        Config::default()
    }

    /// Sets a key of a section, over what was set so far. Parts of the key are parted by dots; the key `enabled` switches
    /// an optional plugin on or off.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: impl Serialize) -> Self {
        match yaml_serde::to_value(value) {
            Ok(value) => self.program.push(entry(section, key, value, Source::Program)),
            Err(error) => {
                let place = Source::Program.place(&[], Part::Value);
                self.mistakes.push(Mistake::new(place, format!("key `{section}.{key}`: {error}")).of(section));
            }
        }
        self
    }

    /// What a variable of the environment says.
    pub(crate) fn set_variable(&mut self, section: &str, key: &str, text: &str, variable: &str) {
        let source = Source::Variable(variable.to_string());
        self.process.push(entry(section, key, Value::String(text.to_string()), source));
    }

    /// What a flag says.
    pub(crate) fn set_flag(&mut self, section: &str, key: &str, text: &str, flag: &str) {
        let source = Source::Flag(flag.to_string());
        self.process.push(entry(section, key, Value::String(text.to_string()), source));
    }

    /// The config of one agent: nobody follows it yet.
    pub(crate) fn followed_by_nobody(self) -> Self {
        Config { followers: Arc::default(), ..self }
    }

    /// Is every section at its defaults?
    pub(crate) fn is_empty(&self) -> bool {
        self.program.is_empty() && self.files.is_empty() && self.process.is_empty() && self.mistakes.is_empty()
    }

    /// Does it come from files, which may change?
    pub(crate) fn has_files(&self) -> bool {
        self.origin.is_some()
    }

    /// Gives every entry the canonical name of its section.
    pub(crate) fn name_sections(&mut self, known: &Known) {
        for entry in self.program.iter_mut().chain(&mut self.process) {
            if let Some(section) = known.find(&entry.section) {
                entry.section = section.name.to_string();
            }
        }
    }

    /// Its agent stops: it does not change any more.
    pub(crate) fn end_following(&self) {
        self.followers.end();
    }

    /// All entries of a section, the highest first.
    fn entries(&self, section: &str) -> Vec<&Entry> {
        let all = self.program.iter().chain(&self.files).chain(&self.process).rev();
        all.filter(|entry| key::same(&entry.section, section)).collect()
    }

    /// Over another one.
    pub(crate) fn over(mut self, mut under: Config) -> Self {
        under.program.append(&mut self.program);
        Config { program: under.program, ..self }
    }

    /// May this optional plugin start?
    pub(crate) fn is_enabled(&self, section: &str) -> bool {
        let said = self.entries(section).into_iter().find_map(enabled);
        said.and_then(|(_, value)| switch(value)).unwrap_or(true)
    }

    /// Everything that is wrong: nothing is to be created then.
    pub(crate) fn check(&self, known: &Known) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.clone();
        mistakes.extend(self.unknown_sections(known));
        mistakes.extend(load::twice(&self.files));
        for section in known.iter() {
            mistakes.extend(self.check_section(section));
        }
        mistakes
    }

    /// Files are told of when they are read.
    fn unknown_sections(&self, known: &Known) -> Vec<Mistake> {
        let unknown = self.program.iter().chain(&self.process).filter(|entry| known.find(&entry.section).is_none());
        let mistake = |entry: &Entry| {
            let place = entry.source.place(&[], Part::Key);
            let what = format!("there is no section `{}`", entry.section);
            Mistake::new(place, what).help(known.suggestion(&entry.section))
        };
        unknown.map(mistake).collect()
    }

    fn check_section(&self, section: &KnownSection) -> Vec<Mistake> {
        let entries = self.entries(section.name);
        if entries.is_empty() {
            return Vec::new();
        }
        let (outcome, _) = (section.meta.read)(section.name, &entries, false);
        let mut mistakes = outcome.mistakes;
        let key = format!("key `{}.enabled`", section.name);
        if section.optional {
            let wrong = entries.into_iter().find_map(enabled).filter(|(_, value)| switch(value).is_none());
            if let Some((entry, value)) = wrong {
                let what = format!("{key} takes `true` or `false`, not {}", shown(value));
                mistakes.push(Mistake::new(enabled_place(entry, Part::Value), what).of(section.name));
            }
        } else if let Some(spot) = outcome.notes.enabled {
            let what = format!("{key}: the plugin is not an optional one of its flavor");
            let help = "in the flavor, an optional plugin is a field `Option<Dep<..>>`; this key can only be taken out";
            let place = enabled_place(entries[spot.entry], Part::Key);
            mistakes.push(Mistake::new(place, what).of(section.name).help(help));
        }
        mistakes
    }

    /// A plugin's section.
    pub(crate) fn section<C: DeserializeOwned + Default>(&self, name: &str) -> Result<C> {
        let (value, outcome) = extract::extract(name, &self.entries(name));
        match <[Mistake; 1]>::try_from(outcome.mistakes) {
            Ok([mistake]) => Err(mistake.into()),
            Err(mistakes) if mistakes.is_empty() => Ok(value),
            Err(mistakes) => Err(Error::msg(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))),
        }
    }
}

impl std::fmt::Debug for Config {
    /// The sections and their sources; not their values, since secrets are among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.program.iter().chain(&self.files).chain(&self.process);
        f.debug_list().entries(all.map(|entry| format!("{} ({})", entry.section, entry.source))).finish()
    }
}

/// A value that belongs to a key, as an entry of the section.
fn entry(section: &str, key: &str, value: Value, source: Source) -> Entry {
    let nest = |value, key: &str| Value::Mapping([(Value::from(key), value)].into_iter().collect());
    let value = key.rsplit('.').fold(value, nest);
    Entry { section: section.to_string(), source: Arc::new(source), way: Way::new(), value }
}

/// What an entry says of `enabled`.
fn enabled(entry: &Entry) -> Option<(&Entry, &Value)> {
    let is_enabled = |key: &Value| key.as_str().is_some_and(|key| key::same(key, "enabled"));
    entry.value.as_mapping()?.iter().find(|(key, _)| is_enabled(key)).map(|(_, value)| (entry, value))
}

fn enabled_place(entry: &Entry, part: Part) -> Place {
    let is_enabled = |key: &&Value| key.as_str().is_some_and(|key| key::same(key, "enabled"));
    let written = entry.value.as_mapping().and_then(|mapping| mapping.keys().find(is_enabled)).and_then(Value::as_str);
    let step = Step::Key(written.unwrap_or("enabled").to_string());
    let way: Way = entry.way.iter().cloned().chain([step]).collect();
    entry.source.place(&way, part)
}

fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("`{number}`"),
        Value::String(text) => format!("the text `{text}`"),
        Value::Null => "nothing".to_string(),
        Value::Sequence(_) => "a list".to_string(),
        _ => "a mapping".to_string(),
    }
}
