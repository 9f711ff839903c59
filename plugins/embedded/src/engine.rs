//! [`Engine`]: a running store: its threads, and how they are given work.

use crate::{
    clock::Clock,
    committer::{Committer, Message},
    disk::{Disk, is_of_the_disk},
    medium::Medium,
    read::{ReadResult, RevisionBounds},
    readers::Readers,
    shared::Shared,
    work::{Done, Job, Work},
};
use cninfra::{
    client::ThreadWork,
    keyval::{Applied, Asked, KvError, Reason, Result},
};
use redb::ReadTransaction;
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::Ordering,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, oneshot, watch};

/// How many jobs may wait; further callers wait for a place.
const PLACES: usize = 1024;

const PANICKED: &str = "a thread of the store has panicked, and has gone on";

/// The settings of a store.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) keep_revisions: u64,
    pub(crate) cache: usize,
    pub(crate) timeout: Duration,
}

pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    readers: Readers,
    messages: Sender<Message>,
    places: Arc<Semaphore>,
    clock: Clock,
    timeout: Duration,
    /// The thread returns whether it has panicked.
    committer: Mutex<Option<JoinHandle<bool>>>,
    closed: watch::Sender<bool>,
}

/// The disk of [`Shared`], as the readers take it.
#[derive(Clone)]
struct OfShared(Arc<Shared>);

impl AsRef<Disk> for OfShared {
    fn as_ref(&self) -> &Disk {
        &self.0.disk
    }
}

impl Engine {
    /// Opens a store. This blocks the thread.
    pub(crate) fn open(medium: Box<dyn Medium>, limits: Limits) -> Result<Self> {
        let disk = Disk::open(medium, limits.cache)?;
        let numbers = disk.read(RevisionBounds::read).map_err(|error| disk.not_opened(&error))?;
        let shared = Arc::new(Shared::new(disk, limits.keep_revisions, numbers.revision));
        let (messages, queue) = mpsc::channel();
        let mut committer = Committer::new(shared.clone(), queue);
        committer.resume().map_err(|error| shared.disk.not_opened(&error))?;
        let no_thread = |error: io::Error| KvError::new("open", Reason::Other).not_applied().because(error);
        let clock = Clock::start().map_err(no_thread)?;
        let readers = Readers::start(&OfShared(shared.clone())).map_err(no_thread)?;
        let committer = thread::Builder::new().name("embedded-write".to_string()).spawn(move || committer.run());
        let committer = match committer {
            Ok(committer) => Mutex::new(Some(committer)),
            Err(error) => {
                readers.close();
                return Err(no_thread(error));
            }
        };
        let (places, closed) = (Arc::new(Semaphore::new(PLACES)), watch::Sender::new(false));
        Ok(Engine { shared, readers, messages, places, clock, timeout: limits.timeout, committer, closed })
    }

    /// Has work done by the committer.
    pub(crate) async fn submit(&self, work: Work) -> Result<Done> {
        let asked = work.asked();
        let (answer, answered) = oneshot::channel();
        let began = Instant::now();
        let place = match self.clock.within(self.timeout, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(self.no_answer(&asked, Applied::No)),
            Err(_) => return Err(self.timeout_error(&asked, Applied::No)),
        };
        let job = Job { work, answer: Some(answer), _place: Some(place), _thread: ThreadWork::begin() };
        if self.messages.send(Message::Job(job)).is_err() {
            return Err(self.no_answer(&asked, Applied::No));
        }
        match self.clock.within(self.timeout.saturating_sub(began.elapsed()), answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(self.no_answer(&asked, Applied::Unknown)),
            Err(_) => Err(self.timeout_error(&asked, Applied::Unknown)),
        }
    }

    /// Reads on a thread of the store.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        asked: Asked,
        read: impl FnOnce(&ReadTransaction) -> ReadResult<T> + Send + 'static,
    ) -> Result<std::result::Result<T, crate::read::UnreadableRevision>> {
        let (shared, messages, described) = (self.shared.clone(), self.messages.clone(), asked.clone());
        let read = self.readers.read(move |disk| {
            disk.read(read).map_err(|error| {
                // After an error of the disk, redb does not read either, until the database is opened again.
                if is_of_the_disk(&error) && !shared.broken.swap(true, Ordering::AcqRel) {
                    let _ = messages.send(Message::Broken);
                }
                disk.error(&described, &error, Applied::No)
            })
        });
        match self.clock.within(self.timeout, read).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(self.no_answer(&asked, Applied::No)),
            Err(_) => Err(self.timeout_error(&asked, Applied::No)),
        }
    }

    /// Completes when the store is closed.
    pub(crate) async fn ended(&self) {
        // The wait cannot fail, since the sender is in `self`.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// The error for a call to a closed store.
    pub(crate) fn closed_error(&self, asked: &Asked) -> KvError {
        asked.error(Reason::Closed, Applied::No).at(self.shared.disk.name().clone())
    }

    /// The error if the thread that should have answered is gone: the store is closed, or that thread has panicked.
    fn no_answer(&self, asked: &Asked, applied: Applied) -> KvError {
        let reason = if self.is_closed() { Reason::Closed } else { Reason::Other };
        let error = asked.error(reason.clone(), applied).at(self.shared.disk.name().clone());
        if reason == Reason::Closed { error } else { error.because(PANICKED) }
    }

    fn timeout_error(&self, asked: &Asked, applied: Applied) -> KvError {
        let error = asked.error(Reason::TimedOut(self.timeout), applied).at(self.shared.disk.name().clone());
        error.with_help("the disk is slow or hangs; `timeout` says how long is waited for it")
    }

    /// Accepts no more work. What is queued is still done.
    pub(crate) fn begin_to_close(&self) {
        self.closed.send_replace(true);
        self.places.close();
        self.readers.close();
        // If the committer is gone, it needs no message.
        let _ = self.messages.send(Message::Close);
    }

    /// Waits until all threads have ended, and closes the database. This blocks the thread. An error if the writing
    /// thread has panicked.
    pub(crate) fn join(&self) -> Result<()> {
        // Held until the end, so that concurrent callers wait as long.
        let mut committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
        self.readers.join();
        let panicked = committer.take().is_some_and(|committer| committer.join().unwrap_or(true));
        self.shared.disk.close();
        if !panicked {
            return Ok(());
        }
        let error = KvError::new("close", Reason::Other).not_applied();
        Err(error.at(self.shared.disk.name().clone()).because(PANICKED))
    }
}

impl Drop for Engine {
    /// The threads end by themselves. To wait for that, close the store.
    fn drop(&mut self) {
        self.begin_to_close();
    }
}
