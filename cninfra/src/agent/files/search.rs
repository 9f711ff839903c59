//! [`Search`]: which files do not answer beside the one that is waited for, and what comes of reading all others.

use super::reading::Reading;
use crate::{config::At, foreign::Panic};
use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, sync_channel},
    time::Duration,
};

/// So often within the time that files have it is seen whether one is waited for, and at least as often as this.
const TICKS: u32 = 50;
const LONGEST_TICK: Duration = Duration::from_millis(100);

/// How often a search is to look, within this time.
pub(in crate::agent) fn tick(limit: Duration) -> Duration {
    (limit / TICKS).clamp(Duration::from_millis(1), LONGEST_TICK)
}

/// How all is read again without these files; `None` where nothing is known without them.
pub(in crate::agent) type Again<S> = Box<dyn Fn(&[PathBuf]) -> Option<(At, Box<dyn FnOnce() -> S + Send>)> + Send>;

/// While a reading waits for a file, all is read again without that one, and without each that is found so: all files have the same time, and what
/// is said by those that answer is known when it is over.
pub(in crate::agent) struct Search<S> {
    again: Again<S>,
    /// Of the reading that is waited for.
    first: Watched,
    others: Vec<Other<S>>,
}

/// A file that does not answer, and what waits for it.
#[derive(Debug)]
pub(in crate::agent) struct Silent {
    pub(in crate::agent) path: PathBuf,
    pub(super) reading: Reading,
}

impl Silent {
    /// What waits for it has not come back.
    pub(super) fn is_silent(&self) -> bool {
        self.reading.waits_for().is_some_and(|path| path == self.path)
    }
}

/// A reading without some files.
struct Other<S> {
    without: Vec<PathBuf>,
    reading: Reading,
    watched: Watched,
    said: Receiver<S>,
}

/// Where a reading is.
struct Watched {
    at: At,
    /// For which file it waited when it was seen last.
    before: Option<PathBuf>,
}

impl Watched {
    fn new(at: At) -> Self {
        Watched { at, before: None }
    }

    /// The file that it has waited for since it was seen last.
    fn stays(&mut self) -> Option<PathBuf> {
        let now = self.at.waits_for();
        let before = std::mem::replace(&mut self.before, now.clone());
        now.filter(|now| Some(now) == before.as_ref())
    }
}

impl<S: Send + 'static> Search<S> {
    /// Beside the reading that is there.
    pub(in crate::agent) fn new(at: At, again: Again<S>) -> Self {
        Search { again, first: Watched::new(at), others: Vec::new() }
    }

    /// Looks whether a file is waited for that was before, and reads without it if so. It waits for nothing itself.
    pub(in crate::agent) fn look(&mut self) {
        let mut silent: Vec<PathBuf> = self.first.stays().into_iter().collect();
        let mut goes_on = false;
        for other in &mut self.others {
            let stays = other.watched.stays();
            // of one that is not the last, only the file that it waits for is of interest
            goes_on = stays.is_none() && !other.reading.is_done();
            silent.extend(stays);
        }
        silent.sort_unstable();
        silent.dedup();
        let is_new = self.others.last().is_none_or(|last| last.without != silent);
        if silent.is_empty() || goes_on || !is_new {
            return;
        }
        let Some((at, read)) = (self.again)(&silent) else { return };
        let (says, said) = sync_channel(1);
        // who waits may have gone; one that panics says nothing
        let done = move |read: Result<S, Panic>| drop(read.map(|read| says.try_send(read)));
        // without a thread it is tried again
        if let Ok(reading) = Reading::begin(at.clone(), read, done) {
            self.others.push(Other { without: silent, reading, watched: Watched::new(at), said });
        }
    }

    /// The time is over: the other files that do not answer, each once, and what those say that do; `None` where that is not known yet.
    pub(in crate::agent) fn end(self, first: &PathBuf) -> (Vec<Silent>, Option<S>) {
        let mut silent: Vec<Silent> = Vec::new();
        let mut said = None;
        for other in self.others {
            said = other.said.try_recv().ok().or(said);
            // one that was not seen before may answer yet
            let path = other.watched.at.waits_for().filter(|path| Some(path) == other.watched.before.as_ref());
            if let Some(path) = path
                && path != *first
                && silent.iter().all(|silent| silent.path != path)
            {
                silent.push(Silent { path, reading: other.reading });
            }
        }
        (silent, said)
    }
}
