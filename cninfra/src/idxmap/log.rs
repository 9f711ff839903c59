//! [`Log`]: the latest changes of a map, for its watchers.

use super::change::{Change, Update};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

/// The changes that some watcher has not received yet, at most `bound` of them, each once for all watchers.
///
/// A watcher that is further behind receives all entries again, and nothing is kept for it until then: a watcher that
/// stops reading soon costs the writers nothing.
pub(super) struct Log<K, V> {
    ring: Mutex<Ring<K, V>>,
    bound: usize,
    /// The number of changes made, kept or not. It is increased by the writers, of which only one runs at a time.
    made: AtomicU64,
    /// The number of watchers that are not too far behind. It changes under the lock of the ring, and increases only
    /// while no writer runs.
    followers: AtomicUsize,
}

struct Ring<K, V> {
    kept: VecDeque<Slot<K, V>>,
    /// The number of the first change that is kept.
    first: u64,
    /// The number of watchers that have received all changes.
    up_to_date: usize,
    /// The wakers of watchers that wait for a change, by the watcher's number.
    waiting: BTreeMap<u64, Waker>,
    /// How many watchers there have been; each gets a number.
    watchers: u64,
    /// The map is gone.
    ended: bool,
}

struct Slot<K, V> {
    /// The number of watchers whose next change it is. It is at least one for the first slot.
    readers: usize,
    change: StoredChange<K, V>,
}

/// A change is moved to an `Arc` only when it is taken while other watchers still need it: most changes are taken by
/// one watcher, or by none.
enum StoredChange<K, V> {
    Own(Change<K, V>),
    Shared(Update<K, V>),
    /// While the change is being moved to its `Arc`.
    Moving,
}

impl<K, V> StoredChange<K, V> {
    fn share(&mut self) -> Option<Update<K, V>> {
        let shared = std::mem::replace(self, StoredChange::Moving).into_shared()?;
        *self = StoredChange::Shared(shared.clone());
        Some(shared)
    }

    fn into_shared(self) -> Option<Update<K, V>> {
        match self {
            StoredChange::Own(change) => Some(Arc::new(change)),
            StoredChange::Shared(change) => Some(change),
            StoredChange::Moving => None,
        }
    }
}

impl<K, V> Log<K, V> {
    pub(super) fn new(bound: usize) -> Self {
        let ring = Ring {
            kept: VecDeque::new(),
            first: 0,
            up_to_date: 0,
            waiting: BTreeMap::new(),
            watchers: 0,
            ended: false,
        };
        Log { ring: Mutex::new(ring), bound: bound.max(1), made: AtomicU64::new(0), followers: AtomicUsize::new(0) }
    }

    /// Adds a change. Only one writer may call this at a time. After it has released the lock of the writers, it has to
    /// call [`Cleanup::run`].
    pub(super) fn push(&self, change: Change<K, V>) -> Cleanup<K, V> {
        self.made.store(self.made.load(Relaxed) + 1, Relaxed);
        let slot = |readers| Slot { readers, change: StoredChange::Own(change) };
        let unseen = |slot, more| Cleanup { waiting: BTreeMap::new(), slot: Some(slot), more };
        // No watcher can be added meanwhile, since that takes the lock of the writers.
        if self.followers.load(Relaxed) == 0 {
            return unseen(slot(0), VecDeque::new());
        }
        let mut ring = self.lock();
        let more = if ring.kept.len() >= self.bound { self.leave_behind(&mut ring) } else { VecDeque::new() };
        let readers = std::mem::take(&mut ring.up_to_date);
        if readers == 0 && ring.kept.is_empty() {
            return unseen(slot(0), more);
        }
        ring.kept.push_back(slot(readers));
        let waiting = if ring.waiting.is_empty() { BTreeMap::new() } else { std::mem::take(&mut ring.waiting) };
        Cleanup { waiting, slot: None, more }
    }

    /// The watchers whose next change is the first one are too far behind from now on.
    fn leave_behind(&self, ring: &mut Ring<K, V>) -> VecDeque<Slot<K, V>> {
        if let Some(first) = ring.kept.front_mut() {
            self.followers.fetch_sub(std::mem::take(&mut first.readers), Relaxed);
        }
        ring.without_readers()
    }

