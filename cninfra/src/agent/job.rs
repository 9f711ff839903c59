//! One step of one plugin, guarded: panics are caught, time is limited.

use super::{Cause, Event, Outcome, Phase, limits::Limit};
use crate::{
    BoxFuture, Context, Result,
    inject::{part::Made, running::Running},
};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
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

/// What a job does.
pub(super) enum Work<'a> {
    /// A phase, to be begun when the job is first polled.
    Phase(&'a Begun),
    Step(BoxFuture<'a, Result<()>>),
    /// A plugin that builds itself.
    Create(BoxFuture<'a, Result<Made>>),
    Ended,
}

/// One step of one plugin. It is a future of how it ended.
pub(super) struct Job<'a> {
    place: usize,
    phase: Phase,
    work: Work<'a>,
    limit: Limit,
    alarm: Option<Pin<Box<Sleep>>>,
    /// When it began, where events are recorded.
    started: Option<Instant>,
}

/// A step that has ended, or that was dropped where it was.
pub(super) struct Ended {
    pub(super) place: usize,
    pub(super) phase: Phase,
    pub(super) outcome: Outcome,
    pub(super) cause: Option<Cause>,
    /// The lifecycle of what was created.
    pub(super) made: Made,
    pub(super) started: Option<Instant>,
}

impl<'a> Job<'a> {
    /// A job whose event is recorded if `started` is given; a phase begins when it is first polled.
    pub(super) fn new(place: usize, phase: Phase, work: Work<'a>, limit: Limit, started: Option<Instant>) -> Self {
        Job { place, phase, work, limit, alarm: None, started }
    }

    /// What is left to do is waited for.
    pub(super) fn work(&mut self, work: Work<'a>) {
        self.work = work;
    }

    fn advance(&mut self, task: &mut task::Context<'_>) -> Poll<Result<Made>> {
        if let Work::Phase(begun) = self.work {
            if let Some(started) = &mut self.started {
                *started = Instant::now();
            }
            self.work = Work::Step(begun.running.step(self.phase, &begun.cx));
        }
        match &mut self.work {
            Work::Step(step) => step.as_mut().poll(task).map_ok(|()| None),
            Work::Create(create) => create.as_mut().poll(task),
            Work::Phase(_) | Work::Ended => Poll::Ready(Ok(None)),
        }
    }

    /// How it stands. What it was doing is dropped.
    pub(super) fn end(&mut self, made: Made, cause: Option<Cause>, outcome: Outcome) -> Ended {
        self.work = Work::Ended;
        Ended { place: self.place, phase: self.phase, outcome, cause, made, started: self.started }
    }
}

impl Future for Job<'_> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Ended> {
        let job = self.get_mut();
        let cause = match guard(|| job.advance(task)) {
            Ok(Poll::Ready(Ok(made))) => return Poll::Ready(job.end(made, None, Outcome::Done)),
            Ok(Poll::Ready(Err(error))) => Cause::Failed(error),
            Err(panicked) => panicked,
            Ok(Poll::Pending) => {
                let ends = job.limit.ends;
                match job.alarm.get_or_insert_with(|| Box::pin(sleep_until(ends))).as_mut().poll(task) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => Cause::TimedOut(job.limit.limit),
                }
            }
        };
        let outcome = Outcome::from(&cause);
        Poll::Ready(job.end(None, Some(cause), outcome))
    }
}

impl Ended {
    /// Its event, with times since `epoch`.
    pub(super) fn event(&self, epoch: Instant) -> Option<Event> {
        let started = self.started?;
        Some(Event {
            place: self.place as u16,
            phase: self.phase,
            started: started.duration_since(epoch),
            took: started.elapsed(),
            outcome: self.outcome,
        })
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
