//! [`Registry`]: which tasks run, which plugins own them, and how they end.

use super::{Slowest, callers::Callers, mark::Mark};
use std::{
    collections::HashMap,
    ops::Range,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::AbortHandle,
    time::{Instant, timeout_at},
};

/// How long a task may take to end by itself after its plugin has closed: it may have been told only just now.
const GRACE: Duration = Duration::from_millis(50);
/// The minimum time for a task to notice that it was aborted, however little is left of the stop.
const AT_LEAST: Duration = Duration::from_millis(100);
/// If no task has ended for this long, the remaining ones block their threads, and the rest of the time is for the
/// plugins below.
const AT_MOST: Duration = Duration::from_millis(500);

/// The running tasks of one agent.
#[derive(Default)]
pub(crate) struct Registry {
    live: Mutex<Live>,
    /// Notified when a task has ended.
    ended: Notify,
    /// Set if calls of tasks are measured.
    slowest: OnceLock<Arc<Slowest>>,
    /// The agent's runtime: a plugin may have threads and runtimes of its own.
    runtime: OnceLock<Handle>,
    callers: Callers,
}

struct Live {
    next: u64,
    tasks: HashMap<u64, Entry>,
    /// Plugins from this place on have closed: none of their tasks begins any more.
    open: usize,
    /// Plugins from this place on are closing: none of their tasks begins any more that has to end before `close`.
    closing: usize,
    /// The agent is stopping: no probe begins any more.
    probes_ended: bool,
    /// How many tasks have ended.
    ended: usize,
    /// How many of them had been aborted.
    aborted_ended: usize,
}

impl Default for Live {
    fn default() -> Self {
        Live {
            next: 0,
            tasks: HashMap::new(),
            open: usize::MAX,
            closing: usize::MAX,
            probes_ended: false,
            ended: 0,
            aborted_ended: 0,
        }
    }
}

struct Entry {
    place: usize,
    name: &'static str,
    kind: Kind,
    /// `None` until the task is spawned.
    abort: Option<AbortHandle>,
    /// Since when the task is to end. It may be set before the task is spawned.
    abort_requested_at: Option<Instant>,
    /// It did not end within the time that it was waited for.
    stuck: bool,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The plugin's own task.
    Task,
    /// The plugin's own task, which is ended before the plugin closes.
    UntilClose,
    /// Probes the plugin. Each plugin has at most one.
    Probe,
    /// Retries the start of a plugin. It is ended by the code that has spawned it.
    Attempt,
}

/// A task that is inside a call.
pub(crate) struct TaskInCall {
    pub(crate) id: u64,
    /// The number of the call, which differs if the call has returned meanwhile.
    pub(crate) call: u64,
    pub(crate) place: usize,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// A task that its plugin had left behind, and that was aborted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LeftTask {
    pub(crate) place: usize,
    pub(crate) name: &'static str,
    /// It did not end in time.
    pub(crate) stuck: bool,
    /// It is inside a call, so it blocks its thread. A stuck task that is not inside a call waits for a thread that
    /// something else blocks.
    pub(crate) in_call: bool,
    /// How long it was waited for since it was aborted. It is waited for only once.
    pub(crate) waited: Duration,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the runtime on which tasks are spawned.
    pub(crate) fn run_on(&self, runtime: Handle) {
        self.runtime.get_or_init(|| runtime);
    }

    pub(super) fn runtime(&self) -> Handle {
        // It is set before any plugin is called.
        self.runtime.get().cloned().unwrap_or_else(Handle::current)
    }

    /// The callers outside the agent's tasks.
    pub(crate) fn callers(&self) -> &Callers {
        &self.callers
    }

    /// From now on calls are measured.
    pub(crate) fn measure(&self, slowest: Arc<Slowest>) {
        self.slowest.get_or_init(|| slowest);
    }

    pub(super) fn slowest(&self) -> Option<&Slowest> {
        self.slowest.get().map(|slowest| &**slowest)
    }

