//! [`Logger`]: where a plugin's log lines come from.

use std::{fmt, sync::Arc};

/// The logger of one plugin of one agent. Every record carries the names of both.
///
/// A plugin has it as [`Context::log`](crate::Context::log), or as a field: `#[context] log: Logger`.
///
/// Records are [`tracing`] events, so they go wherever the process's subscriber sends them. `Agent::main` installs
/// one that prints; an agent that is embedded installs none.
#[derive(Clone)]
pub struct Logger {
    agent: Arc<str>,
    name: &'static str,
}

impl Logger {
    pub(crate) fn new(agent: Arc<str>, name: &'static str) -> Self {
        Logger { agent, name }
    }

    /// The logger's name: the instance name of its plugin.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Something is broken and somebody should look at it.
    pub fn error(&self, message: impl fmt::Display) {
        tracing::error!(agent = %self.agent, logger = self.name, "{message}");
    }

    /// Something is not as it should be, and work goes on.
    pub fn warn(&self, message: impl fmt::Display) {
        tracing::warn!(agent = %self.agent, logger = self.name, "{message}");
    }

    /// Something that an operator wants to know.
    pub fn info(&self, message: impl fmt::Display) {
        tracing::info!(agent = %self.agent, logger = self.name, "{message}");
    }

    /// Something that helps to find a defect.
    pub fn debug(&self, message: impl fmt::Display) {
        tracing::debug!(agent = %self.agent, logger = self.name, "{message}");
    }

    /// Every step of the work.
    pub fn trace(&self, message: impl fmt::Display) {
        tracing::trace!(agent = %self.agent, logger = self.name, "{message}");
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logger({})", self.name)
    }
}
