//! [`Deadlines`]: the time limits of calls, with one timer for all of them.
//!
//! Nearly all calls are answered long before their time is over. A separate timer would be registered with the runtime
//! and removed again, under its lock, which is a good part of what a call costs in the client. So a call only notes its
//! deadline, and one task waits for the earliest of them. It wakes about once per time limit, however many calls there
//! were meanwhile.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use tokio::{
    runtime::{Handle, Id},
    sync::Notify,
    time::{Instant, Sleep, sleep_until},
};

/// Deadlines of calls, with one timer for all of them, for authors of clients.
///
/// A task of the client has to call [`run`](Deadlines::run). A caller in another runtime than that task, or where no
/// such task runs, uses a timer of its own.
///
/// ```
/// use cninfra::client::Deadlines;
/// use std::{future::pending, pin::pin, time::Duration};
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let deadlines = Deadlines::default();
/// let answer = pin!(async { 7 });
/// assert_eq!(deadlines.until(Instant::now() + Duration::from_secs(1), answer).await, Some(7));
/// let never = pin!(pending::<u32>());
/// assert_eq!(deadlines.until(Instant::now() + Duration::from_millis(1), never).await, None);
/// # }
/// ```
#[derive(Default)]
pub struct Deadlines {
    calls: Mutex<Calls>,
    /// Notified when the task has to wake earlier than planned.
    earlier: Notify,
}

impl fmt::Debug for Deadlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.lock();
        f.debug_struct("Deadlines").field("waiting", &(calls.places.len() - calls.free.len())).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Calls {
    /// No more than the largest number of concurrent calls. `None` for a free place.
    places: Vec<Option<Waiting>>,
    free: Vec<usize>,
    /// The task that watches the deadlines. `None` if there is none: then each call has a timer of its own.
    watcher: Option<Watcher>,
}

struct Waiting {
    deadline: Instant,
    /// `None` when the time is over.
    waker: Option<Waker>,
}

struct Watcher {
    /// The runtime of the task. A call in another runtime has a timer of its own, since this runtime may stand still
    /// while the other one runs.
    runtime: Id,
    /// When the task wakes next; `None` if that is when a call begins to wait.
    next: Option<Instant>,
}

