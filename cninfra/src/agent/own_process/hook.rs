//! [`Hook`]: the panic hook that writes the panics of a process as log records.

use super::backtrace::Wanted;
use crate::{
    Logger,
    agent::run::progress::{ForeignCall, Progress},
    foreign::{Panic, Who, message},
    logging::{BACKTRACE, Level, Loggers},
};
use std::{
    panic::{Location, PanicHookInfo, set_hook, take_hook},
    sync::Arc,
    thread,
};

type Before = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The panic hook of a process that only runs its agent. When it is dropped, the previous hook is restored.
pub(super) struct Hook(Option<Before>);

impl Hook {
    /// Logs each panic where it happens: by the logger of the plugin, with the step or task, or the call into its code
    /// by another plugin, and with a backtrace if one is wanted.
    pub(super) fn set(loggers: &Loggers, progress: &Arc<Progress>, backtrace: Wanted) -> Self {
        let (before, loggers, progress) = (take_hook(), loggers.clone(), progress.clone());
        set_hook(Box::new(move |panic| log(&loggers, &progress, panic, backtrace)));
        Hook(Some(before))
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // A thread that is panicking cannot set the hook.
        if let Some(before) = self.0.take().filter(|_| !thread::panicking()) {
            set_hook(before);
        }
    }
}

fn log(loggers: &Loggers, progress: &Progress, panic: &PanicHookInfo<'_>, backtrace: Wanted) {
    let message = message(panic.payload());
    let location = panic.location().unwrap_or(Location::caller());
    let is_reported = !Panic::is_quiet();
    // A call of foreign code is the innermost: it is made by a plugin that is itself being called, or by a task.
    let called = if is_reported { progress.foreign_call_here() } else { None };
    if is_reported {
        log_panic(loggers, progress, called.as_ref(), (&message, location), backtrace);
    }
    let is_traced = is_reported && backtrace != Wanted::Nothing;
    Panic { message, location: Some(location.to_string()), is_traced, is_logged: called.is_some() }.note();
}

fn log_panic(
    loggers: &Loggers,
    progress: &Progress,
    called: Option<&ForeignCall>,
    (message, location): (&str, &Location<'_>),
    backtrace: Wanted,
) {
    let (mut log, what) = match called {
        Some(ForeignCall { owner, what }) => (loggers.get(owner), format!("the {what} panicked: {message}")),
        None => (of_step(loggers, progress), format!("panicked: {message}")),
    };
    if let Some(trace) = backtrace.capture() {
        log = log.with(BACKTRACE, trace);
    }
    log.log_at(Level::Error, &what, location);
}

/// The logger of the plugin whose step or task runs on this thread, with the name of the task or phase; otherwise the
/// agent's logger.
fn of_step(loggers: &Loggers, progress: &Progress) -> Logger {
    let who = progress.called_here().or_else(Who::now);
    let log = who.map_or_else(|| loggers.of_agent(), |who| loggers.get(who.plugin));
    match who {
        Some(Who { task: Some(task), .. }) => log.with("task", task),
        Some(Who { phase: Some(phase), .. }) => log.with("phase", phase.name()),
        _ => log,
    }
}
