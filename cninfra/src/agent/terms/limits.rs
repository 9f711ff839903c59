//! [`Limits`]: how long an agent waits for its plugins.

use super::{cause::Cause, phase::Phase};
use crate::config::PhaseLimits;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long an agent waits for its plugins.
///
/// A limit takes effect at a plugin's await points, and is checked once more when the phase is done: a plugin that took
/// longer than its limit has failed, even if it blocked its thread meanwhile. Time in which another plugin blocked the
/// thread does not count.
///
/// Every plugin is closed, even if others have used up the time of the stop. `close` has at least 100 ms (or the
/// plugin's own limit, if that is shorter), and the plugin's tasks have as much to end, both before and after it. So a
/// stop exceeds its limit by at most 300 ms for each level of the graph.
///
/// These limits cannot end a plugin that never yields its thread, since the agent's own code cannot run on that thread,
/// nor one whose tasks block all threads. For these there is a watchdog on another thread:
///
/// - It names the plugin in the log.
/// - Under [`Agent::main`](crate::agent::Agent::main) it ends the process at the plugin's limit, or at the limit of the
///   stop, counted from the request. If the plugin blocks in a start that is to stop, it ends the process after half of
///   the stop's limit, so that the other plugins have the other half.
/// - Before that, all other plugins that have begun are drained and closed, within what is left of the stop's limit (or
///   the whole limit, if no stop was requested). Not closed are plugins whose step waits beside one that blocks in
///   `close`, and none is if tasks block all threads.
/// - A destructor has the limit of `close`.
/// - In an agent that is embedded with [`Builder::start`](crate::agent::Builder::start), the watchdog can only name the
///   plugin, once more at its limit. The agent waits for as long as the plugin blocks.
///
/// ```
/// use cninfra::agent::Limits;
/// use std::time::Duration;
///
/// let limits = Limits::default().start(Duration::from_secs(30)).stop(Duration::from_secs(10));
/// assert_eq!(limits.plugin_start, Duration::from_secs(15));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The limit for the whole start, from the first line that it logs. Default: 15 s.
    pub start: Duration,
    /// The limit for one plugin in one phase of the start. Default: 15 s.
    pub plugin_start: Duration,
    /// The limit for the whole stop, and for the rollback of a failed start. Default: 5 s.
    pub stop: Duration,
    /// The limit for one plugin in one phase of the stop. Default: 2.5 s, half of the whole, so that a plugin that
    /// hangs leaves the others time to close. All of draining together has at most half of the whole stop, whatever
    /// this value is.
    pub plugin_stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (start, stop) = (Duration::from_secs(15), Duration::from_secs(5));
        Limits { start, plugin_start: start, stop, plugin_stop: half(stop) }
    }
}

impl Limits {
    /// Sets [`start`](Limits::start) and nothing else.
    #[must_use]
    pub const fn start(mut self, limit: Duration) -> Self {
        self.start = limit;
        self
    }

    /// Sets [`plugin_start`](Limits::plugin_start).
    #[must_use]
    pub const fn plugin_start(mut self, limit: Duration) -> Self {
        self.plugin_start = limit;
        self
    }

    /// Sets [`stop`](Limits::stop) and nothing else.
    #[must_use]
    pub const fn stop(mut self, limit: Duration) -> Self {
        self.stop = limit;
        self
    }

    /// Sets [`plugin_stop`](Limits::plugin_stop).
    #[must_use]
    pub const fn plugin_stop(mut self, limit: Duration) -> Self {
        self.plugin_stop = limit;
        self
    }
}

/// The limits that the config sets, by phase.
pub(in crate::agent) fn phases(limits: &PhaseLimits) -> impl Iterator<Item = (Phase, Duration)> + use<> {
    let PhaseLimits { create, init, after_init, drain, close } = *limits;
    let all = [
        (Phase::Create, create),
        (Phase::Init, init),
        (Phase::AfterInit, after_init),
        (Phase::Drain, drain),
        (Phase::Close, close),
    ];
    all.into_iter().filter_map(|(phase, limit)| Some((phase, *limit?)))
}

/// The part of the stop that one part of it may use up, so that the others have time to close.
pub(in crate::agent) fn half(stop: Duration) -> Duration {
    stop / 2
}

/// The minimum time of a plugin's `close`, whatever others have left of the whole.
pub(in crate::agent) const LEAST: Duration = Duration::from_millis(100);

