//! [`Search`]: finds the other files that do not answer while one is waited for, and what the remaining files contain.

use super::reading::Reading;
use crate::{config::At, foreign::Panic};
use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, sync_channel},
    time::Duration,
};

/// How many times a search looks within the limit of the files, unless that is less often than `LONGEST_TICK`.
const TICKS: u32 = 50;
const LONGEST_TICK: Duration = Duration::from_millis(100);

/// The time between two looks of a search with this limit.
pub(in crate::agent) fn tick(limit: Duration) -> Duration {
    (limit / TICKS).clamp(Duration::from_millis(1), LONGEST_TICK)
}

/// How to read everything again without these files; `None` if nothing can be known without them.
pub(in crate::agent) type ReadWithout<S> =
    Box<dyn Fn(&[PathBuf]) -> Option<(At, Box<dyn FnOnce() -> S + Send>)> + Send>;

/// While one thread waits for a file, further threads read everything without that file, and without each further one
/// found in this way. So all files have the same limit, and when it is over, the content of those that answer is known.
pub(in crate::agent) struct Search<S> {
    read_without: ReadWithout<S>,
    /// The reading that the caller waits for.
    first: WatchedReading,
    others: Vec<Other<S>>,
}

/// A file that does not answer, and the thread that waits for it.
#[derive(Debug)]
pub(in crate::agent) struct UnresponsiveFile {
    pub(in crate::agent) path: PathBuf,
    pub(super) reading: Reading,
}

impl UnresponsiveFile {
    /// Whether the thread still waits for the file.
    pub(super) fn is_unresponsive(&self) -> bool {
        self.reading.waits_for().is_some_and(|path| path == self.path)
    }
}

/// A reading that leaves out some files.
struct Other<S> {
    without: Vec<PathBuf>,
    reading: Reading,
    watched: WatchedReading,
    result: Receiver<S>,
}

/// The file at which a reading is.
struct WatchedReading {
    at: At,
    /// The file that it waited for at the last look.
    before: Option<PathBuf>,
}

impl WatchedReading {
    fn new(at: At) -> Self {
        WatchedReading { at, before: None }
    }

    /// The file that it waits for, if it is the same as at the last look.
    fn still_waits_for(&mut self) -> Option<PathBuf> {
        let now = self.at.waits_for();
        let before = std::mem::replace(&mut self.before, now.clone());
        now.filter(|now| Some(now) == before.as_ref())
    }
}

impl<S: Send + 'static> Search<S> {
    /// A search for a reading that has begun.
    pub(in crate::agent) fn new(at: At, read_without: ReadWithout<S>) -> Self {
        Search { read_without, first: WatchedReading::new(at), others: Vec::new() }
    }

    /// Checks whether a reading still waits for the same file as at the last look, and if so starts one without it.
    /// Does not block.
    pub(in crate::agent) fn look(&mut self) {
        let mut unresponsive: Vec<PathBuf> = self.first.still_waits_for().into_iter().collect();
        let mut goes_on = false;
        for other in &mut self.others {
            let stays = other.watched.still_waits_for();
            // Of all but the last reading, only the file that it waits for matters.
            goes_on = stays.is_none() && !other.reading.is_done();
            unresponsive.extend(stays);
        }
        unresponsive.sort_unstable();
        unresponsive.dedup();
        let is_new = self.others.last().is_none_or(|last| last.without != unresponsive);
        if unresponsive.is_empty() || goes_on || !is_new {
            return;
        }
        let Some((at, read)) = (self.read_without)(&unresponsive) else { return };
        let (sender, result) = sync_channel(1);
        // The receiver may be gone. A reading that panics sends nothing.
        let done = move |read: Result<S, Panic>| drop(read.map(|read| sender.try_send(read)));
        // If there is no thread, the next look tries again.
        if let Ok(reading) = Reading::begin(at.clone(), read, done) {
            self.others.push(Other { without: unresponsive, reading, watched: WatchedReading::new(at), result });
        }
    }

    /// Ends the search when the time is over: returns the other files that do not answer, each once, and the result
    /// without them, `None` if there is none yet.
    pub(in crate::agent) fn end(self, first: &PathBuf) -> (Vec<UnresponsiveFile>, Option<S>) {
        let mut unresponsive: Vec<UnresponsiveFile> = Vec::new();
        let mut result = None;
        for other in self.others {
            result = other.result.try_recv().ok().or(result);
            // A file that was not waited for at the last look may still answer.
            let path = other.watched.at.waits_for().filter(|path| Some(path) == other.watched.before.as_ref());
            if let Some(path) = path
                && path != *first
                && unresponsive.iter().all(|unresponsive| unresponsive.path != path)
            {
                unresponsive.push(UnresponsiveFile { path, reading: other.reading });
            }
        }
        (unresponsive, result)
    }
}
