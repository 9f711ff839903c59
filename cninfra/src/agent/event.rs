//! [`Event`]: the record of one step of one plugin.

use super::{Cause, Phase};
use std::time::Duration;

/// One step in the life of one plugin. Timeline, metrics and spans are made of these records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The plugin's place in the start order: [`Graph::nodes`](crate::graph::Graph::nodes) has its names.
    pub place: u16,
    /// The step.
    pub phase: Phase,
    /// When it began, since the start of the agent began.
    pub started: Duration,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// As it should.
    Done,
    /// With an error.
    Failed,
    /// With a panic.
    Panicked,
    /// Not within its limit.
    TimedOut,
    /// It was dropped, since another plugin failed or the start was interrupted.
    Dropped,
}

impl From<&Cause> for Outcome {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Config(_) | Cause::Failed(_) => Outcome::Failed,
            Cause::Panicked(_) => Outcome::Panicked,
            Cause::TimedOut(_) => Outcome::TimedOut,
        }
    }
}