impl Deadlines {
    /// Waits for an answer until the deadline. Returns `None` if it has not come.
    ///
    /// # Cancel safety
    /// As that of the answer.
    pub fn until<F: Future + Unpin>(&self, deadline: Instant, answer: F) -> Until<'_, F> {
        Until { deadlines: self, deadline, answer, place: None }
    }

    /// Serves the waiting calls until it is dropped.
    ///
    /// # Cancel safety
    /// It may be dropped at any time, and called again.
    pub async fn run(&self) {
        self.lock().watcher = Some(Watcher { runtime: Handle::current().id(), next: None });
        let _ending = Ending(self);
        loop {
            let next = self.wake_expired(Instant::now());
            let come = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = come => {}
                () = self.earlier.notified() => {}
            }
        }
    }

    /// Wakes the calls whose time is over. Returns the next deadline.
    fn wake_expired(&self, now: Instant) -> Option<Instant> {
        let mut calls = self.lock();
        let mut over = Vec::new();
        let mut next: Option<Instant> = None;
        for waiting in calls.places.iter_mut().flatten() {
            if waiting.deadline <= now {
                over.extend(waiting.waker.take());
            } else {
                next = Some(next.map_or(waiting.deadline, |next| next.min(waiting.deadline)));
            }
        }
        if let Some(watcher) = &mut calls.watcher {
            watcher.next = next;
        }
        drop(calls);
        // Without the lock, since a woken call may come here at once.
        over.into_iter().for_each(Waker::wake);
        next
    }

    /// Wakes all waiting calls, so that each polls once more what it waits for, such as a flag that the client is
    /// closed. A call that checks such a flag after it has polled its answer misses nothing, and needs no other
    /// notification.
    pub fn look_again(&self) {
        let waiting = self.lock().wakers();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Notes a call that waits.
    fn note(&self, deadline: Instant, waker: &Waker) -> Place {
        let mut calls = self.lock();
        let Calls { places, free, watcher } = &mut *calls;
        let number = free.pop().unwrap_or_else(|| {
            places.push(None);
            places.len() - 1
        });
        places[number] = Some(Waiting { deadline, waker: Some(waker.clone()) });
        let is_here = |watcher: &&mut Watcher| Handle::try_current().is_ok_and(|here| here.id() == watcher.runtime);
        match watcher.as_mut().filter(is_here) {
            Some(watcher) => {
                if watcher.next.is_none_or(|next| deadline < next) {
                    watcher.next = Some(deadline);
                    self.earlier.notify_one();
                }
                Place { number, own: None }
            }
            None => Place { number, own: Some(Box::pin(sleep_until(deadline))) },
        }
    }

    /// Whether the time of a call that was polled again is over.
    fn check(&self, place: usize, waker: &Waker) -> Elapsed {
        let mut calls = self.lock();
        let has_watcher = calls.watcher.is_some();
        match calls.places[place].as_mut().and_then(|waiting| waiting.waker.as_mut()) {
            None => Elapsed::Yes,
            Some(_) if !has_watcher => Elapsed::NoWatcher,
            Some(known) => {
                known.clone_from(waker);
                Elapsed::No
            }
        }
    }

    fn forget(&self, place: usize) {
        let mut calls = self.lock();
        let waiting = calls.places[place].take();
        calls.free.push(place);
        drop(calls);
        drop(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn wakers(&self) -> Vec<Waker> {
        self.places.iter().flatten().filter_map(|waiting| waiting.waker.clone()).collect()
    }
}

/// When the task ends, each waiting call gets a timer of its own.
struct Ending<'d>(&'d Deadlines);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut calls = self.0.lock();
        calls.watcher = None;
        let waiting = calls.wakers();
        drop(calls);
        waiting.into_iter().for_each(Waker::wake);
    }
}

enum Elapsed {
    Yes,
    No,
    NoWatcher,
}

/// Where a waiting call is noted.
struct Place {
    number: usize,
    /// The call's own timer, if no task watches its deadline.
    own: Option<Pin<Box<Sleep>>>,
}

/// An answer, or that it did not come in time: see [`Deadlines::until`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Until<'d, F> {
    deadlines: &'d Deadlines,
    deadline: Instant,
    answer: F,
    /// `None` as long as it has not had to wait.
    place: Option<Place>,
}