    /// Registers a task that is about to be spawned; `None` after its plugin has closed. A probe replaces an earlier
    /// one.
    pub(crate) fn enter(&self, place: usize, name: &'static str, kind: Kind) -> Option<(u64, Mark)> {
        let mut live = self.lock();
        let closes = place >= live.closing && kind == Kind::UntilClose;
        if place >= live.open || closes || live.probes_ended && kind == Kind::Probe {
            return None;
        }
        if kind == Kind::Probe {
            live.for_each_matching(|entry| entry.is_probe_of(place), |_, before| before.abort());
        }
        live.next += 1;
        let id = live.next;
        let mark = Mark::default();
        live.tasks.insert(
            id,
            Entry { place, name, kind, abort: None, abort_requested_at: None, stuck: false, mark: mark.clone() },
        );
        Some((id, mark))
    }

    /// Sets the handle of a spawned task, which may have ended already.
    pub(super) fn spawned(&self, id: u64, abort: AbortHandle) {
        if let Some(entry) = self.lock().tasks.get_mut(&id) {
            if entry.abort_requested_at.is_some() {
                abort.abort();
            }
            entry.abort = Some(abort);
        }
    }

    /// Removes a task that has ended and dropped its future.
    pub(crate) fn leave(&self, id: u64) {
        // Dropped after the lock is released.
        let _entry = {
            let mut live = self.lock();
            let entry = live.tasks.remove(&id);
            live.ended += usize::from(entry.is_some());
            live.aborted_ended += usize::from(entry.as_ref().is_some_and(|entry| entry.abort_requested_at.is_some()));
            entry
        };
        self.ended.notify_waiters();
    }

    /// The tasks that are inside a call right now.
    pub(crate) fn in_calls(&self) -> Vec<TaskInCall> {
        let inside = |(id, entry): (&u64, &Entry)| {
            let Entry { place, name, kind, .. } = *entry;
            entry.mark.call().map(|call| TaskInCall { id: *id, call, place, name, kind })
        };
        self.lock().tasks.iter().filter_map(inside).collect()
    }

    /// Aborts all tasks without waiting for them. No more tasks begin.
    pub(crate) fn abort_all(&self) {
        let mut live = self.lock();
        live.open = 0;
        live.tasks.values_mut().for_each(Entry::abort);
    }

    /// Ends the tasks of the plugins at `places` that have to end before their `close`, and waits for them. No more
    /// such tasks begin there, nor in the plugins after them. A task that does not end is [left behind](Registry::end).
    pub(crate) async fn end_before_close(&self, places: Range<usize>, ends: Instant) {
        {
            let mut live = self.lock();
            live.closing = live.closing.min(places.start);
        }
        let matches = |entry: &Entry| entry.kind == Kind::UntilClose && places.contains(&entry.place);
        self.abort_and_wait(&matches, ends).await;
    }

    /// Ends the tasks that the plugins at `places` have left behind, after those of plugins for which `ends_by_itself`
    /// holds had a moment to end by themselves. No more tasks begin there, nor in the plugins after them: what a task
    /// spawns while it ends would run on beside plugins that close. Waits until `ends`, or a moment longer.
    pub(crate) async fn end(
        &self,
        places: Range<usize>,
        ends_by_itself: impl Fn(usize) -> bool,
        ends: Instant,
    ) -> Vec<LeftTask> {
        let patient: Vec<u64> = {
            let mut live = self.lock();
            live.open = live.open.min(places.start);
            let mut ids = Vec::new();
            let ends_itself =
                |entry: &Entry| places.contains(&entry.place) && !entry.stuck && ends_by_itself(entry.place);
            live.for_each_matching(ends_itself, |id, _| ids.push(id));
            ids
        };
        // Most plugins have left no task; then the clock is not read.
        if !patient.is_empty() {
            let grace = ends.min(Instant::now() + GRACE);
            self.wait_for(patient, &mut |_| grace).await;
        }
        self.abort_and_wait(&|entry| places.contains(&entry.place), ends).await
    }

    /// Ends the tasks and the probe of a plugin that goes on, and may begin others. Returns those that did not end.
    pub(crate) async fn end_of(&self, place: usize) -> Vec<LeftTask> {
        let ends = Instant::now() + AT_MOST;
        let left = self.abort_and_wait(&|entry| entry.place == place, ends).await;
        left.into_iter().filter(|left| left.stuck).collect()
    }

    /// Ends all probes, so that none runs while plugins drain or close. No more probes begin. Returns those that did
    /// not end.
    pub(crate) async fn end_probes(&self) -> Vec<LeftTask> {
        self.lock().probes_ended = true;
        let ends = Instant::now() + AT_MOST;
        let left = self.abort_and_wait(&|entry| entry.kind == Kind::Probe, ends).await;
        left.into_iter().filter(|left| left.stuck).collect()
    }

