//! One step of one plugin that has to wait, guarded: panics are caught, time is limited.

use super::{Cause, Phase, limits::Limit};
use crate::{BoxFuture, Context, Result, inject::part::Made, inject::running::Running};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{self, Poll, Waker},
    time::Instant,
};
use tokio::time::{Sleep, sleep_until};

/// A plugin whose lifecycle has begun.
pub(super) struct Begun {
    /// In the graph.
    pub(super) place: usize,
    pub(super) running: Arc<dyn Running>,
    pub(super) cx: Context,
}

/// What a step that was begun has come to.
pub(super) enum First<'a> {
    /// It did not have to wait.
    Done(Result<()>),
    Waits(Work<'a>),
}

impl Begun {
    /// Begins a phase. Most need not wait: for them there is no job.
    pub(super) fn step(&self, phase: Phase) -> Result<First<'_>, Cause> {
        guard(|| {
            let mut step = self.running.step(phase, &self.cx);
            match step.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) {
                Poll::Ready(done) => First::Done(done),
                // it is polled again by its job, with a waker
                Poll::Pending => First::Waits(Work::Step(step)),
            }
        })
    }
}

/// What a job waits for.
pub(super) enum Work<'a> {
    Step(BoxFuture<'a, Result<()>>),
    /// A plugin that builds itself.
    Create(BoxFuture<'a, Result<Made>>),
}

/// One step of one plugin. It is a future of how it ended; afterwards [`Job::work`] is `None`.
pub(super) struct Job<'a> {
    pub(super) place: usize,
    pub(super) phase: Phase,
    pub(super) work: Option<Work<'a>>,
    /// Where events are recorded.
    pub(super) started: Option<Instant>,
    limit: Limit,
    alarm: Pin<Box<Sleep>>,
}

/// A step that has ended.
pub(super) struct Ended {
    pub(super) place: usize,
    pub(super) phase: Phase,
    pub(super) started: Option<Instant>,
    /// What was created, or what went wrong.
    pub(super) result: Result<Made, Cause>,
}

impl<'a> Job<'a> {
    pub(super) fn new(place: usize, phase: Phase, work: Work<'a>, limit: Limit, started: Option<Instant>) -> Self {
        Job { place, phase, work: Some(work), started, limit, alarm: Box::pin(sleep_until(limit.ends)) }
    }
}

impl Job<'_> {
    /// Drops what it was doing. The plugin's destructors run here.
    pub(super) fn drop_work(&mut self) {
        let work = self.work.take();
        let _ = guard(|| drop(work));
    }
}

impl Future for Job<'_> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Ended> {
        let job = self.get_mut();
        let work = &mut job.work;
        let polled = guard(|| match work {
            Some(Work::Step(step)) => step.as_mut().poll(task).map_ok(|()| None),
            Some(Work::Create(create)) => create.as_mut().poll(task),
            None => Poll::Ready(Ok(None)),
        });
        let result = match polled {
            Ok(Poll::Ready(result)) => result.map_err(Cause::Failed),
            Err(panicked) => Err(panicked),
            Ok(Poll::Pending) => match job.alarm.as_mut().poll(task) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => Err(Cause::TimedOut(job.limit.limit)),
            },
        };
        // what it was doing is dropped now, and not with the job; a destructor that panics is not worth more than the result
        job.drop_work();
        Poll::Ready(Ended { place: job.place, phase: job.phase, started: job.started, result })
    }
}

/// Runs code of a plugin; a panic is an error like others.
pub(super) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, Cause> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| Cause::Panicked(panic_message(&*payload)))
}

/// The text of a panic, where it has one.
fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "with a value that is no text".to_string(),
    }
}
