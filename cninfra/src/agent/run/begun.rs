//! [`Begun`]: a plugin with a lifecycle, and the first call of its steps.

use crate::{
    BoxFuture, Context, Result,
    agent::terms::phase::Phase,
    inject::{part::Made, running::Running},
};
use std::{
    sync::Arc,
    task::{self, Poll, Waker},
};

/// A plugin with a lifecycle.
pub(in crate::agent) struct Begun {
    /// In the graph.
    pub(super) place: usize,
    pub(super) running: Arc<dyn Running>,
    pub(super) cx: Context,
    /// Its `init` has failed, and its start policy lets the agent go on without it.
    pub(super) down: bool,
}

/// What a job waits for.
pub(super) enum Work<'a> {
    Step(BoxFuture<'a, Result<()>>),
    /// A plugin that builds itself.
    Create(BoxFuture<'a, Result<Made>>),
}

/// What a step that was begun has come to.
pub(super) enum First<'a> {
    /// It did not have to wait.
    Done(Result<()>),
    Waits(Work<'a>),
}

impl Begun {
    /// Begins a phase. Most need not wait: for them there is no job.
    pub(super) fn step(&self, phase: Phase) -> First<'_> {
        let mut step = self.running.step(phase, &self.cx);
        match step.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => First::Done(done),
            // it is polled again by its job, with a waker
            Poll::Pending => First::Waits(Work::Step(step)),
        }
    }
}
