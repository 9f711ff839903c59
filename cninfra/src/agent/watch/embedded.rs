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
const LINGER: Duration = Duration::from_secs(1);

/// The embedded agents of this process.
static ALL: All = All::new();

/// Names what blocks the agent's threads, until this is dropped.
pub(in crate::agent) struct Watch {
    all: &'static All,
    agent: Arc<WatchedAgent>,
}

/// All embedded agents that are watched. One thread watches all of them: a thread for each would take a good part of a
/// start, and in tests agents begin and end by the hundred. The thread ends when there has been no agent for a while.
/// It looks at intervals, and is not woken by a new agent.
struct All(Mutex<WatchedAgents>);

struct WatchedAgents {
    agents: Vec<Arc<WatchedAgent>>,
    has_thread: bool,
}

/// One watched agent. It has a lock of its own, so that a stuck log delays no other agent.
struct WatchedAgent(Mutex<Option<Target>>);

struct Target {
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
        ALL.add(Target { lookout, runtime, log: Log::here() })
    }
}

impl All {
    const fn new() -> Self {
        All(Mutex::new(WatchedAgents { agents: Vec::new(), has_thread: false }))
    }

    fn add(&'static self, target: Target) -> io::Result<Watch> {
        let mut watched = lock(&self.0);
        if !watched.has_thread {
            Builder::new().name("cninfra-watch".to_string()).spawn(|| self.watch())?;
            watched.has_thread = true;
        }
        let agent = Arc::new(WatchedAgent(Mutex::new(Some(target))));
        watched.agents.push(agent.clone());
        Ok(Watch { all: self, agent })
    }

    fn watch(&self) {
        let mut last_seen = Instant::now();
        while let Some(agents) = self.agents(&mut last_seen) {
            // Each one is looked at, whatever the others do.
            let calm = agents.iter().filter(|agent| agent.look()).count();
            thread::sleep(if calm == agents.len() { stall::TICK } else { TICK });
        }
    }

    /// All watched agents; `None` if there has been none for `LINGER`, in which case the thread ends.
    fn agents(&self, last_seen: &mut Instant) -> Option<Vec<Arc<WatchedAgent>>> {
        let mut watched = lock(&self.0);
        if !watched.agents.is_empty() {
            *last_seen = Instant::now();
        }
        watched.has_thread = last_seen.elapsed() < LINGER;
        watched.has_thread.then(|| watched.agents.clone())
    }
}

impl WatchedAgent {
    /// Looks at the agent. Returns whether it runs and nobody has asked it to stop.
    fn look(&self) -> bool {
        let mut reports = Vec::new();
        let (log, is_calm) = {
            let mut target = lock(&self.0);
            let Some(Target { lookout, runtime, log }) = &mut *target else { return true };
            let look = || lookout.look(|log, level, what| reports.push((log.clone(), level, what.to_string())));
            let Ok(findings) = foreign::guard(look) else { return true };
            // A runtime with one thread has no other one to wake.
            let has_others = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
            if findings.is_thread_blocked && has_others {
                runtime.spawn(async {});
            }
            (log.clone(), findings.is_calm)
        };
        // The lock has been released: writing to the log may drop the agent, or wait for the thread that does.
        let log_all = || log.during(|| reports.iter().for_each(|(log, level, what)| log.log(*level, what)));
        // The panic hook has reported a log that panics. The other agents have to be watched nevertheless.
        let _ = foreign::guard(log_all);
        is_calm
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.all.0).agents.retain(|agent| !Arc::ptr_eq(agent, &self.agent));
        // After this, nothing of the agent is held, even if the thread is looking at it right now.
        *lock(&self.agent.0) = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn target(progress: &Arc<Progress>) -> Target {
        let (loggers, runtime) = (Loggers::default(), Handle::current());
        let lookout = Lookout::new(Watchdog::of_embedded(), &loggers, progress, &StopHandle::new(), &runtime);
        Target { lookout, runtime, log: Log::here() }
    }

    #[tokio::test]
    async fn one_thread_looks_at_all_and_nothing_of_an_agent_is_left() {
        let all: &All = Box::leak(Box::new(All::new()));
        let progress = Arc::default();
        for _ in 0..3 {
            let (first, second) = (all.add(target(&progress)).unwrap(), all.add(target(&progress)).unwrap());
            assert_eq!(Arc::strong_count(&progress), 3);
            assert!(lock(&all.0).has_thread);
            drop((first, second));
            assert_eq!((Arc::strong_count(&progress), lock(&all.0).agents.len()), (1, 0));
        }
        let until = Instant::now() + 20 * LINGER;
        while lock(&all.0).has_thread {
            assert!(Instant::now() < until, "its thread goes on");
            thread::sleep(Duration::from_millis(10));
        }
        let again = all.add(target(&progress)).unwrap();
        assert!(lock(&all.0).has_thread);
        drop(again);
    }
}
