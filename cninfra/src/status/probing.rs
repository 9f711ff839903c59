//! Probes: plugins that are asked for their state.

use super::State;
use crate::{
    Context, Result,
    agent::{Cause, panic_message},
};
use futures_util::FutureExt as _;
use std::{
    collections::BTreeMap,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::timeout,
};

/// When the agent stops, a probe that blocks its thread is waited for no longer than this.
const END_WITHIN: Duration = Duration::from_millis(500);

/// How a plugin is asked for its state: see [`Context::probe`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Probing {
    /// The time from an answer to the next question. Default: 5 s.
    pub interval: Duration,
    /// An answer that takes longer is an error. Default: 2 s.
    pub timeout: Duration,
}

impl Default for Probing {
    fn default() -> Self {
        Probing { interval: Duration::from_secs(5), timeout: Duration::from_secs(2) }
    }
}

impl Probing {
    /// Every 5 s, within 2 s.
    #[must_use]
    pub fn new() -> Self {
        Probing::default()
    }

    /// The time from an answer to the next question.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// An answer that takes longer is an error.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// The probes of one agent: a task each, so that none waits for another one.
#[derive(Default)]
pub(crate) struct Probes(Mutex<Running>);

#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    /// By place.
    of: BTreeMap<usize, AbortHandle>,
    over: bool,
}

impl Probes {
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, place: usize, probe: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.lock();
        // those that were replaced have ended
        while running.tasks.try_join_next().is_some() {}
        if running.over {
            return;
        }
        let task = running.tasks.spawn(probe);
        if let Some(before) = running.of.insert(place, task) {
            before.abort();
        }
    }

    /// No probe runs any more: so none meets a plugin that is being closed.
    pub(crate) async fn end(&self) {
        let mut tasks = {
            let mut running = self.lock();
            running.over = true;
            std::mem::take(&mut running.tasks)
        };
        if !tasks.is_empty() {
            // one that blocks its thread ends when it can
            let _ = timeout(END_WITHIN, tasks.shutdown()).await;
        }
    }

    /// The same, where nothing can be waited for.
    pub(crate) fn abort(&self) {
        let mut running = self.lock();
        running.over = true;
        running.tasks.abort_all();
    }
}

impl Context {
    /// Has the plugin asked for its state, now and from time to time, until the agent stops: it is well where `probe` gives `Ok`, and in error
    /// where it gives an error, or nothing in time. A plugin that learns of its state by itself reports it
    /// instead: [`Context::status`].
    ///
    /// Every probe has a task of its own. A plugin has one: a later one takes the place of the earlier one. A probe that panics ends the agent, as
    /// every task of a plugin.
    ///
    /// ```
    /// use cninfra::{prelude::*, status::Probing};
    /// use std::time::Duration;
    ///
    /// #[plugin]
    /// struct Store;
    ///
    /// async fn ping() -> Result<()> {
    ///     Ok(())
    /// }
    ///
    /// impl Lifecycle for Store {
    ///     async fn init(&self, cx: &Context) -> Result<()> {
    ///         cx.probe(Probing::new().every(Duration::from_secs(1)), async || ping().await);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn probe<F>(&self, probing: Probing, mut probe: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let cx = self.clone();
        self.probes().put(self.place(), async move {
            loop {
                // called inside, so that its panic is caught, too
                let asked = AssertUnwindSafe(timeout(probing.timeout, async { probe().await })).catch_unwind().await;
                match asked {
                    Ok(Ok(Ok(()))) => cx.status().report(State::Ok),
                    Ok(Ok(Err(error))) => cx.status().report_because(State::Error, error.to_string()),
                    Ok(Err(_)) => {
                        let why = format!("its probe gave no answer within {:?}", probing.timeout);
                        cx.status().report_because(State::Error, why);
                    }
                    Err(panic) => {
                        cx.status().report_because(State::Error, "its probe panicked");
                        return cx.task_failed("probe", Cause::Panicked(panic_message(&*panic)));
                    }
                }
                tokio::time::sleep(probing.interval).await;
            }
        });
    }
}
