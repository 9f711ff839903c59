//! [`Lookout`]: looks at an agent from a thread apart, and has its watchdog say what it thinks of that.

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
    /// When it last looked, or came to be.
    looked: Instant,
}

/// What was seen in one look.
pub(in crate::agent) struct Looked {
    /// The exit code, where the end has to be forced.
    pub(in crate::agent) end: Option<u8>,
    /// The call that keeps the agent's task until then, where there is one, and for how long it has.
    pub(in crate::agent) blocked: Option<(Call, Duration)>,
    /// It runs, and nobody has asked it to stop.
    pub(in crate::agent) is_calm: bool,
    /// One of the threads of its runtime has been in one call since the last look.
    pub(super) is_kept: bool,
}

impl Lookout {
    /// At the agent that writes down its progress there, and runs on this runtime.
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

    /// From now on the agent's progress is written down there.
    pub(in crate::agent) fn follow(&mut self, progress: Arc<Progress>) {
        self.progress = progress;
        self.looked = Instant::now();
    }

    /// Looks at it once, and says what there is to be said.
    pub(in crate::agent) fn look(&mut self, mut say: impl FnMut(&Logger, Level, &str)) -> Looked {
        let (state, is_kept) = (self.progress.state(), self.threads.is_any_kept());
        let asked = self.stop.asked_at().map(|asked| (asked, self.progress.stop_limit()));
        // while all is well, tasks are not even looked at
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
