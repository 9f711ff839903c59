//! [`Registry`]: which tasks run, whose they are, and how they end.

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

/// What a task has to end by itself, when its plugin has closed: it may have been told just now.
const GRACE: Duration = Duration::from_millis(50);
/// What is ended has this long at least to see it, however little is left of the time to stop.
const AT_LEAST: Duration = Duration::from_millis(100);
/// When none of those that are to end has ended for so long, the others block their threads: the time that is left is for the
/// plugins below.
const AT_MOST: Duration = Duration::from_millis(500);

/// The tasks of one agent that still run.
#[derive(Default)]
pub(crate) struct Registry {
    live: Mutex<Live>,
    /// Told when a task has ended.
    ended: Notify,
    /// Where calls are measured.
    slowest: OnceLock<Arc<Slowest>>,
    /// That of the agent: a plugin may have threads, and runtimes, of its own.
    runtime: OnceLock<Handle>,
    callers: Callers,
}

struct Live {
    next: u64,
    tasks: HashMap<u64, Entry>,
    /// Plugins at or after this place have closed: no task of theirs begins any more.
    open: usize,
    /// Plugins at or after this place close: of theirs, none begins that is to end before that.
    closing: usize,
    /// The agent stops: no probe begins any more.
    unasked: bool,
    /// How many have ended.
    left: usize,
    /// How many of them were told to.
    obeyed: usize,
}

impl Default for Live {
    fn default() -> Self {
        Live {
            next: 0,
            tasks: HashMap::new(),
            open: usize::MAX,
            closing: usize::MAX,
            unasked: false,
            left: 0,
            obeyed: 0,
        }
    }
}

struct Entry {
    place: usize,
    name: &'static str,
    kind: Kind,
    /// None for the moment before it is spawned.
    abort: Option<AbortHandle>,
    /// Since when it is to end, be it as soon as it is spawned.
    doomed: Option<Instant>,
    /// It was waited for in vain.
    stuck: bool,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The plugin's own.
    Task,
    /// The plugin's own, too; it is ended before the plugin closes.
    UntilClose,
    /// It asks for the plugin's state. A plugin has one.
    Probe,
    /// It tries to start a plugin. Who has made it ends it.
    Attempt,
}

/// A task that is inside of a call.
pub(crate) struct Inside {
    pub(crate) id: u64,
    /// Another one where it has come back in between.
    pub(crate) call: u64,
    pub(crate) place: usize,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// A task that was ended, since its plugin had left it behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Left {
    pub(crate) place: usize,
    pub(crate) name: &'static str,
    /// It did not end in time.
    pub(crate) stuck: bool,
    /// It is inside of a call: it blocks its thread. If it is stuck and in none, it waits for a thread that something else blocks.
    pub(crate) inside: bool,
    /// How long it was waited for, from when it was told to end: nobody is waited for twice.
    pub(crate) waited: Duration,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tasks are spawned on this one.
    pub(crate) fn run_on(&self, runtime: Handle) {
        self.runtime.get_or_init(|| runtime);
    }

    pub(super) fn runtime(&self) -> Handle {
        // known before anything of a plugin is called
        self.runtime.get().cloned().unwrap_or_else(Handle::current)
    }

    /// What calls others' code beside the tasks.
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

    /// A task is about to be spawned; none after its plugin has closed. A probe takes the place of an earlier one.
    pub(crate) fn enter(&self, place: usize, name: &'static str, kind: Kind) -> Option<(u64, Mark)> {
        let mut live = self.lock();
        let closes = place >= live.closing && kind == Kind::UntilClose;
        if place >= live.open || closes || live.unasked && kind == Kind::Probe {
            return None;
        }
        if kind == Kind::Probe {
            live.of(|entry| entry.is_probe_of(place), |_, before| before.abort());
        }
        live.next += 1;
        let id = live.next;
        let mark = Mark::default();
        live.tasks.insert(id, Entry { place, name, kind, abort: None, doomed: None, stuck: false, mark: mark.clone() });
        Some((id, mark))
    }

    /// It has been spawned, and may have ended already.
    pub(super) fn spawned(&self, id: u64, abort: AbortHandle) {
        if let Some(entry) = self.lock().tasks.get_mut(&id) {
            if entry.doomed.is_some() {
                abort.abort();
            }
            entry.abort = Some(abort);
        }
    }

    /// It has ended, and what it held is dropped.
    pub(crate) fn leave(&self, id: u64) {
        // dropped after the lock
        let _entry = {
            let mut live = self.lock();
            let entry = live.tasks.remove(&id);
            live.left += usize::from(entry.is_some());
            live.obeyed += usize::from(entry.as_ref().is_some_and(|entry| entry.doomed.is_some()));
            entry
        };
        self.ended.notify_waiters();
    }

    /// The tasks that are inside of a call right now.
    pub(crate) fn inside(&self) -> Vec<Inside> {
        let inside = |(id, entry): (&u64, &Entry)| {
            let Entry { place, name, kind, .. } = *entry;
            entry.mark.call().map(|call| Inside { id: *id, call, place, name, kind })
        };
        self.lock().tasks.iter().filter_map(inside).collect()
    }

    /// Ends all tasks at their next await point, without waiting for it; no more begin.
    pub(crate) fn abort_all(&self) {
        let mut live = self.lock();
        live.open = 0;
        live.tasks.values_mut().for_each(Entry::abort);
    }

    /// Ends what is not to meet the `close` of the plugins at `places`, and waits for it; no more of that begins there, nor in those after
    /// them. What does not end is [left behind](Registry::end).
    pub(crate) async fn end_before_close(&self, places: Range<usize>, ends: Instant) {
        {
            let mut live = self.lock();
            live.closing = live.closing.min(places.start);
        }
        let is_meant = |entry: &Entry| entry.kind == Kind::UntilClose && places.contains(&entry.place);
        self.abort_and_wait(&is_meant, ends).await;
    }