    /// Adds a watcher, which receives all changes that are made from now on. No writer may run meanwhile.
    pub(super) fn follow(self: &Arc<Self>) -> Follower<K, V> {
        let mut ring = self.lock();
        let next = self.made.load(Relaxed);
        if ring.kept.is_empty() {
            ring.first = next;
        }
        ring.up_to_date += 1;
        ring.watchers += 1;
        self.followers.fetch_add(1, Relaxed);
        Follower { log: self.clone(), number: ring.watchers, next }
    }

    /// The map is gone. Watchers still receive what is kept.
    pub(super) fn end(&self) {
        let waiting = {
            let mut ring = self.lock();
            ring.ended = true;
            std::mem::take(&mut ring.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Ring<K, V>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Ring<K, V> {
    /// Where the next change of a watcher is; `None` if the watcher is too far behind.
    fn place(&self, next: u64) -> Option<usize> {
        next.checked_sub(self.first).and_then(|place| usize::try_from(place).ok())
    }

    /// The number of watchers whose next change is at this place; after the last place, those that are up to date.
    fn readers(&mut self, place: usize) -> &mut usize {
        self.kept.get_mut(place).map_or(&mut self.up_to_date, |slot| &mut slot.readers)
    }

    /// Takes out the changes that no watcher will receive any more. They are at the front, since a watcher that
    /// receives a change also receives all later ones.
    fn without_readers(&mut self) -> VecDeque<Slot<K, V>> {
        let count = self.kept.iter().take_while(|slot| slot.readers == 0).count();
        self.first += count as u64;
        self.kept.drain(..count).collect()
    }
}

/// What is left to do after a change, without any lock: it takes time, and runs foreign code (wakers and destructors).
#[must_use]
pub(super) struct Cleanup<K, V> {
    waiting: BTreeMap<u64, Waker>,
    #[expect(dead_code, reason = "what is kept no more is dropped")]
    slot: Option<Slot<K, V>>,
    #[expect(dead_code, reason = "the same")]
    more: VecDeque<Slot<K, V>>,
}

impl<K, V> Cleanup<K, V> {
    /// Wakes the watchers that wait, and drops the rest.
    pub(super) fn run(self) {
        self.waiting.into_values().for_each(Waker::wake);
    }
}

/// The place of a watcher in the log. When it is dropped, nothing is kept for it.
pub(super) struct Follower<K, V> {
    log: Arc<Log<K, V>>,
    number: u64,
    /// The number of the change that the watcher receives next.
    next: u64,
}

/// The answer to a watcher that asks for its next change.
pub(super) enum Next<K, V> {
    Change(Update<K, V>),
    /// The watcher is too far behind.
    TooFar,
    /// There is no further change yet.
    Nothing,
    /// There will be no further change, since the map is gone.
    Ended,
}

impl<K, V> Follower<K, V> {
    /// The number of changes between this place and a later one.
    pub(super) fn changes_until(&self, later: &Follower<K, V>) -> u64 {
        later.next - self.next
    }

    /// The next change.
    pub(super) fn take(&mut self) -> Next<K, V> {
        self.next_or_wait(None)
    }

    /// The next change. If there is [nothing](Told::Nothing) yet, the task is woken when there is.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Next<K, V>> {
        match self.next_or_wait(Some(cx.waker())) {
            Next::Nothing => Poll::Pending,
            next => Poll::Ready(next),
        }
    }

    fn next_or_wait(&mut self, waker: Option<&Waker>) -> Next<K, V> {
        let mut ring = self.log.lock();
        let Some(place) = ring.place(self.next) else { return Next::TooFar };
        let Some(slot) = ring.kept.get_mut(place) else {
            if ring.ended {
                return Next::Ended;
            }
            let before = waker.and_then(|waker| ring.waiting.insert(self.number, waker.clone()));
            drop(ring);
            drop(before);
            return Next::Nothing;
        };
        slot.readers -= 1;
        let is_last = place == 0 && slot.readers == 0;
        let shared = if is_last { None } else { slot.change.share() };
        *ring.readers(place + 1) += 1;
        let own = if is_last { ring.kept.pop_front() } else { None };
        ring.first += u64::from(is_last);
        drop(ring);
        self.next += 1;
        // The `Arc` of a change that no other watcher receives is allocated without the lock.
        match shared.or_else(|| own?.change.into_shared()) {
            Some(change) => Next::Change(change),
            None => Next::Nothing,
        }
    }
}

impl<K, V> Drop for Follower<K, V> {
    fn drop(&mut self) {
        let mut ring = self.log.lock();
        let waker = ring.waiting.remove(&self.number);
        let more = match ring.place(self.next) {
            Some(place) => {
                *ring.readers(place) -= 1;
                self.log.followers.fetch_sub(1, Relaxed);
                ring.without_readers()
            }
            None => VecDeque::new(),
        };
        drop(ring);
        drop((waker, more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::{future::poll_fn, task::Wake};

    type Numbers = Log<u64, u64>;

    fn push(log: &Numbers, value: &Arc<u64>) {
        log.push(Change::Created { key: **value, new: value.clone() }).run();
    }

    fn key(told: Next<u64, u64>) -> Result<u64, &'static str> {
        match told {
            Next::Change(change) => Ok(*change.key()),
            Next::TooFar => Err("behind"),
            Next::Nothing => Err("nothing"),
            Next::Ended => Err("ended"),
        }
    }

    #[test]
    fn each_is_told_all_until_it_is_too_far_behind_and_nothing_is_kept_that_nobody_is_to_be_told() {
        const BOUND: u64 = 5;
        let mut random = fastrand::Rng::with_seed(7);
        let log = Arc::new(Numbers::new(BOUND as usize));
        let mut values: Vec<Arc<u64>> = Vec::new();
        let mut followers: Vec<(Follower<u64, u64>, u64)> = Vec::new();
        for step in 0..30_000 {
            let made = values.len() as u64;
            match random.u8(..10) {
                0 if followers.len() < 6 => followers.push((log.follow(), made)),
                1 if !followers.is_empty() => drop(followers.swap_remove(random.usize(..followers.len()))),
                2..=5 => {
                    values.push(Arc::new(made));
                    push(&log, &values[made as usize]);
                }
                _ if !followers.is_empty() => {
                    let at = random.usize(..followers.len());
                    let (follower, next) = &mut followers[at];
                    let told = key(follower.take());
                    if made - *next > BOUND {
                        assert_eq!(told, Err("behind"), "step {step}");
                        let anew = log.follow();
                        assert_eq!(follower.changes_until(&anew), made - *next);
                        followers[at] = (anew, made);
                    } else if *next == made {
                        assert_eq!(told, Err("nothing"), "step {step}");
                    } else {
                        assert_eq!(told, Ok(*next), "step {step}");
                        *next += 1;
                    }
                }
                _ => {}
            }
            let made = values.len() as u64;
            let first = followers.iter().map(|(_, next)| *next).filter(|next| made - next <= BOUND).min();
            let kept = values.iter().filter(|value| Arc::strong_count(value) > 1).count() as u64;
            assert_eq!(kept, made - first.unwrap_or(made), "step {step}");
        }
        followers.push((log.follow(), 0));
        push(&log, &values[0]);
        log.end();
        let last = &mut followers.last_mut().unwrap().0;
        assert_eq!([key(last.take()), key(last.take())], [Ok(0), Err("ended")]);
    }

    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn who_waits_is_woken_once_and_nobody_else() {
        let (log, one) = (Arc::new(Numbers::new(9)), Arc::new(1));
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        let waker = Waker::from(woken.clone());
        let cx = Context::from_waker(&waker);
        let (mut waits, mut gone, _idle) = (log.follow(), log.follow(), log.follow());
        // It polls twice, and the other one no longer waits.
        assert!(waits.poll(&cx).is_pending() && waits.poll(&cx).is_pending() && gone.poll(&cx).is_pending());
        drop(gone);
        push(&log, &one);
        push(&log, &one);
        assert_eq!(woken.0.load(Relaxed), 1);
        assert!([waits.take(), waits.take()].map(key).iter().all(Result::is_ok));
        assert!(waits.poll(&cx).is_pending());
        log.end();
        assert_eq!((woken.0.load(Relaxed), key(waits.take())), (2, Err("ended")));
        assert!(poll_fn(|cx| waits.poll(cx)).now_or_never().is_some());
    }
}
