//! [`Cause`]: why a step or a task of a plugin has failed.

use crate::{Error, foreign::Panic};
use std::time::Duration;

/// Why a step of a plugin, or a task, failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The plugin's config section is not valid. Nothing was created.
    Config(Error),
    /// It returned an error.
    Failed(Error),
    /// It panicked.
    Panicked(Panic),
    /// It was not done within this limit.
    TimedOut(Duration),
    /// It was not done within its limit because it blocked its thread.
    #[non_exhaustive]
    Blocked {
        /// The limit.
        limit: Duration,
        /// The duration of the longest call that did not return.
        took: Duration,
    },
}
