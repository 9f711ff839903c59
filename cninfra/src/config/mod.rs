//! Config: a section for each plugin, of layers over its defaults.
//!
//! Every plugin's section is a type of its own (a [`Section`]), named by the plugin's instance name. What goes into it, each layer
//! over the one before, for every key alike:
//!
//! 1. the type's `Default`, and what the program sets ([`Config::set`]);
//! 2. files: `<name>.conf` of the config directory (YAML; `<name>.yaml`, `.yml`, `.json`, which is to be JSON, and `.toml` as well), or the section `<name>` of
//!    `agent.yaml`; the same key in two files is an error;
//! 3. variables of the environment: those that the plugin declares ([`Flag`](crate::Flag)), then `CNINFRA__<NAME>__<KEY>`;
//! 4. the command line: the flags that the plugin declares, then `--set <name>.<key>=<value>`.
//!
//! Files are looked for in the config directory only. (The predecessor looked in the working directory first, even where another one was
//! given.) A file that is named by itself, with `--<name>-config`, is looked for as it is written, then in the config directory; one that is not there
//! is a mistake, and an empty name says that there is none. A file whose name is nearly that of a config file (`htpp.conf`), or that of a plugin's type (`rest.conf`, where `Rest` is called `http`), is not read, with a warning.
//!
//! All sections are read before anything is created. Reading is strict: an unknown key, a value of the wrong type, a duration without a unit
//! are mistakes, told with file, line, key and the mend, all of them in one run (of one section, file or folder, 30 at most: of more, that there are more).
//! That holds for each layer, also where a higher one says something else: it may hold at the next start. (Only the file of a secret that is overridden need not be
//! there.) A second run may be needed in four cases: a file can not be parsed; a section's own check is not asked where a value of it is wrong by its type; beside a key that is missing and has no default, what a type says of a value in words of its own, and the other keys that are missing where
//! its type takes nothing that is tried; of several wrong items of a tuple, the first. A file that does not answer (of a mount whose server has gone) is waited for
//! as long as the start may take: then all those that do not answer are told, and with them what is wrong with all else, but for what they may say themselves. Keys are compared without case, `-` and `_`.
//!
//! Mappings are merged key by key, lists are taken whole from the highest layer. Of a choice (an enum whose variants have fields, as serde has them by default: `auth: {basic: {user: u}}`) the highest layer
//! says which variant it is. What lower layers say of the same variant is kept, and merged as any mapping is, so that a file may have the user and a variable the password; what they say of
//! another variant does not hold. A name alone (`--set store.auth=basic`) says which variant, and nothing of it. An alias of a variant is another name: say the same one in all layers.
//! Where `tag`, `untagged` or `flatten` is used, the value is a mapping as others are: merged key by key, with keys as they are written; a text of a flag or a variable is a number or a truth
//! value there, where it looks so and that fits, and else the text that it is (a password of digits); what is in brackets or in quotes is read as YAML has it.
//! Beside what is flattened serde takes any key, unless the type has `deny_unknown_fields`; and where an `Option` is flattened, it takes what is wrong in that for nothing, and says so to nobody.
//!
//! A type's `Deserialize` is called more than once, and also with what nobody has written (texts like `1s` and `127.0.0.1:80`, numbers, an empty list) where a key is missing or a mistake has to be found: it should do nothing but read.
//!
//! What is in a [`Secret`] is in no message, and neither are the keys in it. Nor is what should be the name of a variant, if any variant of that enum may hold a secret by its type: the message has the names that
//! there are.
//!
//! A date of TOML is a text: no other type of a key takes one, and YAML has the same word as a text.
//!
//! The agent has a section of its own, `agent`:
//!
//! | key | default | |
//! | --- | --- | --- |
//! | `microservice-label` | `vpp1` | the name of the agent among its peers; `--microservice-label`, `MICROSERVICE_LABEL` |
//! | `start-timeout`, `stop-timeout` | `15s`, `5s` | for the whole start, and the whole stop: see [`Limits`](crate::agent::Limits) |
//! | `plugin-start-timeout`, `plugin-stop-timeout` | the whole; half of it | for one plugin in one phase |
//! | `limits` | none | for any plugin in one phase, over those two: `limits: {create: 1s, init: 30s, after-init: 5s, drain: 2s, close: 2s}` |
//! | `start-order` | `concurrent` | `concurrent`: the plugins of a level at once; `one-by-one`: see [`Order`](crate::agent::Order) |
//! | `drain-delay` | `0` | how long the agent goes on, not ready, before it drains |
//! | `config-poll-interval` | `2s` | how often the files are looked at, where a section is [`Live`]: `100ms` at least; `0` is never |
//!
//! And three keys of any plugin's section are the agent's, unless the plugin has a key of that name:
//!
//! | key | default | |
//! | --- | --- | --- |
//! | `enabled` | `true` | `false` switches an optional plugin off; a key of that name which the plugin has does so, too, and is to be a `bool` |
//! | `start-policy` | `fail` | what follows when its `init` fails: `fail`, `retry` or `ignore`; see [`StartPolicy`](crate::agent::StartPolicy) |
//! | `limits` | those of `agent` | for this plugin, phase by phase, over those of `agent`: `limits: {init: 30s, close: 2s}` |
//!
//! A section may check itself, beyond the types of its keys: see [`Invalid`].
//!
//! Types for keys: [`Duration`] (a `std::time::Duration` is read in the same way), [`ByteSize`], [`Secret`], [`PluginName`], and [`Live`] for a section that follows its file while the agent runs.

