//! [`Readers`]: the reading threads.

use crate::disk::Disk;
use cninfra::client::ThreadWork;
use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How many reads may wait; further callers wait for a place.
const PLACES: usize = 1024;
const THREADS: usize = 2;

type Read = Box<dyn FnOnce(&Disk) + Send>;

/// The reading threads. Reads have threads of their own, since they may wait for the disk.
pub(crate) struct Readers {
    queue: Arc<Queue>,
    places: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    reads: VecDeque<(Read, OwnedSemaphorePermit)>,
    closed: bool,
}

/// The store was closed, or the read has panicked.
#[derive(Debug)]
pub(crate) struct Closed;

impl Readers {
    pub(crate) fn start(disk: &(impl AsRef<Disk> + Clone + Send + 'static)) -> io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let readers =
            Readers { queue: queue.clone(), places: Arc::new(Semaphore::new(PLACES)), threads: Mutex::default() };
        for _ in 0..THREADS {
            let (queue, disk) = (queue.clone(), disk.clone());
            let thread = thread::Builder::new().name("embedded-read".to_string()).spawn(move || {
                while let Some((read, place)) = queue.next() {
                    // redb panics over some damaged data. The thread goes on with other reads, and the caller sees that
                    // there is no answer.
                    let _ = catch_unwind(AssertUnwindSafe(|| read(disk.as_ref())));
                    drop(place);
                }
            });
            match thread {
                Ok(thread) => readers.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread),
                Err(error) => {
                    readers.close();
                    return Err(error);
                }
            }
        }
        Ok(readers)
    }

    /// Runs a read. If this future is dropped before the read has begun, it does not run.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Disk) -> T + Send + 'static,
    ) -> Result<T, Closed> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| Closed)?;
        let (answer, answered) = oneshot::channel();
        let work = ThreadWork::begin();
        let read = Box::new(move |disk: &Disk| {
            // Until the answer is sent.
            let _work = work;
            if !answer.is_closed() {
                let _ = answer.send(read(disk));
            }
        });
        {
            let mut waiting = self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.closed {
                return Err(Closed);
            }
            waiting.reads.push_back((read, place));
        }
        self.queue.changed.notify_one();
        answered.await.map_err(|_| Closed)
    }

    /// Accepts no more reads. What is queued is still done.
    pub(crate) fn close(&self) {
        self.places.close();
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.queue.changed.notify_all();
    }

    /// Waits until the threads have ended. Call [`close`](Self::close) first.
    pub(crate) fn join(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that has panicked has ended too.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn next(&self) -> Option<(Read, OwnedSemaphorePermit)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(read) = waiting.reads.pop_front() {
                return Some(read);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
