//! [`Limits`]: how long an agent waits for its plugins.

use std::time::{Duration, Instant};

/// How long an agent waits for its plugins. A limit is seen where a plugin awaits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For the whole start. Default: 15 s.
    pub start: Duration,
    /// For one plugin in one phase of the start. Default: as `start`.
    pub plugin_start: Duration,
    /// For the whole stop, and for the rollback of a failed start. Default: 5 s.
    pub stop: Duration,
    /// For one plugin in one phase of the stop. Default: as `stop`. Draining has half of the whole at most, so that what hangs
    /// there leaves the others time to close.
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
        let plugin_ends = after(now, plugin);
        let (limit, ends) = if plugin_ends < whole_ends { (plugin, plugin_ends) } else { (whole, whole_ends) };
        Limit { limit, ends: ends.into() }
    }
}

/// So much later; a limit beyond what the clock can tell is as good as none.
pub(super) fn after(now: Instant, limit: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    now.checked_add(limit).unwrap_or_else(|| now + FAR)
}
