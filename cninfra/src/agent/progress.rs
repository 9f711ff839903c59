//! [`Progress`]: what an agent does right now, to be read from another thread.

use super::{Phase, limits::LimitTable};
use crate::graph::Graph;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// What an agent does right now. The agent's task writes it, a watchdog on another thread reads it: so a plugin that blocks
/// the agent's thread is seen.
///
/// Written around each call into a plugin, so it is one number: a count of the calls, the plugin's place, and the phase. No
/// other memory depends on it, hence `Relaxed`.
#[derive(Default)]
pub(super) struct Progress {
    call: AtomicU64,
    stage: Mutex<Option<Stage>>,
    /// Told when a stage begins or ends.
    changed: Notify,
}

/// A part of an agent's life in which its plugins are called.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) kind: StageKind,
    pub(super) graph: &'static Graph,
    pub(super) limits: Arc<LimitTable>,
    /// By the wall clock, which a plugin can not hold up.
    pub(super) ends: Option<Instant>,
    /// How much later it may come to its end, since each plugin has time to close.
    pub(super) spare: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StageKind {
    Start,
    /// Of a start that failed.
    Rollback,
    Stop,
}

/// A call into a plugin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Call {
    count: u64,
    pub(super) place: usize,
    pub(super) phase: Phase,
}

const PHASES: [Phase; 5] = [Phase::Create, Phase::Init, Phase::AfterInit, Phase::Drain, Phase::Close];

impl Progress {
    /// A plugin is called.
    pub(super) fn enter(&self, place: usize, phase: Phase) {
        let count = (self.call.load(Relaxed) >> 24) + 1;
        let phase = PHASES.iter().position(|known| *known == phase).map_or(0, |index| index as u64 + 1);
        self.call.store((count << 24) | ((place as u64 & 0xffff) << 8) | phase, Relaxed);
    }

    /// It has returned.
    pub(super) fn leave(&self) {
        self.call.store(self.call.load(Relaxed) & !0xff, Relaxed);
    }

    /// The call that has not returned, if there is one.
    pub(super) fn call(&self) -> Option<Call> {
        let call = self.call.load(Relaxed);
        let phase = PHASES.get(usize::try_from(call & 0xff).ok()?.checked_sub(1)?)?;
        Some(Call { count: call >> 24, place: ((call >> 8) & 0xffff) as usize, phase: *phase })
    }

    pub(super) fn begin(&self, stage: Stage) {
        self.set(Some(stage));
    }

    pub(super) fn end(&self) {
        self.set(None);
    }

    fn set(&self, stage: Option<Stage>) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.changed.notify_one();
    }

    pub(super) fn stage(&self) -> Option<Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a stage has begun or ended since this returned last.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_of_one_plugin_are_told_apart() {
        let progress = Progress::default();
        assert_eq!(progress.call(), None);
        progress.enter(300, Phase::Init);
        let first = progress.call().unwrap();
        assert_eq!((first.place, first.phase), (300, Phase::Init));
        progress.leave();
        assert_eq!(progress.call(), None);
        progress.enter(300, Phase::Init);
        assert_ne!(progress.call(), Some(first));
    }
}
