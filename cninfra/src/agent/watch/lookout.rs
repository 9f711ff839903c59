//! [`Lookout`]: looks at an agent from a separate thread, and logs what its watchdog reports.

use super::watchdog::{Moment, Watchdog};
use crate::{
    Logger,
    agent::run::{
        progress::{Call, Progress, State},
        stall::Threads,
    },
    logging::{Level, Loggers},
    stop::StopHandle,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

pub(in crate::agent) struct Lookout {
    watchdog: Watchdog,
    loggers: Loggers,
    progress: Arc<Progress>,
    stop: StopHandle,
    threads: Threads,
    /// When it last looked, or was created.
    looked: Instant,
}

/// The result of one look.
pub(in crate::agent) struct Looked {
    /// The exit code, if the end has to be forced.
    pub(in crate::agent) end: Option<u8>,
    /// If the end has to be forced: the call that blocks the agent's task, if there is one, and for how long.
    pub(in crate::agent) blocked: Option<(Call, Duration)>,
    /// The agent runs, and nobody has asked it to stop.
    pub(in crate::agent) is_calm: bool,
    /// One of the threads of its runtime has been in the same call since the last look.
    pub(super) is_kept: bool,
}

impl Lookout {
    /// For the agent that writes to this progress and runs on this runtime.
    pub(in crate::agent) fn new(
        watchdog: Watchdog,
        loggers: &Loggers,
        progress: &Arc<Progress>,
        stop: &StopHandle,
        runtime: &Handle,
    ) -> Self {
        let (loggers, progress, stop) = (loggers.clone(), progress.clone(), stop.clone());
        Lookout { watchdog, loggers, progress, stop, threads: Threads::new(runtime), looked: Instant::now() }
    }

    pub(in crate::agent) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// From now on the agent writes to this progress.
    pub(in crate::agent) fn follow(&mut self, progress: Arc<Progress>) {
        self.progress = progress;
        self.looked = Instant::now();
    }

    /// Looks at the agent once, and logs what the watchdog reports.
    pub(in crate::agent) fn look(&mut self, mut say: impl FnMut(&Logger, Level, &str)) -> Looked {
        let (state, is_kept) = (self.progress.state(), self.threads.is_any_kept());
        let asked = self.stop.asked_at().map(|asked| (asked, self.progress.stop_limit()));
        // While no thread is blocked, the tasks are not even listed.
        let tasks = if is_kept { self.progress.inside() } else { Vec::new() };
        let moment = Moment { state: &state, call: self.progress.call(), tasks: &tasks, asked };
        let now = Instant::now();
        let before = std::mem::replace(&mut self.looked, now);
        self.watchdog.missed(now.duration_since(before), now);
        let end = self.watchdog.look(&moment, now);
        let blocked = end.and_then(|_| self.watchdog.blocked(now));
        for said in self.watchdog.take_said() {
            let log = said.plugin.map_or_else(|| self.loggers.of_agent(), |plugin| self.loggers.get(plugin));
            say(&log, said.level, &said.what);
        }
        Looked { end, blocked, is_calm: matches!(state, State::Runs) && asked.is_none(), is_kept }
    }
}
