//! [`Job`]: a step of a plugin that has to wait. Its panics are caught, and its time is limited.

use super::{begun::Work, common::Common};
use crate::{
    agent::terms::{cause::Cause, limits::Limit},
    inject::part::Made,
};
use std::{
    future::Future,
    pin::Pin,
    task::{self, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// A step of a plugin, as a future that resolves to its result. Afterwards [`Job::work`] is `None`.
pub(super) struct Job<'a> {
    pub(super) place: usize,
    pub(super) work: Option<Work<'a>>,
    pub(super) started: Instant,
    common: &'a Common<'a>,
    limit: Limit,
    /// `before`: how long all calls of the group, including this step's first one, had taken when this job was created.
    /// `own`: how long this job's calls have taken since then.
    before: Duration,
    own: Duration,
    /// The longest of this step's calls, including the first one.
    longest: Duration,
    alarm: Pin<Box<Sleep>>,
}

/// A step that has ended.
pub(super) struct Ended {
    pub(super) place: usize,
    pub(super) started: Instant,
    pub(super) ended: Instant,
    /// The created plugin, or the error.
    pub(super) result: Result<Made, Cause>,
}

impl<'a> Job<'a> {
    /// For a step whose first call lasted from `started` to `now`, and that has to wait.
    pub(super) fn new(
        place: usize,
        work: Work<'a>,
        (started, now): (Instant, Instant),
        common: &'a Common<'a>,
    ) -> Self {
        let limit = common.limit(place, started);
        let alarm = Box::pin(sleep_until(limit.ends));
        let longest = now.duration_since(started);
        // The first calls of a group follow each other without a pause.
        let (before, own) = (now.duration_since(common.began), Duration::ZERO);
        Job { place, work: Some(work), started, common, limit, before, own, longest, alarm }
    }
}

impl Job<'_> {
    /// When to warn that the step is still waiting: after a good part of its limit.
    pub(super) fn warns_at(&self) -> Instant {
        let whole = self.limit.ends.duration_since(self.started);
        self.started + if self.common.phase.is_of_the_stop() { whole / 2 } else { whole / 3 }
    }

    /// Logs the warning that the step is still waiting.
    pub(super) fn warn_of_wait(&self, now: Instant) {
        let Common { env, phase, .. } = self.common;
        let (node, goes_on) =
            (&env.graph.nodes()[self.place], if phase.is_of_the_stop() { "stopping" } else { "starting" });
        let (took, limit) = (now.duration_since(self.started), self.limit.limit);
        env.shared
            .loggers
            .of_agent()
            .warn(format_args!("still {goes_on}: plugin `{}` ({phase}, {took:.1?} of {limit:?})", node.names()));
    }

    /// Drops the step's future. Destructors of the plugin run here.
    pub(super) fn drop_work(&mut self) -> Result<(), Cause> {
        let work = self.work.take();
        self.common.call(self.place, || drop(work))
    }

    /// How long other steps have blocked the thread since this job was created.
    fn blocked_by_others(&self) -> Duration {
        self.common.busy().saturating_sub(self.before).saturating_sub(self.own)
    }

    /// The current time, minus the time in which other steps blocked the thread.
    fn fair(&self, now: Instant) -> Instant {
        now.checked_sub(self.blocked_by_others()).unwrap_or(now)
    }
}

impl Future for Job<'_> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Ended> {
        let job = self.get_mut();
        let (work, began) = (&mut job.work, Instant::now());
        let polled = job.common.call(job.place, || match work {
            Some(Work::Step(step)) => step.as_mut().poll(task).map_ok(|()| None),
            Some(Work::Create(create)) => create.as_mut().poll(task),
            None => Poll::Ready(Ok(None)),
        });
        let now = Instant::now();
        let took = now.duration_since(began);
        job.own += took;
        job.longest = job.longest.max(took);
        job.common.add_busy(took);
        let result = match polled {
            // The step is done, but too late.
            Ok(Poll::Ready(Ok(_))) if job.fair(now) > job.limit.ends => Err(job.limit.overdue(job.longest)),
            Ok(Poll::Ready(Ok(made))) => Ok(made),
            Ok(Poll::Ready(Err(error))) => Err(Cause::Failed(error)),
            Err(panicked) => Err(panicked),
            Ok(Poll::Pending) => loop {
                if job.alarm.as_mut().poll(task).is_pending() {
                    return Poll::Pending;
                }
                if job.fair(Instant::now()) >= job.limit.ends {
                    break Err(job.limit.overdue(job.longest));
                }
                // Another plugin blocked the thread: the limit is extended by that time.
                let ends = job.limit.ends + job.blocked_by_others();
                job.alarm.as_mut().reset(ends);
            },
        };
        // The future is dropped now rather than with the job. A destructor that panics is a failure, unless the step
        // has already failed.
        let dropped = job.drop_work();
        job.common.add_busy(now.elapsed());
        let result = result.and_then(|made| dropped.map(|()| made));
        Poll::Ready(Ended { place: job.place, started: job.started, ended: now, result })
    }
}
