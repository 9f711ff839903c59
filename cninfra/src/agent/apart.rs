//! Threads apart, for what may block: what is logged there goes where it goes here.

use std::{
    io,
    thread::{Builder, JoinHandle},
};
use tracing::{
    dispatcher::{get_default, with_default},
    subscriber::NoSubscriber,
};

/// Runs on a thread of its own, of this name.
pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // the subscriber of this thread, where it has one of its own
    let log = get_default(Clone::clone);
    Builder::new().name(name.to_string()).spawn(move || match log.is::<NoSubscriber>() {
        // the process may get one yet
        true => run(),
        false => with_default(&log, run),
    })
}
