//! [`Watch`]: an agent that is embedded is looked at, too, from a thread apart.

use super::{
    StopHandle,
    apart::Log,
    lookout::Lookout,
    progress::Progress,
    stall,
    watchdog::{TICK, Watchdog},
};
use crate::{foreign, logging::Loggers};
use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::Builder,
    time::Duration,
};
use tokio::runtime::{Handle, RuntimeFlavor};

/// So long the thread waits for another agent.
const LINGERS: Duration = Duration::from_secs(1);

/// Those of this process.
static ALL: All = All::new();

/// Names what blocks the agent's threads, until it is dropped.
pub(super) struct Watch(Arc<Seat>);

/// All agents that are embedded here. One thread looks at all of them: one for each would be a good part of a start, and in tests agents begin and end by the hundred.
/// It ends when there has been none for a while.
struct All {
    watched: Mutex<Watched>,
    came: Condvar,
}

struct Watched {
    seats: Vec<Arc<Seat>>,
    has_thread: bool,
}

/// Where an agent is looked at. It has a lock of its own, so that a log that is stuck holds up no other agent.
struct Seat(Mutex<Option<Looking>>);

struct Looking {
    lookout: Lookout,
    runtime: Handle,
    log: Log,
}

impl Watch {
    /// Of an agent that starts on this runtime.
    ///
    /// # Errors
    /// There is no thread for it.
    pub(super) fn begin(
        loggers: &Loggers,
        progress: &Arc<Progress>,
        stop: &StopHandle,
        runtime: Handle,
    ) -> io::Result<Self> {
        let lookout = Lookout::new(Watchdog::of_embedded(), loggers, progress, stop, &runtime);
        ALL.add(Looking { lookout, runtime, log: Log::here() })
    }
}

impl All {
    const fn new() -> Self {
        All { watched: Mutex::new(Watched { seats: Vec::new(), has_thread: false }), came: Condvar::new() }
    }

    fn add(&'static self, looking: Looking) -> io::Result<Watch> {
        let mut watched = lock(&self.watched);
        if !watched.has_thread {
            Builder::new().name("cninfra-watch".to_string()).spawn(|| self.watch())?;
            watched.has_thread = true;
        }
        let seat = Arc::new(Seat(Mutex::new(Some(looking))));
        watched.seats.push(seat.clone());
        self.came.notify_one();
        Ok(Watch(seat))
    }

    fn watch(&self) {
        while let Some(seats) = self.seats() {
            // each is looked at, whatever the others do
            let calm = seats.iter().filter(|seat| seat.look()).count();
            std::thread::sleep(if calm == seats.len() { stall::TICK } else { TICK });
        }
    }

    /// All that are looked at; `None` where there has been none for a while: then there is no thread any more.
    fn seats(&self) -> Option<Vec<Arc<Seat>>> {
        let mut watched = lock(&self.watched);
        // an agent that has ended, but for one that is looked at right now
        watched.seats.retain(|seat| Arc::strong_count(seat) > 1);
        if watched.seats.is_empty() {
            let waited = self.came.wait_timeout_while(watched, LINGERS, |watched| watched.seats.is_empty());
            watched = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        watched.has_thread = !watched.seats.is_empty();
        watched.has_thread.then(|| watched.seats.clone())
    }
}

impl Seat {
    /// Looks at the agent, and says whether all is calm.
    fn look(&self) -> bool {
        let mut looking = lock(&self.0);
        let Some(Looking { lookout, runtime, log }) = &mut *looking else { return true };
        // a log that panics has been told by the panic hook, and the others are looked at all the same
        let look = || log.during(|| lookout.look(|log, level, what| log.log(level, what)));
        let Ok(looked) = foreign::guard(look) else { return true };
        // a runtime of one thread has no other one to be woken
        let has_others = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
        if looked.is_kept && has_others {
            runtime.spawn(async {});
        }
        looked.is_calm
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // nothing of the agent is held after this, also where it is looked at right now
        *lock(&self.0.0) = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn looking(progress: &Arc<Progress>) -> Looking {
        let (loggers, runtime) = (Loggers::default(), Handle::current());
        let lookout = Lookout::new(Watchdog::of_embedded(), &loggers, progress, &StopHandle::new(), &runtime);
        Looking { lookout, runtime, log: Log::here() }
    }

    #[tokio::test]
    async fn one_thread_looks_at_all_and_nothing_of_an_agent_is_left() {
        let all: &All = Box::leak(Box::new(All::new()));
        let progress = Arc::default();
        for _ in 0..3 {
            let (first, second) = (all.add(looking(&progress)).unwrap(), all.add(looking(&progress)).unwrap());
            assert_eq!(Arc::strong_count(&progress), 3);
            assert!(lock(&all.watched).has_thread);
            drop((first, second));
            assert_eq!(Arc::strong_count(&progress), 1);
        }
        let until = Instant::now() + 20 * LINGERS;
        while lock(&all.watched).has_thread {
            assert!(Instant::now() < until, "its thread goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(lock(&all.watched).seats.is_empty());
        let again = all.add(looking(&progress)).unwrap();
        assert!(lock(&all.watched).has_thread);
        drop(again);
    }
}
