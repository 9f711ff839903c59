//! Logging: named loggers with adjustable levels, and where their records go.
//!
//! - A [`Logger`] is the origin of records. A plugin has one with its instance name; parts of the plugin have children
//!   of it.
//! - [`Loggers`] are those of one agent, with their levels: by name and pattern, from config and environment, and at
//!   run time.
//! - An [`Output`] is where the records of a process go: text, JSON or a [`Format`] of your own, on standard error; or
//!   a layer of an existing subscriber, since records are [`tracing`] events.
//!
//! [`Output::to`] and [`Output::layer`] use traits of `tracing-subscriber` 0.3, which is not re-exported: for the first
//! one a closure is enough, and a program with its own subscriber already depends on that crate.
//!
//! The config of an agent has a section `logs` (in `logs.conf`, as in the predecessor; `--logs-config`):
//!
//! ```yaml
//! default-level: info         # of all loggers of which nothing else is said: --log-level, INITIAL_LOGLVL
//! format: text                # or json: --log-format, CNINFRA_LOG_FORMAT
//! loggers:
//!   - name: etcd*             # a name, or a pattern
//!     level: debug
//! levels: http=info,redis=warn  # the same on one line: --log-levels, CNINFRA_LOG
//! ```
//!
//! Each logger may be given one level: two levels for it within one source (the files, the environment, the command
//! line) are a mistake, whether by one of these keys or by two, and so are two default levels. Of several sources, the
//! one with the highest precedence wins, as for any key.
//!
//! The section follows its file while the agent runs, like a [`Live`](crate::config::Live) section. Levels that were
//! set at run time still override it.
//!
//! A level is the *lowest* that a logger logs: `trace`, `debug`, `info`, `warn`, `error`. There is no level above
//! `error`: the predecessor's `fatal` and `panic`, which ended the process, are read as `error` when they are set as
//! levels.

mod direct;
mod ending;
mod fields;
mod format;
mod level;
mod libraries;
mod logger;
mod loggers;
mod macros;
mod output;
mod pattern;
mod record;
mod registry;
mod rules;
mod settings;
mod sink;

pub use fields::Fields;
pub(crate) use format::BACKTRACE;
pub use format::{Custom, Format};
pub use level::{Level, ParseLevelError};
pub use logger::Logger;
pub use loggers::{LevelRule, LoggerLevel, Loggers};
pub use output::Output;
pub(crate) use output::SharedFormat;
pub use record::Record;
pub(crate) use rules::MOST;
pub use rules::{Origin, Source};
pub use settings::LogSettings;
pub(crate) use settings::{DEFAULT, SAY_LESS, levels_on_one_line};

#[doc(inline)]
pub use crate::{debug, error, info, trace, warn};
