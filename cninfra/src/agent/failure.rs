//! What went wrong: [`PluginError`], and all of them together as [`StartError`] and [`StopError`].

use super::Phase;
use crate::{Error, graph::Node};
use std::{fmt, time::Duration};

/// Why a step of a plugin failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// Its config section is not valid: nothing was created.
    Config(Error),
    /// It returned an error.
    Failed(Error),
    /// It panicked, with this message.
    Panicked(String),
    /// It was not done within this limit.
    TimedOut(Duration),
}

/// What went wrong, in which plugin and phase, and after how long.
#[derive(Debug)]
#[non_exhaustive]
pub struct PluginError {
    /// The plugin's type name.
    pub plugin: &'static str,
    /// The plugin's instance name.
    pub instance: &'static str,
    /// What it was doing.
    pub phase: Phase,
    /// Why.
    pub cause: Cause,
    /// From the start of the phase on the plugin's level to the failure.
    pub elapsed: Duration,
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}` ", self.plugin)?;
        match &self.cause {
            Cause::Config(error) => write!(f, "has an invalid config section `{}`: {error}", self.instance),
            Cause::Failed(error) => write!(f, "failed in {}: {error}", self.phase),
            Cause::Panicked(message) => write!(f, "panicked in {}: {message}", self.phase),
            Cause::TimedOut(limit) => write!(f, "was not done with {} within {limit:?}", self.phase),
        }
    }
}

impl std::error::Error for PluginError {}

impl PluginError {
    pub(super) fn new(node: &Node, phase: Phase, cause: Cause, elapsed: Duration) -> Self {
        PluginError { plugin: node.name(), instance: node.instance(), phase, cause, elapsed }
    }

    fn help(&self) -> Option<&str> {
        match &self.cause {
            Cause::Config(error) | Cause::Failed(error) => error.help(),
            Cause::Panicked(_) | Cause::TimedOut(_) => None,
        }
    }
}

/// The agent did not start. All that had begun has been closed again.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartError {
    /// Why: one error or, when plugins of a level failed together, several. None when the start was interrupted by a
    /// stop handle or a signal.
    pub errors: Vec<PluginError>,
    /// What went wrong while the plugins that had begun were closed.
    pub rollback: Vec<PluginError>,
    /// What was done up to then, where events are recorded.
    pub events: Vec<super::Event>,
}

impl StartError {
    /// Was the start ended by a stop handle or a signal, and not by an error?
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.errors.is_empty()
    }

    /// Was nothing created, since the config is not valid?
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.errors.iter().any(|error| matches!(error.cause, Cause::Config(_)))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted() {
            f.write_str("the start was interrupted")?;
        } else {
            f.write_str("the agent did not start")?;
        }
        list(f, &self.errors)?;
        if !self.rollback.is_empty() {
            f.write_str("\nwhile closing what had begun")?;
            list(f, &self.rollback)?;
        }
        Ok(())
    }
}

impl std::error::Error for StartError {}

/// The agent stopped, but not all of it in order: every other plugin has been closed.
#[derive(Debug)]
#[non_exhaustive]
pub struct StopError {
    /// What went wrong, in the order in which it did.
    pub errors: Vec<PluginError>,
    /// What was done, where events are recorded.
    pub events: Vec<super::Event>,
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the agent did not stop in order")?;
        list(f, &self.errors)
    }
}

impl std::error::Error for StopError {}

fn list(f: &mut fmt::Formatter<'_>, errors: &[PluginError]) -> fmt::Result {
    for error in errors {
        write!(f, "\n  - {error}")?;
        // config is read before anything begins
        if !matches!(error.cause, Cause::Config(_)) {
            write!(f, " (after {:.1?})", error.elapsed)?;
        }
        if let Some(help) = error.help() {
            write!(f, "\n    help: {help}")?;
        }
    }
    Ok(())
}
