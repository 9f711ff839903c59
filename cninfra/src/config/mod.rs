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
//! there.) A second run may be needed in four cases: a file can not be parsed; a section's own check is not asked where a value of it is wrong by its type; where nothing that is tried is right for a key that is missing and has no default, or for one that is needed and wrong, what is wrong beside it in the same mapping; of several wrong items of a tuple, the first. A file that does not answer (of a mount whose server has gone) is waited for
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
