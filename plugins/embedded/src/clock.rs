//! [`Clock`]: time limits for the work of the store's threads.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::watch;

const TICK: Duration = Duration::from_millis(500);

/// Time limits by the machine's clock. tokio's clock can be paused by tests, and then runs ahead whenever its tasks
/// wait for a thread. The clock's thread ticks only while somebody waits.
pub(crate) struct Clock {
    state: Arc<State>,
    ticks: watch::Receiver<()>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    waiting: AtomicUsize,
    sleeps: AtomicBool,
    ended: AtomicBool,
}

/// The work took longer than its limit.
#[derive(Debug)]
pub(crate) struct TooLong;

impl Clock {
    pub(crate) fn start() -> io::Result<Self> {
        let state = Arc::<State>::default();
        let (tick, ticks) = watch::channel(());
        let thread = {
            let state = state.clone();
            thread::Builder::new().name("embedded-clock".to_string()).spawn(move || run(&state, &tick))?
        };
        Ok(Clock { state, ticks, thread })
    }

    /// Waits for `work`, but at most for `limit` and one tick.
    pub(crate) async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, TooLong> {
        let _waits = self.wait();
        let began = Instant::now();
        let mut ticks = self.ticks.clone();
        // Earlier ticks do not count.
        ticks.mark_unchanged();
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                ticked = ticks.changed() => if ticked.is_err() || began.elapsed() >= limit {
                    return Err(TooLong);
                },
            }
        }
    }

    fn wait(&self) -> Waits<'_> {
        self.state.waiting.fetch_add(1, Ordering::SeqCst);
        if self.state.sleeps.swap(false, Ordering::SeqCst) {
            self.thread.thread().unpark();
        }
        Waits(&self.state)
    }
}

impl Drop for Clock {
    /// The thread ends at once by itself.
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.thread.thread().unpark();
    }
}

struct Waits<'a>(&'a State);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

fn run(state: &State, tick: &watch::Sender<()>) {
    while !state.ended.load(Ordering::SeqCst) {
        // Sets the flag before it checks, so that a caller that begins to wait in between wakes this thread.
        state.sleeps.store(true, Ordering::SeqCst);
        if state.waiting.load(Ordering::SeqCst) == 0 {
            thread::park();
            continue;
        }
        state.sleeps.store(false, Ordering::SeqCst);
        thread::park_timeout(TICK);
        tick.send_replace(());
    }
}
