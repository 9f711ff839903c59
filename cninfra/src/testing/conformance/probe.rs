//! [`Probe`]: observes one plugin from outside, and interrupts or repeats its phases.

use crate::{
    BoxFuture, Context, Error, Phase, Result,
    agent::{Wrap, end_attempt},
    inject::running::Running,
};
use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{self, Poll},
    time::{Duration, Instant},
};

/// What is done to a plugin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ordeal {
    /// Nothing: it is only observed.
    None,
    /// The phase is dropped when it has waited that many times, and fails.
    Dropped(Phase, u32),
    /// The phase is dropped when it has waited that many times, and is called again.
    Again(Phase, u32),
    /// The phase is completed, but reported as failed.
    Fails(Phase),
    /// The same, but only at the first call.
    FailsOnce(Phase),
    /// It is closed twice.
    ClosedTwice,
}

/// What was observed.
#[derive(Default)]
pub(super) struct Seen {
    waits: Mutex<HashMap<Phase, u32>>,
    longest: Mutex<Option<(Phase, Duration)>>,
}

impl Seen {
    /// How often a phase waited.
    pub(super) fn waits(&self, phase: Phase) -> u32 {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).get(&phase).copied().unwrap_or_default()
    }

    /// The longest time for which a call blocked its thread, and its phase.
    pub(super) fn longest(&self) -> Option<(Phase, Duration)> {
        *self.longest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps the plugin with this instance name in a probe.
pub(super) fn around(plugin: &str, ordeal: Ordeal, seen: Arc<Seen>) -> Wrap {
    let plugin = plugin.to_string();
    Arc::new(move |node, running| {
        if node.instance() == plugin {
            Arc::new(Probe { running, ordeal, seen: seen.clone(), failed: AtomicBool::new(false) })
        } else {
            running
        }
    })
}

struct Probe {
    running: Arc<dyn Running>,
    ordeal: Ordeal,
    seen: Arc<Seen>,
    failed: AtomicBool,
}

impl Running for Probe {
    fn has(&self, _: Phase) -> bool {
        // The probe has to see each phase, even one that the plugin does not implement.
        true
    }

    fn step<'a>(&'a self, phase: Phase, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        let step =
            move || Watched { step: self.running.step(phase, cx), phase, seen: &self.seen, waits: 0, most: u32::MAX };
        let most = move |most| Watched { most, ..step() };
        match self.ordeal {
            Ordeal::Dropped(at, waits) if at == phase => Box::pin(async move {
                if waits > 0
                    && let Some(done) = most(waits).await
                {
                    return done;
                }
                Err(Error::msg("dropped by the conformance kit"))
            }),
            Ordeal::Again(at, waits) if at == phase => Box::pin(async move {
                match most(waits).await {
                    Some(done) => done,
                    // An agent does this between two attempts.
                    None => {
                        end_attempt(cx).await;
                        step().await.unwrap_or(Ok(()))
                    }
                }
            }),
            Ordeal::Fails(at) if at == phase => Box::pin(async move {
                step().await.unwrap_or(Ok(()))?;
                Err(Error::msg("failed by the conformance kit"))
            }),
            Ordeal::FailsOnce(at) if at == phase && !self.failed.swap(true, Relaxed) => Box::pin(async move {
                step().await.unwrap_or(Ok(()))?;
                Err(Error::msg("failed once by the conformance kit"))
            }),
            Ordeal::ClosedTwice if phase == Phase::Close => Box::pin(async move {
                step().await.unwrap_or(Ok(()))?;
                step().await.unwrap_or(Ok(()))
            }),
            _ => Box::pin(async move { step().await.unwrap_or(Ok(())) }),
        }
    }
}

/// A step that is observed. It resolves to `None` if it was dropped.
struct Watched<'a> {
    step: BoxFuture<'a, Result<()>>,
    phase: Phase,
    seen: &'a Seen,
    waits: u32,
    most: u32,
}

impl Future for Watched<'_> {
    type Output = Option<Result<()>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Self::Output> {
        let began = Instant::now();
        let polled = self.step.as_mut().poll(task);
        let took = began.elapsed();
        let mut longest = self.seen.longest.lock().unwrap_or_else(PoisonError::into_inner);
        if longest.is_none_or(|(_, longest)| took > longest) {
            *longest = Some((self.phase, took));
        }
        drop(longest);
        if polled.is_pending() {
            self.waits += 1;
            let mut waits = self.seen.waits.lock().unwrap_or_else(PoisonError::into_inner);
            let most = waits.entry(self.phase).or_default();
            *most = self.waits.max(*most);
            drop(waits);
            if self.waits >= self.most {
                return Poll::Ready(None);
            }
        }
        polled.map(Some)
    }
}