/// The limits of an agent, including those for single plugins and phases.
#[derive(Debug, Default)]
pub(in crate::agent) struct LimitTable {
    pub(in crate::agent) whole: Limits,
    /// For all plugins, by phase.
    pub(in crate::agent) phases: HashMap<Phase, Duration>,
    /// By place and phase.
    pub(in crate::agent) special: HashMap<(usize, Phase), Duration>,
    /// For plugins without which the agent starts, by place: the limit of `init` during the start, if the plugin's own
    /// limit is not below that of the whole start.
    pub(in crate::agent) first: HashMap<usize, Duration>,
}

impl LimitTable {
    /// The limit of one plugin in one phase of the start or the stop.
    pub(in crate::agent) fn of(&self, place: usize, phase: Phase) -> Duration {
        match self.first.get(&place) {
            Some(first) if phase == Phase::Init => *first,
            _ => self.later(place, phase),
        }
    }

    /// The same after the agent has started, when nothing waits for the plugin any more.
    pub(in crate::agent) fn later(&self, place: usize, phase: Phase) -> Duration {
        // Most agents have none of these, and looking into an empty table computes no hash.
        if let Some(limit) = self.special.get(&(place, phase)) {
            return *limit;
        }
        if let Some(limit) = self.phases.get(&phase) {
            return *limit;
        }
        match phase {
            Phase::Create | Phase::Init | Phase::AfterInit | Phase::Run => self.whole.plugin_start,
            Phase::Drain | Phase::Close => self.whole.plugin_stop,
        }
    }

    /// The shortest limit of any plugin in this phase.
    pub(in crate::agent) fn shortest(&self, phase: Phase) -> Duration {
        let usual = self.later(usize::MAX, phase);
        if self.special.is_empty() && self.first.is_empty() {
            return usual;
        }
        let special = self.special.iter().filter(|((_, of), _)| *of == phase).map(|(_, limit)| *limit);
        // These are limits of `init`. For another phase the result may be too short, which is harmless.
        special.chain(self.first.values().copied()).fold(usual, Duration::min)
    }

    /// How long all plugins together may drain. A plugin that hangs there must leave the others time to close.
    pub(in crate::agent) fn drain(&self) -> Duration {
        half(self.whole.stop)
    }
}

/// The limit of one step: that of its plugin, or what is left of the whole.
#[derive(Clone, Copy)]
pub(in crate::agent) struct Limit {
    /// The configured limit, for the message.
    pub(in crate::agent) limit: Duration,
    pub(in crate::agent) ends: Instant,
}

impl Limit {
    /// The limit of a step that has at least `least` (or its plugin's limit, if that is shorter), even if less is left
    /// of the whole.
    pub(in crate::agent) fn new(
        started: Instant,
        plugin: Duration,
        (whole, whole_ends): (Duration, Instant),
        least: Duration,
    ) -> Self {
        let (plugin_ends, least_ends) = (after(started, plugin), after(started, least));
        let beyond = !least.is_zero() && least_ends > whole_ends;
        let (rest, rest_ends) = if beyond { (least, least_ends) } else { (whole, whole_ends) };
        let (limit, ends) = if plugin_ends < rest_ends { (plugin, plugin_ends) } else { (rest, rest_ends) };
        Limit { limit, ends }
    }

    /// The cause of the failure of a step that exceeded this limit, and whose longest call took `call`.
    pub(in crate::agent) fn overdue(self, call: Duration) -> Cause {
        // It did not wait for most of the time: it blocked the thread.
        if call >= self.limit / 2 {
            Cause::Blocked { limit: self.limit, took: call }
        } else {
            Cause::TimedOut(self.limit)
        }
    }
}

/// The time of plugins that drain or close together.
pub(crate) struct StopTime {
    limits: Arc<LimitTable>,
    phase: Phase,
    began: Instant,
    ends: Instant,
}

impl StopTime {
    pub(in crate::agent) fn new(limits: &Arc<LimitTable>, phase: Phase, (began, ends): (Instant, Instant)) -> Self {
        StopTime { limits: limits.clone(), phase, began, ends }
    }

    /// How much of it is left for the plugin at this place.
    pub(crate) fn left(&self, place: usize) -> Duration {
        let whole = (self.limits.whole.stop, self.ends);
        let least = if self.phase == Phase::Close { LEAST } else { Duration::ZERO };
        let limit = Limit::new(self.began, self.limits.of(place, self.phase), whole, least);
        limit.ends.saturating_duration_since(Instant::now())
    }
}

/// `limit` later than `now`. A moment beyond the clock's range is replaced by one in the far future.
pub(in crate::agent) fn after(now: Instant, limit: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    now.checked_add(limit).unwrap_or_else(|| now + FAR)
}
