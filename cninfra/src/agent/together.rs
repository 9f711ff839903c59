//! Steps that run together: what they have in common, and what they leave behind.

use super::{Cause, Event, Outcome, Phase, PluginError, StopHandle, job::Job, limits::Limit};
use crate::{graph::Graph, inject::part::Made};
use futures_util::{FutureExt as _, StreamExt as _, future, stream::FuturesUnordered};
use std::time::Instant;

/// What is common to steps that run together.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) graph: &'static Graph,
    pub(super) since: Instant,
    pub(super) limit: Limit,
    /// While the agent starts: the first failure, or a stop, drops all others where they are.
    pub(super) stop: Option<&'a StopHandle>,
}

/// What steps that ran together left behind.
#[derive(Default)]
pub(super) struct Together {
    pub(super) errors: Vec<PluginError>,
    pub(super) interrupted: bool,
}

impl Together {
    pub(super) fn is_well(&self) -> bool {
        self.errors.is_empty() && !self.interrupted
    }

    /// A step has failed.
    pub(super) fn fail(
        &mut self,
        place: usize,
        phase: Phase,
        started: Option<Instant>,
        cause: Cause,
        common: &Common<'_>,
        record: &mut Record,
    ) {
        record.put(place, phase, started, Outcome::from(&cause));
        self.errors.push(PluginError::new(&common.graph.nodes()[place], phase, cause, common.since.elapsed()));
    }

    /// Waits for those that have to. Returns what was created.
    pub(super) async fn wait(
        &mut self,
        jobs: Vec<Job<'_>>,
        common: &Common<'_>,
        record: &mut Record,
    ) -> Vec<(usize, Made)> {
        let mut made = Vec::new();
        let mut waiting: FuturesUnordered<_> = jobs.into_iter().collect();
        while !waiting.is_empty() && (self.errors.is_empty() || common.stop.is_none()) {
            let next = match common.stop {
                Some(stop) => match future::select(waiting.next(), std::pin::pin!(stop.stopping())).await {
                    future::Either::Left((next, _)) => next,
                    future::Either::Right(_) => {
                        self.interrupted = true;
                        break;
                    }
                },
                None => waiting.next().await,
            };
            let Some(ended) = next else { break };
            made.extend(self.take(ended, common, record));
        }
        // those that ended in the same moment
        while let Some(Some(ended)) = waiting.next().now_or_never() {
            made.extend(self.take(ended, common, record));
        }
        for mut job in waiting {
            job.drop_work();
            record.put(job.place, job.phase, job.started, Outcome::Dropped);
        }
        made
    }

    fn take(&mut self, ended: super::job::Ended, common: &Common<'_>, record: &mut Record) -> Option<(usize, Made)> {
        match ended.result {
            Ok(made) => {
                record.put(ended.place, ended.phase, ended.started, Outcome::Done);
                Some((ended.place, made))
            }
            Err(cause) => {
                self.fail(ended.place, ended.phase, ended.started, cause, common, record);
                None
            }
        }
    }
}

/// The events so far, if they are recorded.
pub(super) struct Record {
    epoch: Option<Instant>,
    events: Vec<Event>,
}

impl Record {
    pub(super) fn off() -> Self {
        Record { epoch: None, events: Vec::new() }
    }

    /// With room for so many events.
    pub(super) fn on(room: usize) -> Self {
        Record { epoch: Some(Instant::now()), events: Vec::with_capacity(room) }
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The time, where it will be recorded.
    pub(super) fn now(&self) -> Option<Instant> {
        self.epoch.map(|_| Instant::now())
    }

    /// A step that ends now. Returns the time.
    pub(super) fn put(
        &mut self,
        place: usize,
        phase: Phase,
        started: Option<Instant>,
        outcome: Outcome,
    ) -> Option<Instant> {
        let (epoch, started) = (self.epoch?, started?);
        let now = Instant::now();
        self.events.push(Event {
            place: place as u16,
            phase,
            started: started.duration_since(epoch),
            took: now.duration_since(started),
            outcome,
        });
        Some(now)
    }
}
