//! The tasks of an agent's plugins. Every task has an owner, and ends no later than it.

mod caller;
mod callers;
mod guarded;
mod mark;
mod registry;
mod slowest;

pub use caller::Caller;
pub use callers::Called;
pub(crate) use callers::CallerInCall;
pub(crate) use mark::Mark;
pub(crate) use registry::{Kind, LeftTask, Registry, TaskInCall};
pub(crate) use slowest::Slowest;

use crate::{BoxFuture, Context, Error, Result, agent::Cause};
use guarded::Guarded;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{self, Poll},
};
use tokio::task::{JoinError, JoinHandle};

impl Context {
    /// Runs `future` as a task of this plugin, on the agent's runtime.
    ///
    /// It is for work that the plugin ends itself in `close`: keep the [`Task`] and abort and await it, or tell it to
    /// return. For work that may be ended at any await point there is
    /// [`spawn_until_close`](Context::spawn_until_close).
    ///
    /// A task that is still running 50 ms after its plugin has closed is ended, with a warning in the log. After the
    /// plugin has closed, no task starts any more. A panic in a task is logged and stops the agent in order, with exit
    /// code 1. A task that blocks its thread is named in the log, and is an error of the stop.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        spawn(self, name, Kind::Task, Box::pin(future))
    }

    /// Runs `future` as a background task of this plugin until the plugin closes, such as an endless loop.
    ///
    /// The agent ends the task, and waits until it has ended, after the plugin has drained and before its `close` is
    /// called. This also holds if the plugin has no `close`, or if its `init` has failed. Once `close` has begun, no
    /// task starts any more. Otherwise such a task is like one of [`spawn`](Context::spawn).
    ///
    /// ```
    /// use cninfra::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[plugin]
    /// struct Sweeper;
    ///
    /// impl Lifecycle for Sweeper {
    ///     async fn init(&self, cx: &Context) -> Result<()> {
    ///         let log = cx.log();
    ///         cx.spawn_until_close("sweep", async move {
    ///             loop {
    ///                 tokio::time::sleep(Duration::from_secs(60)).await;
    ///                 log.info("swept");
    ///             }
    ///         });
    ///         Ok(())
    ///     }
    /// }
    /// # #[derive(Flavor)]
    /// # struct Swept {
    /// #     sweeper: Dep<Sweeper>,
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    /// # Agent::<Swept>::start().await?.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// The future is dropped at the await point where it is. Work that must not be interrupted belongs in a task of
    /// [`spawn`](Context::spawn) that `close` tells to return, and awaits.
    pub fn spawn_until_close<T: Send + 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        spawn(self, name, Kind::UntilClose, Box::pin(future))
    }

    /// Runs `future` as a task of this plugin, and stops the agent when it ends. It is for what the agent is there for:
    /// a job that comes to an end, or a loop that ends only if something is broken.
    ///
    /// If it returns `Ok`, the agent stops in order, with exit code 0; if the agent is still starting, the start is
    /// completed first. If it returns an error or panics, the agent stops in order too, but
    /// [`Agent::run`](crate::Agent::run) returns the error, and the exit code is 1; a start that is not complete fails
    /// with that error. A task that is [aborted](Task::abort) by the holder of its handle before the agent stops has
    /// failed, too.
    ///
    /// If the agent stops for another reason, such as a signal, the task runs until its plugin has drained. Then it is
    /// ended before `close` is called, like a task of [`spawn_until_close`](Context::spawn_until_close).
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
    /// # Cancel safety
    /// The future is dropped at the await point where it is. To finish work that must not be interrupted, tell the task
    /// to return in the plugin's `drain`, and await the [`Task`] there.
    pub fn spawn_main(
        &self,
        name: &'static str,
        future: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Task<()> {
        let (cx, aborted) = (self.clone(), Arc::new(AtomicBool::new(false)));
        let future: BoxFuture<'static, Result<()>> = Box::pin(future);
        // Moved into the task, so that it is dropped with it, even if the task never runs.
        let mut watched = MainTask { cx: self.clone(), name, aborted: aborted.clone(), ended: false };
        let task = spawn(
            self,
            name,
            Kind::UntilClose,
            Box::pin(async move {
                let ended = future.await;
                watched.has_ended();
                match ended {
                    Ok(()) => {
                        cx.log().info(format_args!("`{name}` has ended: the agent stops"));
                        cx.main_ended();
                    }
                    Err(error) => cx.task_failed(name, Cause::Failed(error)),
                }
            }),
        );
        Task { aborted: Some(aborted), ..task }
    }
}

/// Notices a main task that was aborted through its handle.
struct MainTask {
    cx: Context,
    name: &'static str,
    aborted: Arc<AtomicBool>,
    ended: bool,
}

impl MainTask {
    fn has_ended(&mut self) {
        self.ended = true;
    }
}

impl Drop for MainTask {
    fn drop(&mut self) {
        // During the stop, a plugin may end its tasks.
        if !self.ended && self.aborted.load(Ordering::Relaxed) && !self.cx.status_registry().is_stopping() {
            let error = Error::msg("it was aborted").with_help("end a main task by letting it return");
            self.cx.task_failed(self.name, Cause::Failed(error));
        }
    }
}

// Not generic over the future, so that it is compiled once for each type of result.
fn spawn<T: Send + 'static>(cx: &Context, name: &'static str, kind: Kind, future: BoxFuture<'static, T>) -> Task<T> {
    let (id, mark) = cx.tasks().enter(cx.place(), name, kind).unzip();
    let handle = cx.tasks().runtime().spawn(Guarded::new(cx.clone(), name, (id, mark.unwrap_or_default()), future));
    match id {
        Some(id) => cx.tasks().spawned(id, handle.abort_handle()),
        None => {
            cx.log().warn(format_args!("task `{name}` does not begin: its plugin closes, or has closed"));
            handle.abort();
        }
    }
    Task { handle, aborted: None }
}

/// Spawns a probe of the plugin, which replaces an earlier one. Does nothing if the agent is stopping.
pub(crate) fn spawn_probe(cx: &Context, probe: BoxFuture<'static, ()>) {
    const NAME: &str = "probe";
    if let Some((id, mark)) = cx.tasks().enter(cx.place(), NAME, Kind::Probe) {
        let handle = cx.tasks().runtime().spawn(Guarded::new(cx.clone(), NAME, (Some(id), mark), probe));
        cx.tasks().spawned(id, handle.abort_handle());
    }
}

/// The log record about a task that its plugin has left behind, after the task's name.
pub(crate) const LEFT: &str = "` still ran after close: it is ended";
/// The help in that record.
pub(crate) const END_IT: &str = "spawn it by `spawn_until_close`, or abort and await it in `close`";

/// A task of a plugin: see [`Context::spawn`](crate::Context::spawn). Awaiting it gives the task's result. Dropping it
/// lets the task run on until its plugin has closed.
#[derive(Debug)]
pub struct Task<T> {
    handle: JoinHandle<T>,
    /// For a main task: whether it was aborted through this handle.
    aborted: Option<Arc<AtomicBool>>,
}

impl<T> Task<T> {
    /// Ends the task at its next await point. To wait until it has ended, await it afterwards.
    ///
    /// A [main task](crate::Context::spawn_main) that is aborted before the agent stops has failed.
    pub fn abort(&self) {
        if let Some(aborted) = &self.aborted {
            aborted.store(true, Ordering::Relaxed);
        }
        self.handle.abort();
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(cx)
    }
}
