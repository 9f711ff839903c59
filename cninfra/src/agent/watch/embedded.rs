//! [`Watch`]: watches embedded agents from a separate thread.

use super::{
    lookout::Lookout,
    watchdog::{TICK, Watchdog},
};
use crate::{
    agent::{
        files::apart::Log,
        run::{progress::Progress, stall},
    },
    foreign,
    logging::Loggers,
    stop::StopHandle,
};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Builder},
    time::{Duration, Instant},
};
use tokio::runtime::{Handle, RuntimeFlavor};

/// How long the thread waits for another agent before it ends.
const LINGERS: Duration = Duration::from_secs(1);

/// The embedded agents of this process.
static ALL: All = All::new();

/// Names what blocks the agent's threads, until this is dropped.
pub(in crate::agent) struct Watch {
    all: &'static All,
    seat: Arc<Seat>,
}

/// All embedded agents that are watched. One thread watches all of them: a thread for each would take a good part of a
/// start, and in tests agents begin and end by the hundred. The thread ends when there has been no agent for a while.
/// It looks at intervals, and is not woken by a new agent.
struct All(Mutex<Watched>);

struct Watched {
    seats: Vec<Arc<Seat>>,
    has_thread: bool,
}

/// One watched agent. It has a lock of its own, so that a stuck log delays no other agent.
struct Seat(Mutex<Option<Looking>>);

struct Looking {
    lookout: Lookout,
    runtime: Handle,
    log: Log,
}

impl Watch {
    /// Begins to watch an agent that starts on this runtime.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(in crate::agent) fn begin(
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
        All(Mutex::new(Watched { seats: Vec::new(), has_thread: false }))
    }

    fn add(&'static self, looking: Looking) -> io::Result<Watch> {
        let mut watched = lock(&self.0);
        if !watched.has_thread {
            Builder::new().name("cninfra-watch".to_string()).spawn(|| self.watch())?;
            watched.has_thread = true;
        }
        let seat = Arc::new(Seat(Mutex::new(Some(looking))));
        watched.seats.push(seat.clone());
        Ok(Watch { all: self, seat })
    }

    fn watch(&self) {
        let mut came = Instant::now();
        while let Some(seats) = self.seats(&mut came) {
            // Each one is looked at, whatever the others do.
            let calm = seats.iter().filter(|seat| seat.look()).count();
            thread::sleep(if calm == seats.len() { stall::TICK } else { TICK });
        }
    }

    /// All watched agents; `None` if there has been none for `LINGERS`, in which case the thread ends.
    fn seats(&self, came: &mut Instant) -> Option<Vec<Arc<Seat>>> {
        let mut watched = lock(&self.0);
        if !watched.seats.is_empty() {
            *came = Instant::now();
        }
        watched.has_thread = came.elapsed() < LINGERS;
        watched.has_thread.then(|| watched.seats.clone())
    }
}

impl Seat {
    /// Looks at the agent. Returns whether it runs and nobody has asked it to stop.
    fn look(&self) -> bool {
        let mut said = Vec::new();
        let (log, is_calm) = {
            let mut looking = lock(&self.0);
            let Some(Looking { lookout, runtime, log }) = &mut *looking else { return true };
            let look = || lookout.look(|log, level, what| said.push((log.clone(), level, what.to_string())));
            let Ok(looked) = foreign::guard(look) else { return true };
            // A runtime with one thread has no other one to wake.
            let has_others = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
            if looked.is_kept && has_others {
                runtime.spawn(async {});
            }
            (log.clone(), looked.is_calm)
        };
        // The lock has been released: writing to the log may drop the agent, or wait for the thread that does.
        let tell = || log.during(|| said.iter().for_each(|(log, level, what)| log.log(*level, what)));
        // The panic hook has reported a log that panics. The other agents have to be watched nevertheless.
        let _ = foreign::guard(tell);
        is_calm
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.all.0).seats.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        // After this, nothing of the agent is held, even if the thread is looking at it right now.
        *lock(&self.seat.0) = None;
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
            assert!(lock(&all.0).has_thread);
            drop((first, second));
            assert_eq!((Arc::strong_count(&progress), lock(&all.0).seats.len()), (1, 0));
        }
        let until = Instant::now() + 20 * LINGERS;
        while lock(&all.0).has_thread {
            assert!(Instant::now() < until, "its thread goes on");
            thread::sleep(Duration::from_millis(10));
        }
        let again = all.add(looking(&progress)).unwrap();
        assert!(lock(&all.0).has_thread);
        drop(again);
    }
}