    /// Aborts the tasks for which `matches` holds, and waits for them until `ends`, or a moment longer.
    async fn abort_and_wait(&self, matches: &(dyn Fn(&Entry) -> bool + Sync), ends: Instant) -> Vec<LeftTask> {
        let mut left: Vec<(u64, LeftTask)> = Vec::new();
        self.lock().for_each_matching(matches, |id, entry| {
            entry.abort();
            let Entry { place, name, stuck, .. } = *entry;
            left.push((id, LeftTask { place, name, stuck, in_call: false, waited: Duration::ZERO }));
        });
        if left.is_empty() {
            return Vec::new();
        }
        // An aborted task ends at its next await point, if it reaches one.
        let now = Instant::now();
        let (least, mut quiet, mut seen) = (now + AT_LEAST, now + AT_MOST, None);
        // A task that is known to be stuck is not waited for again.
        let ids = left.iter().filter(|(_, left)| !left.stuck).map(|(id, _)| *id).collect();
        self.wait_for(ids, &mut |aborted_ended| {
            if seen.replace(aborted_ended) != Some(aborted_ended) {
                quiet = Instant::now() + AT_MOST;
            }
            ends.min(quiet).max(least)
        })
        .await;
        left.sort_unstable_by_key(|(id, _)| *id);
        let mut live = self.lock();
        let mut stuck = |id| {
            let entry = live.tasks.get_mut(&id)?;
            entry.stuck = true;
            Some((entry.abort_requested_at?.elapsed(), entry.mark.call().is_some()))
        };
        let seen = |(id, left)| match stuck(id) {
            Some((waited, in_call)) => LeftTask { stuck: true, in_call, waited, ..left },
            None => LeftTask { stuck: false, ..left },
        };
        left.into_iter().map(seen).collect()
    }

    /// Waits until these tasks have ended, at most until `until`. That is asked again after each end, with the number
    /// of aborted tasks that have ended.
    async fn wait_for(&self, mut ids: Vec<u64>, until: &mut (dyn FnMut(usize) -> Instant + Send)) {
        let mut before = None;
        while !ids.is_empty() {
            let mut ended = pin!(self.ended.notified());
            // From here on no notification is missed.
            ended.as_mut().enable();
            let ends = {
                let live = self.lock();
                // The count is compared first, since the list may be long.
                if before.is_none_or(|before| live.ended - before >= ids.len()) {
                    ids.retain(|id| live.tasks.contains_key(id));
                    before = Some(live.ended);
                }
                until(live.aborted_ended)
            };
            if !ids.is_empty() && timeout_at(ends, ended).await.is_err() {
                break;
            }
        }
    }
}

impl Live {
    fn for_each_matching(&mut self, matches: impl Fn(&Entry) -> bool, mut call: impl FnMut(u64, &mut Entry)) {
        let matches = |entry: &Entry| entry.kind != Kind::Attempt && matches(entry);
        for (id, entry) in self.tasks.iter_mut().filter(|(_, entry)| matches(entry)) {
            call(*id, entry);
        }
    }
}

impl Entry {
    fn is_probe_of(&self, place: usize) -> bool {
        self.kind == Kind::Probe && self.place == place
    }

    fn abort(&mut self) {
        self.abort_requested_at.get_or_insert_with(Instant::now);
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_end_is_waited_for_once() {
        let registry = Registry::default();
        // This task never reports its end.
        let (_, mark) = registry.enter(0, "stubborn", Kind::UntilClose).unwrap();
        registry.enter(1, "waiting", Kind::Task).unwrap();
        let _inside = mark.enter();
        let ends = Instant::now() + Duration::from_secs(60);
        registry.end_before_close(0..1, ends).await;
        let waited = Instant::now();
        let left = registry.end(0..1, |_| true, ends).await;
        assert_eq!(left, [LeftTask { place: 0, name: "stubborn", stuck: true, in_call: true, waited: AT_MOST }]);
        assert_eq!(waited.elapsed(), Duration::ZERO);
        let left = registry.end(1..2, |_| true, ends).await;
        assert!(left.len() == 1 && left[0].stuck && !left[0].in_call, "{left:?}");
    }
}
