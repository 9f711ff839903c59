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
    last_look: Instant,
}

/// The result of one look.
pub(in crate::agent) struct Findings {
    /// The exit code, if the end has to be forced.
    pub(in crate::agent) end: Option<u8>,
    /// If the end has to be forced: the call that blocks the agent's task, if there is one, and for how long.
    pub(in crate::agent) blocked: Option<(Call, Duration)>,
    /// The agent runs, and nobody has asked it to stop.
    pub(in crate::agent) is_calm: bool,
    /// One of the threads of its runtime has been in the same call since the last look.
    pub(super) is_thread_blocked: bool,
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
        Lookout { watchdog, loggers, progress, stop, threads: Threads::new(runtime), last_look: Instant::now() }
    }

    pub(in crate::agent) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// From now on the agent writes to this progress.
    pub(in crate::agent) fn follow(&mut self, progress: Arc<Progress>) {
        self.progress = progress;
        self.last_look = Instant::now();
    }

    /// Looks at the agent once, and logs what the watchdog reports.
    pub(in crate::agent) fn look(&mut self, mut say: impl FnMut(&Logger, Level, &str)) -> Findings {
        let (state, is_thread_blocked) = (self.progress.state(), self.threads.is_any_blocked());
        let asked = self.stop.asked_at().map(|asked| (asked, self.progress.stop_limit()));
        // While no thread is blocked, the tasks are not even listed.
        let tasks = if is_thread_blocked { self.progress.in_calls() } else { Vec::new() };
        let moment = Moment { state: &state, call: self.progress.call(), tasks: &tasks, asked };
        let now = Instant::now();
        let before = std::mem::replace(&mut self.last_look, now);
        self.watchdog.skip_pause(now.duration_since(before), now);
        let end = self.watchdog.look(&moment, now);
        let blocked = end.and_then(|_| self.watchdog.blocked(now));
        for report in self.watchdog.take_reports() {
            let log = report.plugin.map_or_else(|| self.loggers.of_agent(), |plugin| self.loggers.get(plugin));
            say(&log, report.level, &report.what);
        }
        Findings { end, blocked, is_calm: matches!(state, State::Runs) && asked.is_none(), is_thread_blocked }
    }
}
