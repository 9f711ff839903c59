//! [`Reading`]: a thread that reads the config, and what it waits for.

use super::apart;
use crate::{
    config::At,
    foreign::{Panic, guard},
};
use std::{io, path::PathBuf, thread::JoinHandle};

/// What reads.
#[derive(Debug)]
pub(in crate::agent) struct Reading {
    pub(super) at: At,
    thread: JoinHandle<()>,
}

impl Reading {
    /// Reads, and says what came of it. A thread that does not come back is left to itself: nothing can end it, and a runtime would wait for
    /// one of its own when it is dropped.
    ///
    /// # Errors
    /// There is no thread.
    pub(in crate::agent) fn begin<T>(
        at: At,
        read: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(Result<T, Panic>) + Send + 'static,
    ) -> io::Result<Self> {
        let reads = at.clone();
        let thread = apart::spawn("cninfra-config", move || done(guard(|| reads.during(read))))?;
        Ok(Reading { at, thread })
    }

    /// It has come back.
    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// The file that it looked at last; `None` where it has come back.
    pub(super) fn waits_for(&self) -> Option<PathBuf> {
        (!self.is_done()).then(|| self.at.path())
    }
}
