//! Probes: plugins are regularly asked for their state.

use super::State;
use crate::{Context, Result, agent::Cause, foreign::Panic, tasks::spawn_probe};
use futures_util::FutureExt as _;
use std::{
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// The shortest time between two calls of a probe, which would otherwise keep a thread busy.
const PAUSE: Duration = Duration::from_millis(1);

/// How often and how long a plugin is asked for its state: see [`Context::probe`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Probing {
    /// The time from an answer to the next call, at least 1 ms. Default: 5 s.
    pub interval: Duration,
    /// A call that takes longer counts as an error. Default: 2 s.
    pub timeout: Duration,
}

impl Default for Probing {
    fn default() -> Self {
        Probing { interval: Duration::from_secs(5), timeout: Duration::from_secs(2) }
    }
}

impl Probing {
    /// Every 5 s, with a time-out of 2 s.
    #[must_use]
    pub fn new() -> Self {
        Probing::default()
    }

    /// Sets the time from an answer to the next call.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the time-out of a call.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl Context {
    /// Calls `probe` now and regularly until the agent stops, and reports the plugin's state from it: ok if it returns
    /// `Ok`, and error if it returns an error or does not answer in time. A plugin that learns of its state by itself
    /// reports it instead: see [`Context::status`].
    ///
    /// If it begins while the plugin starts, and the plugin has not reported a state, the plugin is in [`State::Init`]
    /// until the first answer, and so the agent is not ready.
    ///
    /// Every probe has a task of its own. A plugin has one probe: a later one replaces the earlier one. A probe that
    /// panics stops the agent, as every task of a plugin does; so does one that panics when it is dropped. A probe that
    /// blocks its thread gives no answer: its plugin is in error from the time-out on, and this is reported as a
    /// further error when the agent stops.
    ///
    /// ```
    /// use cninfra::{prelude::*, status::Probing};
    /// use std::time::Duration;
    ///
    /// #[plugin]
    /// struct Store {
    ///     address: String,
    /// }
    ///
    /// async fn ping(address: &str) -> Result<()> {
    /// #   let _ = address;
    ///     Ok(())
    /// }
    ///
    /// impl Lifecycle for Store {
    ///     async fn init(&self, cx: &Context) -> Result<()> {
    ///         // each question is a future of its own, with what it needs
    ///         let address = self.address.clone();
    ///         cx.probe(Probing::new().every(Duration::from_secs(1)), move || {
    ///             let address = address.clone();
    ///             async move { ping(&address).await }
    ///         });
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn probe<F>(&self, probing: Probing, mut probe: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let cx = self.clone();
        let probe_task = async move {
            loop {
                let mut longest = Duration::ZERO;
                // The probe is called inside of this, and also dropped here at its time-out, so that all its panics are
                // caught.
                let answer = async {
                    let mut answer = Box::pin(timeout(probing.timeout, async { probe().await }));
                    let measured = poll_fn(|task| {
                        let began = Instant::now();
                        let polled = answer.as_mut().poll(task);
                        longest = longest.max(began.elapsed());
                        polled
                    });
                    measured.await
                };
                let call = cx.status().begin_probe(probing.timeout);
                let answer = AssertUnwindSafe(answer).catch_unwind().await;
                let late = call.is_late();
                drop(call);
                match answer {
                    Ok(Ok(Ok(()))) if late => {
                        // Otherwise, other tasks have kept the thread.
                        let how = if longest >= probing.timeout / 2 { "blocked its thread, and " } else { "" };
                        let why = format!("its probe {how}gave no answer within {:?}", probing.timeout);
                        cx.status().report_because(State::Error, why);
                    }
                    Ok(Ok(Ok(()))) => cx.status().report(State::Ok),
                    Ok(Ok(Err(error))) => cx.status().report_because(State::Error, error.to_string()),
                    Ok(Err(_)) => {
                        let why = format!("its probe gave no answer within {:?}", probing.timeout);
                        cx.status().report_because(State::Error, why);
                    }
                    Err(panic) => {
                        cx.status().report_because(State::Error, "its probe panicked");
                        return cx.task_failed("probe", Cause::Panicked(Panic::of(panic)));
                    }
                }
                tokio::time::sleep(probing.interval.max(PAUSE)).await;
            }
        };
        self.status().expect_probe();
        spawn_probe(self, Box::pin(probe_task));
    }
}
