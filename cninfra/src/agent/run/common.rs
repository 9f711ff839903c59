//! [`Common`]: the data shared by steps that run together.

use super::{env::Env, progress::Callee};
use crate::{
    agent::terms::{
        cause::Cause,
        limits::{LEAST, Limit, after},
        phase::Phase,
    },
    stop::StopHandle,
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::Instant;

/// The data shared by steps that run together.
pub(super) struct Common<'a> {
    pub(super) env: &'a Env,
    pub(super) phase: Phase,
    /// The limit of the whole start or stop, and the moment at which it is over.
    pub(super) whole: Duration,
    pub(super) ends: Instant,
    /// Set during the start, when the first failure or a stop drops all other steps where they are.
    pub(super) stop: Option<&'a StopHandle>,
    pub(super) began: Instant,
    /// No limit can be over before this moment, so most groups need no further check.
    pub(super) in_time_until: Instant,
    /// How long the calls have taken, in nanoseconds. The first calls are added as one sum when all have been made.
    /// Only one task writes this.
    busy: AtomicU64,
}

impl<'a> Common<'a> {
    /// For steps that begin at `began`, which is now or the end of the previous steps.
    pub(super) fn new(env: &'a Env, phase: Phase, whole: Duration, (began, ends): (Instant, Instant)) -> Self {
        let in_time_until = after(began, env.limits.shortest(phase)).min(ends);
        let stop = matches!(phase, Phase::Create | Phase::Init | Phase::AfterInit).then_some(&env.shared.stop);
        Common { env, phase, whole, ends, stop, began, in_time_until, busy: AtomicU64::new(0) }
    }

    /// The limit of a step that begins at `started`.
    pub(super) fn limit(&self, place: usize, started: Instant) -> Limit {
        let least = if self.phase == Phase::Close { LEAST } else { Duration::ZERO };
        Limit::new(started, self.env.limits.of(place, self.phase), (self.whole, self.ends), least)
    }

    /// The limit of a step that did not have to wait. If the whole limit had passed before the step was called, an
    /// earlier step is to blame: this one then has the whole limit from its own start.
    pub(super) fn limit_at_once(&self, place: usize, started: Instant) -> Limit {
        if started < self.ends {
            return self.limit(place, started);
        }
        let anew = (self.whole, after(started, self.whole));
        Limit::new(started, self.env.limits.of(place, self.phase), anew, Duration::ZERO)
    }

    /// Calls into a plugin. The watchdog can see the call while it runs, and a panic becomes an error.
    pub(super) fn call<T>(&self, place: usize, run: impl FnOnce() -> T) -> Result<T, Cause> {
        self.env.progress.call_in(Callee::Step(place, self.phase), run)
    }

    /// How long all calls have taken so far.
    pub(super) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy.load(Relaxed))
    }

    pub(super) fn add_busy(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.busy.store(self.busy.load(Relaxed).saturating_add(nanos), Relaxed);
    }

    /// Whether the agent was asked to stop during its start, so that nothing new should begin.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_some_and(StopHandle::is_stopping)
    }
}
