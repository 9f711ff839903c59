//! The tasks of an agent's plugins: every task has an owner, which ends with it or before it.

mod guarded;

use crate::{BoxFuture, Context, Result, agent::Cause};
use guarded::Guarded;
use std::{
    collections::HashMap,
    future::Future,
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{self, Poll},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinError, JoinHandle},
    time::{Instant, timeout_at},
};

/// What is ended has this long at least to see it, however little is left of the time to stop.
const AT_LEAST: Duration = Duration::from_millis(100);
/// When none of those that are to end has ended for so long, the others block their threads: the time that is left is for the
/// plugins below.
const AT_MOST: Duration = Duration::from_millis(500);

/// The tasks of one agent that still run.
#[derive(Default)]
pub(crate) struct Registry {
    live: Mutex<Live>,
    /// Told when a task has ended.
    ended: Notify,
}

struct Live {
    next: u64,
    tasks: HashMap<u64, Entry>,
    /// Plugins at or after this place have closed: no task of theirs begins any more.
    open: usize,
    /// How many have ended that were told to.
    obeyed: usize,
}

impl Default for Live {
    fn default() -> Self {
        Live { next: 0, tasks: HashMap::new(), open: usize::MAX, obeyed: 0 }
    }
}

struct Entry {
    place: usize,
    name: &'static str,
    /// None for the moment before it is spawned.
    abort: Option<AbortHandle>,
    /// To be ended as soon as it is spawned.
    doomed: bool,
}

/// A task that was ended, since its plugin had left it behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Left {
    pub(crate) place: usize,
    pub(crate) name: &'static str,
    /// It blocks its thread: it did not end in time.
    pub(crate) stuck: bool,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task is about to be spawned; none after its plugin has closed.
    fn enter(&self, place: usize, name: &'static str) -> Option<u64> {
        let mut live = self.lock();
        if place >= live.open {
            return None;
        }
        live.next += 1;
        let id = live.next;
        live.tasks.insert(id, Entry { place, name, abort: None, doomed: false });
        Some(id)
    }

    /// It has been spawned, and may have ended already.
    fn spawned(&self, id: u64, abort: AbortHandle) {
        if let Some(entry) = self.lock().tasks.get_mut(&id) {
            if entry.doomed {
                abort.abort();
            }
            entry.abort = Some(abort);
        }
    }

    /// It has ended, and what it held is dropped.
    fn leave(&self, id: u64) {
        // dropped after the lock
        let _entry = {
            let mut live = self.lock();
            let entry = live.tasks.remove(&id);
            live.obeyed += usize::from(entry.as_ref().is_some_and(|entry| entry.doomed));
            entry
        };
        self.ended.notify_waiters();
    }

    /// Ends all tasks at their next await point, without waiting for it; no more begin.
    pub(crate) fn abort_all(&self) {
        let mut live = self.lock();
        live.open = 0;
        live.tasks.values_mut().for_each(Entry::abort);
    }

    /// Ends what the plugins at `places` have left behind. No more begins there, nor in those after them: what a task spawns
    /// while it ends would run on beside plugins that close. Waits for it until `ends`, or a moment longer.
    pub(crate) async fn end(&self, places: std::ops::Range<usize>, ends: Instant) -> Vec<Left> {
        let mut left: Vec<(u64, Left)> = Vec::new();
        let before = {
            let mut live = self.lock();
            live.open = live.open.min(places.start);
            for (id, entry) in live.tasks.iter_mut().filter(|(_, entry)| places.contains(&entry.place)) {
                entry.abort();
                left.push((*id, Left { place: entry.place, name: entry.name, stuck: false }));
            }
            live.obeyed
        };
        if left.is_empty() {
            return Vec::new();
        }
        // an aborted task ends at its next await point, if it has one
        let now = Instant::now();
        let (least, mut quiet, mut seen) = (now + AT_LEAST, now + AT_MOST, 0);
        loop {
            let mut ended = pin!(self.ended.notified());
            // from here on no end is missed
            ended.as_mut().enable();
            let obeyed = {
                let live = self.lock();
                let obeyed = live.obeyed - before;
                // counted first, since they may be many
                if obeyed >= left.len() && !left.iter().any(|(id, _)| live.tasks.contains_key(id)) {
                    break;
                }
                obeyed
            };
            if obeyed > seen {
                (seen, quiet) = (obeyed, Instant::now() + AT_MOST);
            }
            let ends = ends.min(quiet).max(least);
            if timeout_at(ends, ended).await.is_err() {
                break;
            }
        }
        left.sort_by_key(|(id, _)| *id);
        let live = self.lock();
        left.into_iter().map(|(id, left)| Left { stuck: live.tasks.contains_key(&id), ..left }).collect()
    }
}

impl Entry {
    fn abort(&mut self) {
        self.doomed = true;
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

impl Context {
    /// Runs `future` as a task of this plugin, on the runtime of the agent.
    ///
    /// A task that still runs when its plugin has closed is ended then, with a warning in the log. One that panics is
    /// told in the log, and ends the agent: in order, and with exit code 1. After its plugin has closed none begins.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        spawn(self, name, Box::pin(future))
    }

    /// Runs `future` as a task of this plugin whose end ends the agent: what the agent is there for, such as a job that
    /// has an end, or a loop that has none unless something is broken.
    ///
    /// With `Ok` the agent stops in order, with exit code 0; one that ends while the agent starts lets it start first. With an
    /// error, or a panic, it stops in order too, but [`Agent::run`](crate::Agent::run) gives the error, and the exit code
    /// is 1; a start that is not done then fails with it.
    ///
    /// ```
    /// use cninfra::prelude::*;
    ///
    /// #[plugin]
    /// struct Import;
    ///
    /// impl Lifecycle for Import {
    ///     async fn after_init(&self, cx: &Context) -> Result<()> {
    ///         let log = cx.log();
    ///         cx.spawn_main("import", async move {
    ///             log.info("all is imported");
    ///             Ok(())
    ///         });
    ///         Ok(())
    ///     }
    /// }
    ///
    /// #[derive(Flavor)]
    /// struct Job {
    ///     import: Dep<Import>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    /// Agent::<Job>::start().await?.run().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn_main(
        &self,
        name: &'static str,
        future: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Task<()> {
        let cx = self.clone();
        let future: BoxFuture<'static, Result<()>> = Box::pin(future);
        spawn(
            self,
            name,
            Box::pin(async move {
                match future.await {
                    Ok(()) => {
                        cx.log().info(format_args!("`{name}` has ended: the agent stops"));
                        cx.main_ended();
                    }
                    Err(error) => cx.task_failed(name, Cause::Failed(error)),
                }
            }),
        )
    }
}

// not generic in the future: compiled once for each type of result
fn spawn<T: Send + 'static>(cx: &Context, name: &'static str, future: BoxFuture<'static, T>) -> Task<T> {
    let id = cx.tasks().enter(cx.place(), name);
    let handle = tokio::spawn(Guarded::new(cx.clone(), name, id, future));
    match id {
        Some(id) => cx.tasks().spawned(id, handle.abort_handle()),
        None => {
            cx.log().warn(format_args!("task `{name}` does not begin: its plugin has closed"));
            handle.abort();
        }
    }
    Task(handle)
}

/// A task of a plugin: see [`Context::spawn`](crate::Context::spawn). Awaited, it gives the task's result; dropped, it
/// lets the task run on until its plugin has closed.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    /// Ends the task at its next await point. Await the task afterwards: it has ended then.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Has it ended?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}
