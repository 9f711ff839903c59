//! [`Hook`]: panics of a process are records of its log, as all else.

use super::{backtrace::Wanted, progress::Progress};
use crate::{
    foreign::{Panic, Who, message},
    logging::{BACKTRACE, Level, Loggers},
};
use std::{
    panic::{Location, PanicHookInfo, set_hook, take_hook},
    sync::Arc,
    thread,
};

type Before = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The panic hook of a process whose whole job is its agent. When this is dropped, that of before is back.
pub(super) struct Hook(Option<Before>);

impl Hook {
    /// Logs each panic where it happens: by the logger of the plugin, with what that was doing, and the way to it where somebody wants to
    /// see it.
    pub(super) fn set(loggers: &Loggers, progress: &Arc<Progress>, backtrace: Wanted) -> Self {
        let (before, loggers, progress) = (take_hook(), loggers.clone(), progress.clone());
        set_hook(Box::new(move |panic| log(&loggers, &progress, panic, backtrace)));
        Hook(Some(before))
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // a thread that panics can not set it
        if let Some(before) = self.0.take().filter(|_| !thread::panicking()) {
            set_hook(before);
        }
    }
}

fn log(loggers: &Loggers, progress: &Progress, panic: &PanicHookInfo<'_>, backtrace: Wanted) {
    let message = message(panic.payload());
    let location = panic.location().unwrap_or(Location::caller());
    let is_told = !Panic::is_quiet();
    if is_told {
        tell(loggers, progress, (&message, location), backtrace);
    }
    let is_traced = is_told && backtrace != Wanted::Nothing;
    Panic { message, location: Some(location.to_string()), is_traced }.note();
}

fn tell(loggers: &Loggers, progress: &Progress, (message, location): (&str, &Location<'_>), backtrace: Wanted) {
    let who = progress.called_here().or_else(Who::now);
    let mut log = who.map_or_else(|| loggers.of_agent(), |who| loggers.get(who.plugin));
    match who {
        Some(Who { task: Some(task), .. }) => log = log.with("task", task),
        Some(Who { phase: Some(phase), .. }) => log = log.with("phase", phase.name()),
        _ => {}
    }
    if let Some(way) = backtrace.capture() {
        log = log.with(BACKTRACE, way);
    }
    log.log_at(Level::Error, &format_args!("panicked: {message}"), location);
}