mod again;
mod agent_keys;
mod beyond;
mod byte_size;
mod canonical;
mod check;
mod chosen;
mod culprit;
mod duration;
mod effective;
mod entry;
mod extract;
mod failure;
mod fields;
mod file;
mod first_lack;
mod flags;
mod format;
#[cfg(test)]
mod given;
#[cfg(feature = "testing")]
mod hidden;
mod hides;
mod holds;
mod json;
mod kept;
mod key;
mod kinds;
mod known;
mod lacks;
mod later;
mod layers;
mod lenient;
mod library;
mod live;
mod load;
mod locate;
mod looks;
mod marked;
mod mistake;
mod mistakes;
mod name;
mod narrow;
mod number;
mod origins;
mod phase_limits;
mod places;
mod plugin_name;
mod print;
mod reader;
mod reading;
mod reload;
mod scalar;
mod secret;
mod secrets;
mod section;
mod shape;
mod source;
#[cfg(test)]
mod taken;
mod text;
mod trial;
mod unsaid;
mod value;
mod variant;

pub(crate) use agent_keys::OnFailure;
pub use byte_size::{ByteSize, ByteSizeError};
pub use check::Invalid;
#[doc(hidden)]
pub use check::{CheckOf, check_config};
pub use duration::{Duration, DurationError};
pub use effective::{EffectiveSection, EffectiveValue};
pub(crate) use file::{At, is_dir, is_there};
pub use hides::Hides;
pub(crate) use key::{nearest, same as is_same_key};
pub(crate) use kinds::{Clash, check_kinds};
pub(crate) use known::{Known, KnownSection};
pub use later::Later;
pub(crate) use layers::ANY_KEY;
pub use library::from_file;
pub use live::{Changes, Live};
pub(crate) use load::Files;
pub(crate) use mistake::Mistake;
pub(crate) use origins::Origins;
pub(crate) use phase_limits::PhaseLimits;
pub use plugin_name::PluginName;
pub(crate) use print::print;
pub(crate) use reload::{Reload, Reloader};
pub use secret::Secret;
pub use section::{ConfigMeta, Section};
pub use text::from_text;

use crate::Result;
use check::Checked;
use entry::{Entries, Entry};
use extract::{Depth, extract, extract_of};
use figment::{Figment, value::Value};
use kept::Kept;
use secrets::Secrets;
use serde::{Serialize, de::DeserializeOwned};
use source::{NOWHERE, Part, Place, Source, Step, Way};
use std::{any::TypeId, path::PathBuf, sync::Arc};

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
    /// What came of reading the files.
    texts: Vec<(PathBuf, file::Held)>,
    /// When the files were written.
    stamps: Vec<load::Stamp>,
    /// The files of secrets that any of it names.
    secrets: Arc<Secrets>,
    /// Of which sections they have not said all.
    unanswered: load::Unanswered,
    /// Where the files are from.
    origin: Option<Files>,
    followers: Arc<live::Followers>,
    /// Of sections that were checked, until they are read.
    kept: Arc<Kept>,
}

impl Config {
    /// No layer: every section is at its defaults.
    #[must_use]
    pub fn new() -> Self {
        Config::default()
    }

