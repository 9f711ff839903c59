//! [`Reading`]: a thread that reads the config, and the file that it is waiting for.

use super::apart;
use crate::{
    config::At,
    foreign::{Panic, guard},
};
use std::{io, path::PathBuf, thread::JoinHandle};

/// A thread that reads the config.
#[derive(Debug)]
pub(in crate::agent) struct Reading {
    pub(super) at: At,
    thread: JoinHandle<()>,
}

impl Reading {
    /// Starts to read, and passes the result to `done`. A thread that never returns is abandoned: nothing can end it,
    /// and a runtime that is dropped would wait for a thread of its own.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(in crate::agent) fn begin<T>(
        at: At,
        read: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(Result<T, Panic>) + Send + 'static,
    ) -> io::Result<Self> {
        let thread_at = at.clone();
        let thread = apart::spawn("cninfra-config", move || done(guard(|| thread_at.during(read))))?;
        Ok(Reading { at, thread })
    }

    /// Whether the thread has ended.
    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// The file that it looked at last; `None` if the thread has ended.
    pub(super) fn waits_for(&self) -> Option<PathBuf> {
        (!self.is_done()).then(|| self.at.path())
    }
}
