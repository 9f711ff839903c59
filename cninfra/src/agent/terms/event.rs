//! [`Event`]: the record of one step of one plugin.

use super::{cause::Cause, phase::Phase};
use std::{fmt, time::Duration};

/// One step in the life of one plugin. The timeline, metrics and spans are made from these records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The plugin's place in the start order. [`Graph::nodes`](crate::graph::Graph::nodes) has its names.
    pub place: u16,
    /// The step.
    pub phase: Phase,
    /// When it began, counted from the beginning of the agent's start.
    pub started: Duration,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

impl Event {
    /// When it ended, counted from the beginning of the agent's start.
    #[must_use]
    pub fn ended(&self) -> Duration {
        self.started + self.took
    }
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It succeeded.
    Done,
    /// It returned an error.
    Failed,
    /// It panicked.
    Panicked,
    /// It was not done within its limit.
    TimedOut,
    /// It was not done within its limit because it blocked its thread.
    Blocked,
    /// It was dropped because another plugin failed or the start was interrupted.
    Dropped,
    /// The plugin had left a task running, which was ended.
    LeftTask,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Panicked => "panicked",
            Outcome::TimedOut => "timed out",
            Outcome::Blocked => "blocked",
            Outcome::Dropped => "dropped",
            Outcome::LeftTask => "left a task",
        })
    }
}

impl From<&Cause> for Outcome {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Config(_) | Cause::Failed(_) => Outcome::Failed,
            Cause::Panicked(_) => Outcome::Panicked,
            Cause::TimedOut(_) => Outcome::TimedOut,
            Cause::Blocked { .. } => Outcome::Blocked,
        }
    }
}
