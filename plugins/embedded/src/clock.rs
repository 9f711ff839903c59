//! [`Clock`]: how long something takes at most.

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

/// Limits on what threads of the store do, by the clock of the machine. That of tokio can be paused by tests, and runs ahead then whenever its own tasks wait, as they do for
/// a thread. It ticks only while something is waited for.
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

/// It took longer.
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

    /// Waits, but not for longer than this and a tick.
    pub(crate) async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, TooLong> {
        let _waits = self.wait();
        let began = Instant::now();
        let mut ticks = self.ticks.clone();
        // those that were before are none of its own
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
    /// The thread ends by itself, at once.
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
        // first it says so, then it looks: who begins to wait in between wakes it
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
