//! Keeps an agent's runtime awake while one of its threads is kept by a call that does not return.
//!
//! Of all threads of a tokio runtime, one at a time waits for sockets and timers. It is woken by what has come, and if that is
//! one task, it runs it and wakes no other thread. A task that then blocks keeps sockets and timers from being seen at all: all
//! others sleep, be there two of them or eight. Who is woken from outside takes over. So a thread apart looks at the runtime
//! now and then, and where a thread has been in one call since the last look, gives the others something to wake up for.

use std::time::Duration;
use tokio::runtime::{Handle, RuntimeMetrics};

/// What a call that blocks may add to everything else, twice at most. Looking costs microseconds.
pub(in crate::agent) const TICK: Duration = Duration::from_millis(100);

/// Looks at the runtime, for ever. It is to be polled by another runtime.
pub(in crate::agent) async fn keep_awake(runtime: Handle) {
    let mut threads = Threads::new(&runtime);
    loop {
        tokio::time::sleep(TICK).await;
        if threads.is_any_kept() {
            runtime.spawn(async {});
        }
    }
}

/// What this thread has woken last would wait until the next call comes back: the runtime keeps it in a place of the thread from which no other takes it.
/// Another one in its place has it go where all take from.
pub(super) fn hand_on() {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(async {}));
    }
}

/// The threads of a runtime.
pub(in crate::agent) struct Threads {
    metrics: RuntimeMetrics,
    before: Vec<u64>,
}

impl Threads {
    pub(in crate::agent) fn new(runtime: &Handle) -> Self {
        Threads { metrics: runtime.metrics(), before: Vec::new() }
    }

    /// Has one of them been in one call since this was asked last?
    pub(in crate::agent) fn is_any_kept(&mut self) -> bool {
        let workers = 0..self.metrics.num_workers();
        let now: Vec<u64> = workers.map(|worker| self.metrics.worker_park_unpark_count(worker)).collect();
        let is_kept = is_kept(&self.before, &now);
        self.before = now;
        is_kept
    }
}

/// Has one of the threads been in one call since then? Counted is when it goes to sleep and when it wakes up: what is even is awake.
fn is_kept(before: &[u64], now: &[u64]) -> bool {
    before.iter().zip(now).any(|(before, now)| before == now && now % 2 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::mpsc::channel,
        thread,
        time::{Duration, Instant},
    };
    use tokio::runtime::Builder;

    #[test]
    fn one_that_sleeps_is_not_kept_nor_is_one_that_has_slept() {
        assert!(!is_kept(&[1, 3], &[1, 3]), "asleep");
        assert!(!is_kept(&[2, 3], &[4, 3]), "it has slept since then");
        assert!(is_kept(&[2, 3], &[2, 3]));
    }

    #[test]
    fn timers_go_on_while_a_task_blocks_its_thread() {
        const BLOCK: Duration = Duration::from_secs(10);
        let agents = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let outside = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = agents.handle().clone();
        let (told, tell) = channel();
        // a timer wakes one thread, whose task blocks it; the other timer is seen by nobody, unless somebody else wakes up
        agents.spawn(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            thread::sleep(BLOCK);
        });
        agents.spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            told.send(Instant::now())
        });
        let began = Instant::now();
        thread::spawn(move || outside.block_on(keep_awake(handle)));
        let seen = tell.recv_timeout(2 * BLOCK).unwrap();
        assert!(seen - began < BLOCK / 2, "{:?}", seen - began);
        agents.shutdown_background();
    }
}
