//! One plugin in one phase (or created and initialised), guarded: panics are caught, time is limited.

use super::{Cause, Event, Outcome, Phase, limits::Limit};
use crate::{
    BoxFuture, Context, Result,
    inject::{
        part::{Creation, Made},
        running::Running,
    },
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

/// Creates the plugin at an index of the wiring.
pub(super) type Create<'a> = &'a (dyn for<'b> Fn(usize, &'b Context) -> Creation<'a> + Send + Sync);

/// What is to be done next.
pub(super) enum Step<'a> {
    New(Create<'a>, usize),
    Creating(BoxFuture<'a, Result<Made>>),
    Made(Arc<dyn Running>),
    Running(BoxFuture<'static, Result<()>>),
    Ended,
}

/// A future of one step, or of creation and `init`, of one plugin.
pub(super) struct Job<'a> {
    place: usize,
    phase: Phase,
    step: Step<'a>,
    cx: Context,
    limit: Limit,
    alarm: Option<Pin<Box<Sleep>>>,
    times: Option<Times>,
    begun: Option<Arc<dyn Running>>,
    only_create: bool,
}

/// When a job began, and when what it created began to initialise: read only where events are recorded.
#[derive(Clone, Copy)]
struct Times {
    started: Instant,
    created: Option<Instant>,
}

/// A job that has ended, or that was dropped where it was.
pub(super) struct Ended {
    pub(super) place: usize,
    pub(super) phase: Phase,
    pub(super) outcome: Outcome,
    pub(super) cause: Option<Cause>,
    /// The plugin, if its lifecycle has begun.
    pub(super) begun: Option<Arc<dyn Running>>,
    times: Option<Times>,
}

impl<'a> Job<'a> {
    /// A job whose events are recorded if `now` is given.
    pub(super) fn new(
        place: usize,
        phase: Phase,
        step: Step<'a>,
        cx: Context,
        limit: Limit,
        now: Option<Instant>,
    ) -> Self {
        let times = now.map(|started| Times { started, created: None });
        Job { place, phase, step, cx, limit, alarm: None, times, begun: None, only_create: false }
    }

    /// Its lifecycle is not to be run.
    pub(super) fn only_create(&mut self) {
        self.only_create = true;
    }

    fn advance(&mut self, task: &mut task::Context<'_>) -> Poll<Result<()>> {
        loop {
            let made = match std::mem::replace(&mut self.step, Step::Ended) {
                Step::New(create, index) => match create(index, &self.cx) {
                    Creation::Now(made) => made?,
                    Creation::Later(future) => {
                        self.step = Step::Creating(future);
                        continue;
                    }
                },
                Step::Creating(mut future) => match future.as_mut().poll(task) {
                    Poll::Ready(made) => made?,
                    Poll::Pending => {
                        self.step = Step::Creating(future);
                        return Poll::Pending;
                    }
                },
                Step::Made(running) => Some(running),
                Step::Running(mut future) => {
                    let polled = future.as_mut().poll(task);
                    if polled.is_pending() {
                        self.step = Step::Running(future);
                    }
                    return polled;
                }
                Step::Ended => None,
            };
            let Some(running) = made.filter(|_| !self.only_create) else { return Poll::Ready(Ok(())) };
            if self.phase == Phase::Create {
                self.phase = Phase::Init;
                if let Some(times) = &mut self.times {
                    times.created = Some(Instant::now());
                }
            }
            self.begun = Some(running.clone());
            self.step = Step::Running(running.step(self.phase, self.cx.clone()));
        }
    }

    /// What is known of it where it stands.
    pub(super) fn end(&mut self, cause: Option<Cause>, outcome: Outcome) -> Ended {
        // what it was doing is dropped here, and not with the last handle of the plugin
        self.step = Step::Ended;
        Ended { place: self.place, phase: self.phase, outcome, cause, begun: self.begun.take(), times: self.times }
    }
}

impl Future for Job<'_> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Ended> {
        let job = self.get_mut();
        let cause = match catch_unwind(AssertUnwindSafe(|| job.advance(task))) {
            Ok(Poll::Ready(Ok(()))) => return Poll::Ready(job.end(None, Outcome::Done)),
            Ok(Poll::Ready(Err(error))) => Cause::Failed(error),
            Err(payload) => Cause::Panicked(panic_message(&*payload)),
            Ok(Poll::Pending) => {
                let ends = job.limit.ends;
                match job.alarm.get_or_insert_with(|| Box::pin(sleep_until(ends))).as_mut().poll(task) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => Cause::TimedOut(job.limit.limit),
                }
            }
        };
        let outcome = Outcome::from(&cause);
        Poll::Ready(job.end(Some(cause), outcome))
    }
}

impl Ended {
    /// Its events, with times since `epoch`.
    pub(super) fn record(&self, epoch: Instant, events: &mut Vec<Event>) {
        let Some(times) = self.times else { return };
        let mut put = |phase, from: Instant, to: Instant, outcome| {
            let (started, took) = (from.duration_since(epoch), to.duration_since(from));
            events.push(Event { place: self.place as u16, phase, started, took, outcome });
        };
        let mut from = times.started;
        if let Some(created) = times.created {
            put(Phase::Create, from, created, Outcome::Done);
            from = created;
        }
        put(self.phase, from, Instant::now(), self.outcome);
    }
}

/// The text of a panic, where it has one.
fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "with a value that is no text".to_string(),
    }
}
