//! Keeps an agent's runtime responsive while a call blocks one of its threads.
//!
//! In a tokio runtime, one thread at a time waits for sockets and timers. When an event wakes it and only one task is
//! ready, it runs that task and wakes no other thread. If that task then blocks, no thread watches sockets and timers:
//! all others sleep, however many there are. A thread that is woken from outside takes over. So a separate thread
//! checks the runtime regularly, and if a thread has been in the same call since the last check, spawns an empty task
//! to wake another one.

use std::time::Duration;
use tokio::runtime::{Handle, RuntimeMetrics};

/// The interval of the checks. A blocking call delays everything else by at most twice this time. A check costs
/// microseconds.
pub(in crate::agent) const TICK: Duration = Duration::from_millis(100);

/// Checks the runtime, for ever. It has to be polled by another runtime.
pub(in crate::agent) async fn keep_awake(runtime: Handle) {
    let mut threads = Threads::new(&runtime);
    loop {
        tokio::time::sleep(TICK).await;
        if threads.is_any_blocked() {
            runtime.spawn(async {});
        }
    }
}

/// The task that this thread has woken last would wait until the next call returns: tokio keeps it in a slot of the
/// thread from which no other thread takes tasks. Another task in that slot pushes it into the queue that all threads
/// take from.
pub(super) fn release_next_task() {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(async {}));
    }
}

/// The worker threads of a runtime.
pub(in crate::agent) struct Threads {
    metrics: RuntimeMetrics,
    before: Vec<u64>,
}

impl Threads {
    pub(in crate::agent) fn new(runtime: &Handle) -> Self {
        Threads { metrics: runtime.metrics(), before: Vec::new() }
    }

    /// Whether one of them has been in the same call since the last check.
    pub(in crate::agent) fn is_any_blocked(&mut self) -> bool {
        let workers = 0..self.metrics.num_workers();
        let now: Vec<u64> = workers.map(|worker| self.metrics.worker_park_unpark_count(worker)).collect();
        let is_blocked = is_blocked(&self.before, &now);
        self.before = now;
        is_blocked
    }
}

/// Whether one of the threads has been in the same call since then. The counts increase when a thread parks and when it
/// unparks, so an even count means that it is awake.
fn is_blocked(before: &[u64], now: &[u64]) -> bool {
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
        assert!(!is_blocked(&[1, 3], &[1, 3]), "asleep");
        assert!(!is_blocked(&[2, 3], &[4, 3]), "it has slept since then");
        assert!(is_blocked(&[2, 3], &[2, 3]));
    }

    #[test]
    fn timers_go_on_while_a_task_blocks_its_thread() {
        const BLOCK: Duration = Duration::from_secs(10);
        let agents = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let outside = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = agents.handle().clone();
        let (told, tell) = channel();
        // The first timer wakes one thread, whose task blocks it; the second timer is noticed only if another thread is
        // woken.
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
