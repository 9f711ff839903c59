//! One step of one plugin that has to wait, guarded: panics are caught, time is limited.

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

/// One step of one plugin. It is a future of how it ended; afterwards [`Job::work`] is `None`.
pub(super) struct Job<'a> {
    pub(super) place: usize,
    pub(super) work: Option<Work<'a>>,
    pub(super) started: Instant,
    common: &'a Common<'a>,
    limit: Limit,
    /// How long all calls of the group had taken when this job was made, its own too, and how long its own have since then.
    before: Duration,
    own: Duration,
    /// The longest of its own calls, the first one too.
    longest: Duration,
    alarm: Pin<Box<Sleep>>,
}

/// A step that has ended.
pub(super) struct Ended {
    pub(super) place: usize,
    pub(super) started: Instant,
    pub(super) ended: Instant,
    /// What was created, or what went wrong.
    pub(super) result: Result<Made, Cause>,
}

impl<'a> Job<'a> {
    /// It was called for the first time, from `started` to `now`, and has to wait.
    pub(super) fn new(
        place: usize,
        work: Work<'a>,
        (started, now): (Instant, Instant),
        common: &'a Common<'a>,
    ) -> Self {
        let limit = common.limit(place, started);
        let alarm = Box::pin(sleep_until(limit.ends));
        let longest = now.duration_since(started);
        // one after the other, without a pause
        let (before, own) = (now.duration_since(common.began), Duration::ZERO);
        Job { place, work: Some(work), started, common, limit, before, own, longest, alarm }
    }
}

impl Job<'_> {
    /// When somebody is to be told that it goes on still: a good part of its time is over.
    pub(super) fn is_told_at(&self) -> Instant {
        let whole = self.limit.ends.duration_since(self.started);
        self.started + if self.common.phase.is_of_the_stop() { whole / 2 } else { whole / 3 }
    }

    /// As it is told then.
    pub(super) fn tell_of_wait(&self, now: Instant) {
        let Common { env, phase, .. } = self.common;
        let (node, goes_on) =
            (&env.graph.nodes()[self.place], if phase.is_of_the_stop() { "stopping" } else { "starting" });
        let (took, limit) = (now.duration_since(self.started), self.limit.limit);
        env.shared
            .loggers
            .of_agent()
            .warn(format_args!("still {goes_on}: plugin `{}` ({phase}, {took:.1?} of {limit:?})", node.names()));
    }

    /// Drops what it was doing. The plugin's destructors run here.
    pub(super) fn drop_work(&mut self) -> Result<(), Cause> {
        let work = self.work.take();
        self.common.call(self.place, || drop(work))
    }

    /// How long others have kept the thread, while this one waited for it.
    fn kept_by_others(&self) -> Duration {
        self.common.busy().saturating_sub(self.before).saturating_sub(self.own)
    }

    /// The time, as it were if no other had kept the thread.
    fn fair(&self, now: Instant) -> Instant {
        now.checked_sub(self.kept_by_others()).unwrap_or(now)
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
            // done, but too late
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
                // another plugin kept the thread: that time is given back
                let ends = job.limit.ends + job.kept_by_others();
                job.alarm.as_mut().reset(ends);
            },
        };
        // what it was doing is dropped now, and not with the job; a destructor that panics is a failure, but not worth more than one
        // that is there already
        let dropped = job.drop_work();
        job.common.add_busy(now.elapsed());
        let result = result.and_then(|made| dropped.map(|()| made));
        Poll::Ready(Ended { place: job.place, started: job.started, ended: now, result })
    }
}
