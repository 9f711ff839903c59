//! [`Begun`]: a plugin with a lifecycle, and the first poll of its steps.

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
    /// The plugin's index in the graph.
    pub(super) place: usize,
    pub(super) running: Arc<dyn Running>,
    pub(super) cx: Context,
    /// Whether its `init` has failed, and its start policy lets the agent run without it.
    pub(super) down: bool,
}

/// The future that a job polls.
pub(super) enum Work<'a> {
    Step(BoxFuture<'a, Result<()>>),
    /// The creation of a plugin with an asynchronous constructor.
    Create(BoxFuture<'a, Result<Made>>),
}

/// The result of a step's first poll.
pub(super) enum FirstPoll<'a> {
    /// The step is done without having waited.
    Done(Result<()>),
    Waits(Work<'a>),
}

impl Begun {
    /// Polls a phase for the first time. Most steps are done at once, and need no job.
    pub(super) fn step(&self, phase: Phase) -> FirstPoll<'_> {
        let mut step = self.running.step(phase, &self.cx);
        match step.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => FirstPoll::Done(done),
            // Its job polls it again, with a real waker.
            Poll::Pending => FirstPoll::Waits(Work::Step(step)),
        }
    }
}
