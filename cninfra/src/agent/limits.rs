//! [`Limits`]: how long an agent waits for its plugins.

use std::time::{Duration, Instant};

/// How long an agent waits for its plugins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For the whole start. Default: 15 s.
    pub start: Duration,
    /// For one plugin in one phase of the start. Default: as `start`.
    pub plugin_start: Duration,
    /// For the whole stop, and for the rollback of a failed start. Default: 5 s.
    pub stop: Duration,
    /// For one plugin in one phase of the stop. Default: as `stop`.
    pub plugin_stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (start, stop) = (Duration::from_secs(15), Duration::from_secs(5));
        Limits { start, plugin_start: start, stop, plugin_stop: stop }
    }
}

/// The limit of one step: that of the plugin, or what is left of the whole.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    /// As it is configured, for the message.
    pub(super) limit: Duration,
    pub(super) ends: tokio::time::Instant,
}

impl Limit {
    pub(super) fn new(now: Instant, plugin: Duration, whole: Duration, whole_ends: Instant) -> Self {
        let (limit, ends) = if now + plugin < whole_ends { (plugin, now + plugin) } else { (whole, whole_ends) };
        Limit { limit, ends: ends.into() }
    }
}
