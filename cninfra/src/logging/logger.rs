//! [`Logger`]: the origin of log records.

use super::{Fields, Level, Loggers};
use serde::Serialize;
use std::{
    borrow::Cow,
    fmt,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};
use tracing::field::{DebugValue, debug};

/// A named logger of one agent. Every record carries both names.
///
/// A plugin gets it from [`Context::log`](crate::Context::log), or as a field: `#[context] log: Logger`. Its name is
/// the plugin's instance name. A part of a plugin has a [child](Logger::child) of its own. The level is set by name:
/// see [`Loggers`].
///
/// Use the methods to log a text, and the macros of the same names ([`info!`](crate::info) and so on) to log a text
/// with fields. [`Logger::with`] adds fields to all records of a logger.
///
/// ```
/// use cninfra::prelude::*;
///
/// #[plugin]
/// struct Store {
///     #[context]
///     log: Logger,
/// }
///
/// impl Store {
///     fn connect(&self, addr: &str, attempt: u32) {
///         self.log.info("is about to connect");
///         info!(self.log, attempt, "connects to {addr}");          // a field, and a text
///         info!(self.log, peer = %addr, answer = ?Some(7), "is connected");   // fields by `Display` and `Debug`
///         let log = self.log.child("watch").with("peer", addr);
///         log.debug(format_args!("watches with {attempt} attempts"));
///     }
/// }
/// ```
///
/// A call at a disabled level costs about as much as a comparison, and formats nothing. (The arguments of a macro are
/// not even evaluated; those of a method are.)
///
/// Records are [`tracing`] events, so they go wherever the process's subscriber sends them. `Agent::main` installs an
/// [`Output`](super::Output); an embedded agent installs none.
#[derive(Clone)]
pub struct Logger {
    core: Arc<Core>,
    fields: Option<Fields>,
}

/// What all handles of a logger share.
pub(super) struct Core {
    name: Arc<str>,
    level: AtomicU8,
    loggers: Loggers,
}

impl Core {
    pub(super) fn new(name: Arc<str>, level: Level, loggers: Loggers) -> Self {
        Core { name, level: AtomicU8::new(level as u8), loggers }
    }

    pub(super) fn set_level(&self, level: Level) {
        self.level.store(level as u8, Ordering::Relaxed);
    }
}

impl Logger {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Logger { core, fields: None }
    }

    /// The logger's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// The agent that it belongs to, by its service label.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.core.loggers.agent()
    }

    /// The lowest level that it logs.
    #[must_use]
    pub fn level(&self) -> Level {
        let level = self.core.level.load(Ordering::Relaxed);
        Level::ALL.into_iter().find(|known| *known as u8 == level).unwrap_or_default()
    }

    /// Whether records of this level are logged. Check it before composing an expensive text.
    #[inline]
    #[must_use]
    pub fn is_enabled(&self, level: Level) -> bool {
        level as u8 >= self.core.level.load(Ordering::Relaxed)
    }

    /// The logger of a part of this one: `etcd.watch` is the child `watch` of `etcd`. It has the parent's fields, and
    /// its level unless another one is set. Characters that a name cannot have become `_`.
    #[must_use]
    pub fn child(&self, name: &str) -> Logger {
        let core = self.core.loggers.get(&format!("{}.{name}", self.core.name)).core;
        Logger { core, fields: self.fields.clone() }
    }

    /// The same logger with one more field on all its records: any value that serde can serialize. A
    /// [`Secret`](crate::config::Secret) stays masked.
    ///
    /// It is stored as JSON, which costs an allocation. Pass fields of a single record to a macro instead.
    #[must_use]
    pub fn with(&self, key: impl Into<Cow<'static, str>>, value: impl Serialize) -> Logger {
        let fields = self.fields.clone().unwrap_or_default().with(key, value);
        Logger { core: self.core.clone(), fields: Some(fields) }
    }

    /// For the macros.
    #[doc(hidden)]
    #[must_use]
    pub fn __with(&self) -> Option<DebugValue<&Fields>> {
        self.fields.as_ref().map(debug)
    }

    /// Logs that something is broken and needs attention.
    #[inline]
    #[track_caller]
    pub fn error(&self, message: impl fmt::Display) {
        self.log(Level::Error, message);
    }

    /// Logs that something is not as it should be, but work continues.
    #[inline]
    #[track_caller]
    pub fn warn(&self, message: impl fmt::Display) {
        self.log(Level::Warn, message);
    }

    /// Logs something that an operator wants to know.
    #[inline]
    #[track_caller]
    pub fn info(&self, message: impl fmt::Display) {
        self.log(Level::Info, message);
    }

    /// Logs something that helps to find a defect.
    #[inline]
    #[track_caller]
    pub fn debug(&self, message: impl fmt::Display) {
        self.log(Level::Debug, message);
    }

    /// Logs a single step of the work.
    #[inline]
    #[track_caller]
    pub fn trace(&self, message: impl fmt::Display) {
        self.log(Level::Trace, message);
    }

    /// Logs a record whose level is known only at run time.
    #[inline]
    #[track_caller]
    pub fn log(&self, level: Level, message: impl fmt::Display) {
        if self.is_enabled(level) {
            self.log_at(level, &message, Location::caller());
        }
    }

    /// Logs a record of another place in the code. The caller has checked the level.
    pub(crate) fn log_at(&self, level: Level, message: &dyn fmt::Display, location: &Location<'_>) {
        macro_rules! emit {
            ($level:ident) => {
                tracing::event!(
                    tracing::Level::$level,
                    agent = self.agent(),
                    logger = self.name(),
                    with = self.__with(),
                    loc = %format_args!("{}:{}", location.file(), location.line()),
                    "{message}"
                )
            };
        }
        match level {
            Level::Trace => emit!(TRACE),
            Level::Debug => emit!(DEBUG),
            Level::Info => emit!(INFO),
            Level::Warn => emit!(WARN),
            Level::Error => emit!(ERROR),
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logger({})", self.name())
    }
}