impl<F> fmt::Debug for Until<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Until").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<F: Future + Unpin> Future for Until<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Until { deadlines, deadline, answer, place } = &mut *self;
        if let Poll::Ready(answer) = Pin::new(answer).poll(cx) {
            return Poll::Ready(Some(answer));
        }
        let own = match place {
            None => &mut place.insert(deadlines.note(*deadline, cx.waker())).own,
            Some(Place { number, own }) => {
                match deadlines.check(*number, cx.waker()) {
                    Elapsed::Yes => return Poll::Ready(None),
                    Elapsed::No => {}
                    Elapsed::NoWatcher => {
                        own.get_or_insert_with(|| Box::pin(sleep_until(*deadline)));
                    }
                }
                own
            }
        };
        match own {
            Some(timer) => timer.as_mut().poll(cx).map(|()| None),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for Until<'_, F> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            self.deadlines.forget(place.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxFuture;
    use futures_util::{FutureExt as _, future::join_all};
    use std::{
        future::{pending, poll_fn, ready},
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::Relaxed},
        },
        time::Duration,
    };
    use tokio::{
        task::yield_now,
        time::{sleep, timeout},
    };

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(10);

    fn never<'a>() -> BoxFuture<'a, ()> {
        Box::pin(pending())
    }

    /// How long it waits for an answer that never comes.
    async fn waits(deadlines: &Deadlines, within: Duration) -> Duration {
        let began = Instant::now();
        let waited = timeout(LONG, deadlines.until(began + within, never())).await;
        assert_eq!(waited, Ok(None));
        began.elapsed()
    }

    #[tokio::test]
    async fn who_waits_is_told_in_time_also_where_others_wait_for_longer() {
        let deadlines = Deadlines::default();
        let several = async {
            yield_now().await;
            let long = deadlines.until(Instant::now() + LONG, never());
            tokio::select! {
                _ = long => unreachable!(),
                waited = join_all([2, 1, 3].map(|times| waits(&deadlines, times * SHORT))) => waited,
            }
        };
        let waited = tokio::select! {
            waited = several => waited,
            () = deadlines.run() => unreachable!(),
        };
        for (waited, wanted) in waited.into_iter().zip([2, 1, 3]) {
            assert!(waited >= wanted * SHORT && waited < LONG / 10, "{waited:?} in place of {:?}", wanted * SHORT);
        }
        let calls = deadlines.lock();
        assert_eq!((calls.places.len(), calls.free.len()), (4, 4));
    }

    #[tokio::test]
    async fn answers_take_no_timer_and_leave_nothing() {
        let deadlines = Deadlines::default();
        let calls = async {
            yield_now().await;
            for _ in 0..100 {
                let answer = Box::pin(async {
                    yield_now().await;
                    7
                });
                assert_eq!(deadlines.until(Instant::now() + LONG, answer).await, Some(7));
                drop(deadlines.until(Instant::now() + LONG, Box::pin(ready(7))));
            }
        };
        tokio::select! {
            () = calls => {}
            () = deadlines.run() => unreachable!(),
        }
        let calls = deadlines.lock();
        assert_eq!((calls.places.len(), calls.free.len()), (1, 1));
    }

    #[tokio::test]
    async fn where_nobody_looks_each_has_a_timer() {
        let deadlines = Deadlines::default();
        assert!(waits(&deadlines, SHORT).await < LONG);
        // The task ends while a call waits.
        let deadlines = Arc::new(deadlines);
        let (watcher, waiting) = (deadlines.clone(), deadlines.clone());
        let looking = tokio::spawn(async move { watcher.run().await });
        yield_now().await;
        let waiting = tokio::spawn(async move { waits(&waiting, 2 * SHORT).await });
        sleep(SHORT).await;
        assert!(matches!(deadlines.lock().places[..], [Some(_)]));
        looking.abort();
        let waited = waiting.await.unwrap();
        assert!(waited >= 2 * SHORT && waited < LONG / 2, "{waited:?}");
    }

    /// Each call checks a flag after it was noted, whether or not a task watches its deadline.
    #[tokio::test]
    async fn all_look_once_more_at_what_they_wait_for() {
        for is_looked_after in [true, false] {
            let (deadlines, ended) = (Deadlines::default(), AtomicBool::new(false));
            let waits = async || {
                let mut waiting = deadlines.until(Instant::now() + LONG, never());
                poll_fn(|cx| match Pin::new(&mut waiting).poll(cx) {
                    Poll::Pending if ended.load(Relaxed) => Poll::Ready("ended"),
                    waited => waited.map(|_| "late"),
                })
                .await
            };
            let ends = async {
                yield_now().await;
                yield_now().await;
                ended.store(true, Relaxed);
                deadlines.look_again();
            };
            let watcher = async {
                if is_looked_after {
                    deadlines.run().await;
                }
                pending().await
            };
            let began = Instant::now();
            tokio::select! {
                biased;
                () = watcher => {}
                (waited, ()) = async { tokio::join!(join_all([waits(), waits()]), ends) } => assert_eq!(waited, ["ended"; 2]),
            }
            assert!(began.elapsed() < LONG / 2);
            let calls = deadlines.lock();
            assert_eq!((calls.places.len(), calls.free.len()), (2, 2));
        }
    }

    #[test]
    fn who_looks_in_another_runtime_may_stand_still() {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (here, there, deadlines) = (runtime(), runtime(), Deadlines::default());
        let mut looking = Box::pin(deadlines.run());
        there.block_on(async { assert!((&mut looking).now_or_never().is_none()) });
        assert!(here.block_on(waits(&deadlines, SHORT)) < LONG);
    }
}
