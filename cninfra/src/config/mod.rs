//! Config: each plugin has a section, made of layers over its defaults.
//!
//! # Layers
//!
//! The section of a plugin is a type of its own (a [`Section`]), and is named by the plugin's instance name. Its layers
//! are the following; each overrides the one before, and that holds for every key:
//!
//! 1. the type's `Default`, and what the program sets ([`Config::set`]);
//! 2. files: `<name>.conf` in the config directory (YAML; also `<name>.yaml`, `.yml`, `.json`, which has to be JSON,
//!    and `.toml`), or the section `<name>` of `agent.yaml`; the same key in two files is an error;
//! 3. environment variables: those that the plugin declares ([`Flag`](crate::Flag)), then `CNINFRA__<NAME>__<KEY>`;
//! 4. the command line: the flags that the plugin declares, then `--set <name>.<key>=<value>`.
//!
//! Files are searched for in the config directory only. (The predecessor searched the working directory first, even if
//! another one was given.) The file given by `--<name>-config` is searched for at the path as written, then in the
//! config directory; it is a mistake if it does not exist, and an empty name means no file. A file whose name is nearly
//! that of a config file (`htpp.conf`, `http.cnf`), or that of a plugin's type (`rest.conf`, where `Rest` is called
//! `http`), is not read, with a warning.
//!
//! # Mistakes
//!
//! All sections are read before anything is created. Reading is strict: an unknown key, a value of the wrong type, or a
//! duration without a unit is a mistake. Mistakes are reported with file, line, key and how to fix them, all in one run
//! (at most 30 for one section, file or folder, with a note that there are more). That holds for every layer, including
//! values that a higher layer overrides, since they may be in force at the next start. (Only the file of a secret that
//! is overridden need not exist.)
//!
//! A second run may be needed in four cases:
//!
//! - A file cannot be parsed: then nothing more is said about it, nor about what may follow from what it would say.
//! - A section's own check is not called while a value of the section has the wrong type.
//! - Of a key that is missing or wrong and has no default, or of such an item of a tuple, the type accepts nothing that
//!   is tried in its place (a text of a form of its own): what is missing beside it, flattened behind it, or in items
//!   behind it may stay unseen.
//! - The name of a variant is missing or wrong: what is wrong beside it is reported if it is wrong for every variant.
//!
//! A file that does not answer (on a mount whose server is gone) is waited for as long as the start may take. Then all
//! files that do not answer are reported, together with what is wrong in everything else, except for what depends on
//! those files.
//!
//! # Keys and values
//!
//! Keys are compared without regard to case, `-` and `_`. Mappings are merged key by key. A list is taken as a whole
//! from the highest layer that has it.
//!
//! For a choice (an enum whose variants have fields, as serde has them by default: `auth: {basic: {user: u}}`) the
//! highest layer says which variant it is. What lower layers say about the same variant is kept and merged like any
//! mapping, so that a file can have the user and a variable the password. What they say about another variant is
//! ignored. A name alone (`--set store.auth=basic`) chooses the variant and sets nothing in it. An alias of a variant
//! counts as another name: use the same name in all layers.
//!
//! Where `tag`, `untagged` or `flatten` is used, the value is a mapping like others: it is merged key by key, with keys
//! as they are written. There, the text of a flag or a variable becomes a number or a boolean if it looks like one and
//! that fits; otherwise it stays a text (such as a password of digits). What is in brackets or quotes is read as YAML.
//! Serde accepts any key beside flattened ones, unless the type has `deny_unknown_fields`; and a flattened `Option`
//! becomes `None`, without a report, if something in it is wrong.
//!
//! A type's `Deserialize` is called more than once, and also with values that nobody has written (texts such as `1s`
//! and `127.0.0.1:80`, numbers, an empty list), if a key is missing or a mistake has to be located. So it should have
//! no side effects.
//!
//! No message contains the value of a [`Secret`] or the keys inside it. The same holds for a text in the place of a
//! variant's name, if any variant of that enum may hold a secret by its type: the message lists the valid names
//! instead.
//!
//! A date in TOML is read as a text, since YAML has the same word as a text, and no other type of a key accepts a date.
//!
//! # The agent's own keys
//!
//! The agent has a section of its own, `agent`:
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `microservice-label` | `vpp1` | the name of the agent among its peers; `--microservice-label`, `MICROSERVICE_LABEL` |
//! | `start-timeout`, `stop-timeout` | `15s`, `5s` | for the whole start, and the whole stop: see [`Limits`](crate::agent::Limits) |
//! | `plugin-start-timeout`, `plugin-stop-timeout` | the whole; half of it | for one plugin in one phase |
//! | `limits` | none | for any plugin in one phase, overriding those two: `limits: {create: 1s, init: 30s, after-init: 5s, drain: 2s, close: 2s}` |
//! | `start-order` | `concurrent` | `concurrent`: the plugins of a level at once; `one-by-one`: see [`Order`](crate::agent::Order) |
//! | `drain-delay` | `0` | how long the agent continues, not ready, before it drains |
//! | `config-poll-interval` | `2s` | how often the files are checked, if a section is [`Live`]: at least `100ms`; `0` for never |
//!
//! Three keys in the section of any plugin belong to the agent, unless the plugin has a key of that name:
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `enabled` | `true` | `false` switches an optional plugin off; so does a key of the plugin's own with that name, which has to be a `bool` |
//! | `start-policy` | `fail` | what happens when its `init` fails: `fail`, `retry` or `ignore`; see [`StartPolicy`](crate::agent::StartPolicy) |
//! | `limits` | those of `agent` | for this plugin, phase by phase, overriding those of `agent`: `limits: {init: 30s, close: 2s}` |
//!
//! # Checks and types
//!
//! A section may have a check of its own, beyond the types of its keys: see [`Invalid`].
//!
//! Types for keys: [`Duration`] (a `std::time::Duration` is read in the same way), [`ByteSize`], [`Secret`],
//! [`PluginName`], and [`Live`] for a section that follows its file while the agent runs.

mod find;
#[cfg(test)]
mod given;
#[cfg(test)]
mod panics;
mod read;
mod said;
#[cfg(test)]
mod samples;
mod sections;
mod shown;
#[cfg(test)]
mod spoilt;
#[cfg(test)]
mod taken;
mod types;
#[cfg(test)]
mod unsteady;
mod written;
mod wrong;

pub(crate) use said::file::{At, is_dir, is_there};
pub(crate) use said::layers::ANY_KEY;
pub(crate) use sections::agent_keys::OnFailure;
pub use sections::check::Invalid;
#[doc(hidden)]
pub use sections::check::{CheckOf, check_config};
pub use sections::config::Config;
pub(crate) use sections::files::Files;
pub(crate) use sections::kinds::{Clash, check_kinds};
pub(crate) use sections::known::{Known, KnownSection};
pub use sections::library::from_file;
pub use sections::live::{Changes, Live};
pub(crate) use sections::origins::Origins;
pub(crate) use sections::refused::Refused;
pub(crate) use sections::reload::{Reload, Reloader};
pub use sections::section::{ConfigMeta, Section};
pub use shown::effective::{EffectiveSection, EffectiveValue};
pub(crate) use shown::print::print;
pub use types::byte_size::{ByteSize, ByteSizeError};
pub use types::duration::{Duration, DurationError};
pub use types::hides::Hides;
pub use types::later::Later;
pub(crate) use types::phase_limits::PhaseLimits;
pub use types::plugin_name::PluginName;
pub use types::secret::Secret;
pub use types::text::from_text;
pub(crate) use written::key::{nearest, same as is_same_key};
pub(crate) use wrong::mistake::Mistake;