    /// Ends what the plugins at `places` have left behind, when those of `ends_by_itself` had a moment to do it themselves. No more
    /// begins there, nor in those after them: what a task spawns while it ends would run on beside plugins that close. Waits for
    /// it until `ends`, or a moment longer.
    pub(crate) async fn end(
        &self,
        places: Range<usize>,
        ends_by_itself: impl Fn(usize) -> bool,
        ends: Instant,
    ) -> Vec<Left> {
        let patient: Vec<u64> = {
            let mut live = self.lock();
            live.open = live.open.min(places.start);
            let mut ids = Vec::new();
            let is_patient =
                |entry: &Entry| places.contains(&entry.place) && !entry.stuck && ends_by_itself(entry.place);
            live.of(is_patient, |id, _| ids.push(id));
            ids
        };
        // most have left none, and nobody asks the clock for them
        if !patient.is_empty() {
            let grace = ends.min(Instant::now() + GRACE);
            self.all_left(patient, &mut |_| grace).await;
        }
        self.abort_and_wait(&|entry| places.contains(&entry.place), ends).await
    }

    /// Ends what a plugin runs, its probe too, though it goes on, and may begin others. Returns those that did not end.
    pub(crate) async fn end_of(&self, place: usize) -> Vec<Left> {
        let ends = Instant::now() + AT_MOST;
        let left = self.abort_and_wait(&|entry| entry.place == place, ends).await;
        left.into_iter().filter(|left| left.stuck).collect()
    }

    /// Ends all probes, so that none meets a plugin that drains or closes; no more begin. Returns those that did not end.
    pub(crate) async fn end_probes(&self) -> Vec<Left> {
        self.lock().unasked = true;
        let ends = Instant::now() + AT_MOST;
        let left = self.abort_and_wait(&|entry| entry.kind == Kind::Probe, ends).await;
        left.into_iter().filter(|left| left.stuck).collect()
    }

    /// Ends those that are meant, and waits for it until `ends`, or a moment longer.
    async fn abort_and_wait(&self, is_meant: &(dyn Fn(&Entry) -> bool + Sync), ends: Instant) -> Vec<Left> {
        let mut left: Vec<(u64, Left)> = Vec::new();
        self.lock().of(is_meant, |id, entry| {
            entry.abort();
            let Entry { place, name, stuck, .. } = *entry;
            left.push((id, Left { place, name, stuck, inside: false, waited: Duration::ZERO }));
        });
        if left.is_empty() {
            return Vec::new();
        }
        // an aborted task ends at its next await point, if it has one
        let now = Instant::now();
        let (least, mut quiet, mut seen) = (now + AT_LEAST, now + AT_MOST, None);
        // nobody is waited for twice
        let ids = left.iter().filter(|(_, left)| !left.stuck).map(|(id, _)| *id).collect();
        self.all_left(ids, &mut |obeyed| {
            if seen.replace(obeyed) != Some(obeyed) {
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
            Some((entry.doomed?.elapsed(), entry.mark.call().is_some()))
        };
        let seen = |(id, left)| match stuck(id) {
            Some((waited, inside)) => Left { stuck: true, inside, waited, ..left },
            None => Left { stuck: false, ..left },
        };
        left.into_iter().map(seen).collect()
    }

    /// Waits until these have ended; but no longer than `until` says, which is asked after each end, and is given how many were told to.
    async fn all_left(&self, mut ids: Vec<u64>, until: &mut (dyn FnMut(usize) -> Instant + Send)) {
        let mut before = None;
        while !ids.is_empty() {
            let mut ended = pin!(self.ended.notified());
            // from here on no end is missed
            ended.as_mut().enable();
            let ends = {
                let live = self.lock();
                // counted first, since they may be many
                if before.is_none_or(|before| live.left - before >= ids.len()) {
                    ids.retain(|id| live.tasks.contains_key(id));
                    before = Some(live.left);
                }
                until(live.obeyed)
            };
            if !ids.is_empty() && timeout_at(ends, ended).await.is_err() {
                break;
            }
        }
    }
}

impl Live {
    fn of(&mut self, is_meant: impl Fn(&Entry) -> bool, mut call: impl FnMut(u64, &mut Entry)) {
        let is_meant = |entry: &Entry| entry.kind != Kind::Attempt && is_meant(entry);
        for (id, entry) in self.tasks.iter_mut().filter(|(_, entry)| is_meant(entry)) {
            call(*id, entry);
        }
    }
}

impl Entry {
    fn is_probe_of(&self, place: usize) -> bool {
        self.kind == Kind::Probe && self.place == place
    }

    fn abort(&mut self) {
        self.doomed.get_or_insert_with(Instant::now);
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
        // it never says that it has ended
        let (_, mark) = registry.enter(0, "stubborn", Kind::UntilClose).unwrap();
        registry.enter(1, "waiting", Kind::Task).unwrap();
        let _inside = mark.enter();
        let ends = Instant::now() + Duration::from_secs(60);
        registry.end_before_close(0..1, ends).await;
        let waited = Instant::now();
        let left = registry.end(0..1, |_| true, ends).await;
        assert_eq!(left, [Left { place: 0, name: "stubborn", stuck: true, inside: true, waited: AT_MOST }]);
        assert_eq!(waited.elapsed(), Duration::ZERO);
        let left = registry.end(1..2, |_| true, ends).await;
        assert!(left.len() == 1 && left[0].stuck && !left[0].inside, "{left:?}");
    }
}