    /// Sets a key of a section, over what was set so far. Parts of the key are parted by dots; the key `enabled` switches
    /// an optional plugin on or off.
    ///
    /// A value has its type: a number is one, and a text is one for a key that takes texts. A text for a key that takes none is read as
    /// that of a flag or a variable: `"8080"` for a number, `"true"`, `"[a, b]"` for a list.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: impl Serialize) -> Self {
        let wrong = |error: &dyn std::fmt::Display| {
            let place = Source::Program.place(&[], Part::Value);
            Mistake::new(place, format!("key `{section}.{key}`: {error}")).of(section)
        };
        let value = yaml_serde::to_value(value).map_err(|error| wrong(&error));
        match value.and_then(|value| entry(section, key, value::from_yaml(value), Source::Program)) {
            Ok(entry) => self.program.push(entry),
            Err(mistake) => self.mistakes.push(mistake),
        }
        self
    }

    /// Of a figment: its providers go where [`Config::set`] goes, so that what is set next goes over them, and files, variables and
    /// flags over all. A section is a key of the figment, with the section's keys in it; they may be spelled in any way. Their
    /// origins, and the lines in their files, are those that figment knows.
    ///
    /// (`figment` is a dependency of its own, 0.10. It is not re-exported: rustc would write `std::string::String` in all errors
    /// then, since figment has a `String` too.)
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
                    let source = error.metadata.as_ref().map_or_else(|| source.to_string(), source::origin);
                    let key =
                        if error.path.is_empty() { String::new() } else { format!("key `{}`: ", error.path.join(".")) };
                    Mistake::new(Place { source, at: None }, format!("{key}{}", error.kind))
                };
                config.mistakes.extend(errors.into_iter().map(mistake));
            }
        }
        config
    }

    /// What the program says, as a figment: with its origins, and to add providers to. Its keys are as they were written; what
    /// an agent makes of them, with its files, is [`Builder::figment`](crate::agent::Builder::figment).
    #[must_use]
    pub fn figment(&self) -> Figment {
        self.program.iter().fold(Figment::new(), |figment, entry| entry.merge_into(figment))
    }

    /// The same with what an agent knows: each key by the name that its type has for it.
    pub(crate) fn canonical_figment(&self, known: &Known) -> Figment {
        let sections = known.iter().filter_map(|section| {
            let entries = self.entries(section.name);
            (!entries.all.is_empty()).then(|| section.read(&entries, false).0.figment)
        });
        sections.fold(Figment::new(), Figment::merge)
    }

    /// What a variable of the environment says.
    pub(crate) fn set_variable(&mut self, section: &str, key: &str, text: &str, variable: &str) {
        let source = Source::Variable(variable.to_string());
        self.say(entry(section, key, value::text(text), source));
    }

    /// What a flag says.
    pub(crate) fn set_flag(&mut self, section: &str, key: &str, text: &str, flag: &str) {
        let source = Source::Flag(flag.to_string());
        self.say(entry(section, key, value::text(text), source));
    }

    fn say(&mut self, entry: Result<Entry, Mistake>) {
        match entry {
            Ok(entry) => self.process.push(entry),
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    /// The config of one agent: nobody follows it yet.
    pub(crate) fn followed_by_nobody(self) -> Self {
        Config { followers: Arc::default(), ..self }
    }

    /// The same, with the files of its secrets to be read anew.
    pub(crate) fn with_secrets_anew(self) -> Self {
        Config { secrets: Arc::default(), ..self }
    }

    /// May it name files of secrets, beside those that its config files name?
    pub(crate) fn may_name_files(&self) -> bool {
        self.program.iter().chain(&self.process).any(|entry| secrets::may_name_files(&entry.value))
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
    fn entries(&self, section: &str) -> Entries<'_> {
        let all = self.program.iter().chain(&self.files).chain(&self.process).rev();
        let all = all.filter(|entry| key::same(&entry.section, section)).collect();
        Entries { all, secrets: self.secrets.clone(), partial: false }
    }

    /// Over another one.
    pub(crate) fn over(mut self, mut under: Config) -> Self {
        under.program.append(&mut self.program);
        Config { program: under.program, ..self }
    }

    /// Is there a file of this section, or with it? It may say nothing in there.
    pub(crate) fn has_file_of(&self, section: &str) -> bool {
        self.files.iter().any(|entry| key::same(&entry.section, section))
    }

    /// Does any layer say this key?
    pub(crate) fn says(&self, section: &str, key: &str) -> bool {
        let says =
            |entry: &Entry| entry.value.as_dict().is_some_and(|keys| keys.keys().any(|said| key::same(said, key)));
        self.entries(section).all.into_iter().any(says)
    }

    /// Everything that is wrong before a start: nothing is to be created then. Not what may follow from a file that does not answer, and not that
    /// it does not.
    pub(crate) fn check(&self, known: &Known) -> Vec<Mistake> {
        self.check_those(known, Of::Start, None, |_| true)
    }

    /// As [`check`](Self::check), of what is read by the plugins next.
    pub(crate) fn check_for_plugins(&self, known: &Known) -> Vec<Mistake> {
        self.check_those(known, Of::Start, Some(&self.kept), |_| true)
    }

    /// Everything that is wrong with these sections, and with the files.
    fn check_those(
        &self,
        known: &Known,
        of: Of,
        kept: Option<&Kept>,
        is_asked: impl Fn(&KnownSection) -> bool,
    ) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.clone();
        mistakes.extend(self.unknown_sections(known));
        for section in known.iter().filter(|section| is_asked(section)) {
            mistakes.extend(self.check_section(section, known, of, kept));
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
        let mut all: Vec<Mistake> = Vec::new();
        for mistake in unknown.map(mistake) {
            // two flags of one key have one place
            if !all.contains(&mistake) {
                all.push(mistake);
            }
        }
        all
    }

    fn check_section(&self, section: &KnownSection, known: &Known, of: Of, kept: Option<&Kept>) -> Vec<Mistake> {
        let mut entries = self.entries(section.name);
        if entries.all.is_empty() && section.meta.check.is_none() {
            return Vec::new();
        }
        entries.partial = of == Of::Start && self.unanswered.may_say_more(section.name);
        // of what will not start nothing more is asked, nor of what is not known as a whole
        let is_checked = !entries.partial && (!section.optional || self.is_enabled(section.name));
        let Checked { mut outcome, invalid } = section.check(&entries, is_checked);
        let mut mistakes = std::mem::take(&mut outcome.mistakes);
        // while the agent runs, nobody waits for the secrets of a section that follows no file; before, they are told as files
        if of == Of::Reload {
            mistakes.extend(outcome.unanswered.drain(..).filter(|_| section.meta.live));
        }
        let of_agent = self.check_agent_keys(section, &outcome);
        // a key that both have is told once
        mistakes.retain(|mistake| !of_agent.contains(mistake));
        mistakes.extend(of_agent);
        if let Some(other) = self.other_enabled(section, &outcome) {
            // what else is said of this key is of no use
            mistakes.retain(|mistake| mistake.place != other.place);
            mistakes.push(other);
        }
        mistakes.extend(plugin_name::unknown(section.name, &outcome, known));
        mistakes.extend(invalid);
        mistake::sort(&mut mistakes);
        // the agent reads its own sections in other ways
        let is_read_again = mistakes.is_empty() && !entries.all.is_empty() && !section.is_own && !section.meta.live;
        if let Some(kept) = kept.filter(|_| is_read_again) {
            kept.put(section.name, section.meta.id, &entries, (outcome.layers, outcome.figment));
        }
        mistakes
    }

    /// What is right of a section, without what is wrong; `None` where nothing can be read.
    pub(crate) fn what_holds<C: DeserializeOwned + Default>(&self, name: &str) -> Option<C> {
        extract(section::Named::plain(name), &self.entries(name), Depth::Top).0
    }

    /// A plugin's section.
    pub(crate) fn section<C: DeserializeOwned + Default>(&self, name: &str) -> Result<C> {
        let (value, outcome) = extract(section::Named::plain(name), &self.entries(name), Depth::Top);
        Ok(outcome.sound(value)?.0)
    }

    /// The same of a section that may have been checked, by its type.
    fn section_once_more<C: DeserializeOwned + Default + 'static>(&self, name: &str) -> Result<C> {
        let entries = self.entries(name);
        let Some(kept) = self.kept.take(name, TypeId::of::<C>(), &entries) else { return self.section(name) };
        let (value, outcome) = extract_of(section::Named::plain(name), (&entries, Some(kept)), Depth::Top);
        Ok(outcome.sound(value)?.0)
    }
}

/// What a check is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Start,
    Reload,
}

impl std::fmt::Debug for Config {
    /// The sections and their sources; not their values, since secrets are among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.program.iter().chain(&self.files).chain(&self.process);
        f.debug_list().entries(all.map(|entry| format!("{} ({})", entry.section, entry.source))).finish()
    }
}

/// A key of more parts is none.
const DEEPEST: usize = 64;

/// A value that belongs to a key, as an entry of the section.
fn entry(section: &str, key: &str, value: Value, source: Source) -> Result<Entry, Mistake> {
    let parts = key.split('.').count();
    if parts > DEEPEST {
        let what = format!("key `{section}.{key}` has {parts} parts, more than any");
        return Err(Mistake::new(source.place(&[], Part::Key), what).of(section).help("take it out"));
    }
    let nest = |value, key: &str| Value::from(value::dict([(key.to_string(), value)]));
    let value = key.rsplit('.').fold(value, nest);
    Ok(Entry { section: section.to_string(), source: Arc::new(source), way: Way::new(), value })
}
