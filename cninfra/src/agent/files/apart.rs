//! Separate threads for calls that may block. They log to the same subscriber as the thread that starts them.

use std::{
    io,
    thread::{Builder, JoinHandle},
};
use tracing::{
    Dispatch,
    dispatcher::{get_default, with_default},
    subscriber::NoSubscriber,
};

/// The subscriber of a thread, or `None` if it has none: then the process may still get a global one.
#[derive(Clone)]
pub(in crate::agent) struct Log(Option<Dispatch>);

impl Log {
    /// The subscriber of this thread.
    pub(in crate::agent) fn here() -> Self {
        Log(Some(get_default(Clone::clone)).filter(|log| !log.is::<NoSubscriber>()))
    }

    /// Calls `run` with this subscriber as the thread's default.
    pub(in crate::agent) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(log) => with_default(log, run),
            None => run(),
        }
    }
}

/// Runs `run` on a new thread with this name.
pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let log = Log::here();
    Builder::new().name(name.to_string()).spawn(move || log.during(run))
}
