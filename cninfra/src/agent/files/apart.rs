//! Threads apart, for what may block: what is logged there goes where it goes here.

use std::{
    io,
    thread::{Builder, JoinHandle},
};
use tracing::{
    Dispatch,
    dispatcher::{get_default, with_default},
    subscriber::NoSubscriber,
};

/// Where a thread logs to, where that is a subscriber of its own; else the process may get one yet.
#[derive(Clone)]
pub(in crate::agent) struct Log(Option<Dispatch>);

impl Log {
    /// That of this thread.
    pub(in crate::agent) fn here() -> Self {
        Log(Some(get_default(Clone::clone)).filter(|log| !log.is::<NoSubscriber>()))
    }

    /// What is logged meanwhile goes there.
    pub(in crate::agent) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(log) => with_default(log, run),
            None => run(),
        }
    }
}

/// Runs on a thread of its own, of this name.
pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let log = Log::here();
    Builder::new().name(name.to_string()).spawn(move || log.during(run))
}
