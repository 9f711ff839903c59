//! [`BegunPlugins`]: which plugins have begun and which phase each has reached, for a task that takes over from a
//! blocked one.

use super::{begun::Begun, env::Env, record::Record};
use crate::{Context, agent::terms::phase::Phase, inject::running::Running};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::time::Instant;

/// Written by the agent's task as it goes. It keeps no plugin alive: they are dropped with the agent.
///
/// Steps of one phase begin in the order of the places, so one place per phase is enough. It is written before the
/// call, and read by the task that has taken over during that call (see
/// [`Progress::take_over`](super::progress::Progress::take_over)), which is why `Relaxed` is enough.
pub(in crate::agent) struct BegunPlugins {
    /// The agent, and the begin of its record, if there is one.
    agent: OnceLock<(Weak<Env>, Option<Instant>)>,
    listed: Mutex<Vec<Listed>>,
    /// `init` was called for the plugins before this place; likewise for the next two fields.
    init: AtomicUsize,
    after_init: AtomicUsize,
    drain: AtomicUsize,
    /// `close` was called for the plugins from this place on.
    close: AtomicUsize,
}

/// A plugin with a lifecycle.
struct Listed {
    place: usize,
    running: Weak<dyn Running>,
    down: bool,
}

/// What is left to be done when the agent's task is blocked.
pub(in crate::agent) struct Remaining {
    pub(in crate::agent) env: Arc<Env>,
    /// When the record began.
    pub(in crate::agent) epoch: Option<Instant>,
    /// The plugins to be closed. Those that are not down are drained before.
    pub(in crate::agent) plugins: Vec<Begun>,
}

impl Default for BegunPlugins {
    fn default() -> Self {
        BegunPlugins {
            agent: OnceLock::new(),
            listed: Mutex::default(),
            init: AtomicUsize::new(0),
            after_init: AtomicUsize::new(0),
            drain: AtomicUsize::new(0),
            close: AtomicUsize::new(usize::MAX),
        }
    }
}

impl BegunPlugins {
    fn lock(&self) -> MutexGuard<'_, Vec<Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, env: &Arc<Env>, record: &Record) {
        // It belongs to one agent, so this is set only once.
        self.agent.get_or_init(|| (Arc::downgrade(env), record.epoch()));
    }

    /// Adds plugins that are about to begin.
    pub(super) fn enlist(&self, plugins: &[Begun]) {
        let listed = |plugin: &Begun| Listed {
            place: plugin.place,
            running: Arc::downgrade(&plugin.running),
            down: plugin.down,
        };
        self.lock().extend(plugins.iter().map(listed));
    }

    /// Marks all plugins as initialised long ago.
    pub(super) fn mark_all_serving(&self) {
        self.init.store(usize::MAX, Relaxed);
        self.after_init.store(usize::MAX, Relaxed);
    }

    /// Sets whether the agent goes on without this plugin.
    pub(super) fn set_down(&self, place: usize, down: bool) {
        if let Some(listed) = self.lock().iter_mut().find(|listed| listed.place == place) {
            listed.down = down;
        }
    }

    /// Records that a phase of the plugin at this place begins.
    #[cold]
    pub(super) fn note_phase(&self, phase: Phase, place: usize) {
        match phase {
            Phase::Create | Phase::Run => {}
            Phase::Init => self.init.store(place + 1, Relaxed),
            Phase::AfterInit => self.after_init.store(place + 1, Relaxed),
            Phase::Drain => self.drain.store(place + 1, Relaxed),
            Phase::Close => self.close.store(place, Relaxed),
        }
    }

    /// Whether the plugin has begun and was not asked to close.
    fn is_open(&self, place: usize) -> bool {
        place < self.init.load(Relaxed) && place < self.close.load(Relaxed)
    }

    /// What is left to be done for all plugins but the one that blocks; `None` if the agent has ended.
    pub(in crate::agent) fn remaining(&self, blocks: usize) -> Option<Remaining> {
        let (env, epoch) = self.agent.get()?;
        let env = env.upgrade()?;
        let serving = self.drain.load(Relaxed)..self.after_init.load(Relaxed);
        let begun = |Listed { place, running, down }: &Listed| {
            let (running, cx) = (running.upgrade()?, Context::new(env.shared.clone(), *place));
            Some(Begun { place: *place, running, cx, down: *down || !serving.contains(place) })
        };
        let listed = self.lock();
        let remaining = listed.iter().filter(|listed| listed.place != blocks && self.is_open(listed.place));
        let plugins = remaining.filter_map(begun).collect();
        drop(listed);
        Some(Remaining { env, epoch: *epoch, plugins })
    }

    /// The places of the plugins that have begun.
    pub(super) fn begun_places(&self) -> Vec<usize> {
        let begun = self.init.load(Relaxed);
        self.lock().iter().map(|listed| listed.place).filter(|place| *place < begun).collect()
    }

    /// The places of the plugins that have begun and were not asked to close.
    pub(in crate::agent) fn open_places(&self) -> Vec<usize> {
        self.lock().iter().map(|listed| listed.place).filter(|place| self.is_open(*place)).collect()
    }
}
