//! [`Watch`]: an agent that is embedded is looked at, too, from a thread apart.

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

/// So long the thread waits for another agent.
const LINGERS: Duration = Duration::from_secs(1);

/// Those of this process.
static ALL: All = All::new();

/// Names what blocks the agent's threads, until it is dropped.
pub(in crate::agent) struct Watch {
    all: &'static All,
    seat: Arc<Seat>,
}

/// All agents that are embedded here. One thread looks at all of them: one for each would be a good part of a start, and in tests agents begin and end by the hundred.
/// It ends when there has been none for a while. It looks now and then, and is not woken by one that comes.
struct All(Mutex<Watched>);

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
            // each is looked at, whatever the others do
            let calm = seats.iter().filter(|seat| seat.look()).count();
            thread::sleep(if calm == seats.len() { stall::TICK } else { TICK });
        }
    }

    /// All that are looked at; `None` where the last one that came is long gone: then there is no thread any more.
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
    /// Looks at the agent, and says whether all is calm.
    fn look(&self) -> bool {
        let mut said = Vec::new();
        let (log, is_calm) = {
            let mut looking = lock(&self.0);
            let Some(Looking { lookout, runtime, log }) = &mut *looking else { return true };
            let look = || lookout.look(|log, level, what| said.push((log.clone(), level, what.to_string())));
            let Ok(looked) = foreign::guard(look) else { return true };
            // a runtime of one thread has no other one to be woken
            let has_others = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
            if looked.is_kept && has_others {
                runtime.spawn(async {});
            }
            (log.clone(), looked.is_calm)
        };
        // the lock is free: who writes the log may be the one that drops the agent, or wait for who does
        let tell = || log.during(|| said.iter().for_each(|(log, level, what)| log.log(*level, what)));
        // a log that panics has been told by the panic hook, and the others are looked at all the same
        let _ = foreign::guard(tell);
        is_calm
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.all.0).seats.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        // nothing of the agent is held after this, also where it is looked at right now
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
