//! Logging: named loggers whose levels can be set, and where their records go.
//!
//! - A [`Logger`] is where records come from. A plugin has one by its instance name; parts of it have children.
//! - [`Loggers`] are those of one agent, with their levels: by name and pattern, from config and environment, and while it runs.
//! - An [`Output`] is where the records of a process go: text, JSON or a [`Format`] of your own, on standard error; or a layer of a
//!   subscriber that is there already, since records are [`tracing`] events.
//!
//! [`Output::to`] and [`Output::layer`] speak of traits of `tracing-subscriber` 0.3, which is not re-exported: a closure is all that the first
//! one needs, and who has a subscriber of their own has that crate as a dependency of their own.
//!
//! The config of an agent has a section `logs` (`logs.conf`, as the predecessor's; `--logs-config`):
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
//! A logger is given one level: two of what one source says (the files, the environment, the command line) are a mistake, be it by one of these keys or by two; so
//! are two default levels. Of several sources the higher one's holds, as of any key.
//!
//! It follows its file while the agent runs, as a [`Live`](crate::config::Live) section does; what was set while it runs goes over that still.
//!
//! A level is what a logger logs *from*: `trace`, `debug`, `info`, `warn`, `error`. There is no level above `error`: the predecessor's
//! `fatal` and `panic`, which ended the process, are read as `error` where they are set as levels.

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
pub(crate) use settings::{DEFAULT, SAY_LESS, on_one_line};

#[doc(inline)]
pub use crate::{debug, error, info, trace, warn};
