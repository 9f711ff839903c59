//! [`Course`]: what an agent has done so far and is doing now, readable while it runs.

use super::{
    event::{Event, Outcome},
    phase::Phase,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What an agent has done so far and is doing now: in its start, in later attempts at plugins whose `init` has failed,
/// and in its stop. Empty if events are not recorded.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Course {
    /// The completed steps, in the order in which they ended.
    pub events: Vec<Event>,
    /// The steps that have begun and are waiting for something.
    pub running: Vec<RunningStep>,
}

/// A step that has begun and is waiting for something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RunningStep {
    /// The plugin's place in the start order. [`Graph::nodes`](crate::graph::Graph::nodes) has its names.
    pub place: u16,
    /// The step.
    pub phase: Phase,
    /// When it began, counted from the beginning of the agent's start.
    pub started: Duration,
    /// How long it has been running.
    pub so_far: Duration,
}

/// Holds the course of an agent. The lock is never held for longer than a copy takes.
#[derive(Default)]
pub(crate) struct CourseRecorder(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// When the record began; `None` if nothing is recorded.
    epoch: Option<Instant>,
    events: Vec<Event>,
    running: Vec<(u16, Phase, Instant)>,
}

impl CourseRecorder {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the record, with room for that many events.
    pub(in crate::agent) fn begin(&self, epoch: Instant, room: usize) {
        let mut inner = self.lock();
        inner.epoch = Some(epoch);
        inner.events.reserve_exact(room);
    }

    /// Notes that a step has begun and is waiting.
    pub(in crate::agent) fn note_waiting(&self, place: usize, phase: Phase, started: Instant) {
        let mut inner = self.lock();
        if inner.epoch.is_some() {
            inner.running.push((place as u16, phase, started));
        }
    }

    /// Notes that a step has ended. `event` is `None` if it is not to be kept.
    pub(in crate::agent) fn note_ended(&self, place: usize, phase: Phase, event: Option<Event>) {
        let mut inner = self.lock();
        inner.running.retain(|(of, is, _)| (usize::from(*of), *is) != (place, phase));
        inner.events.extend(event);
    }

    /// The events up to now if a step that has blocked its thread for `blocked` is given up, along with those that wait
    /// beside it; and the time since the record began.
    pub(super) fn events_if_given_up(&self, place: usize, phase: Phase, blocked: Duration) -> (Vec<Event>, Duration) {
        let (Course { mut events, running }, epoch) = (self.course(), self.lock().epoch);
        let now = epoch.map_or(blocked, |epoch| epoch.elapsed());
        let is_it = |step: &RunningStep| (usize::from(step.place), step.phase) == (place, phase);
        let event = |place, phase, started, outcome| Event {
            place,
            phase,
            started,
            took: now.saturating_sub(started),
            outcome,
        };
        // A step that had waited before it blocked has begun earlier.
        let waited = running.iter().find(|step| is_it(step)).map(|step| step.started);
        let started = waited.unwrap_or_else(|| now.saturating_sub(blocked));
        let beside = running.iter().filter(|step| !is_it(step));
        events.extend(beside.map(|step| event(step.place, step.phase, step.started, Outcome::Dropped)));
        events.push(event(place as u16, phase, started, Outcome::Blocked));
        (events, now)
    }

    pub(crate) fn course(&self) -> Course {
        let inner = self.lock();
        let Some(epoch) = inner.epoch else { return Course::default() };
        let running = inner.running.iter().map(|(place, phase, started)| RunningStep {
            place: *place,
            phase: *phase,
            started: started.duration_since(epoch),
            so_far: started.elapsed(),
        });
        Course { events: inner.events.clone(), running: running.collect() }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use crate::{
        Phase,
        agent::{Backoff, Course, Outcome, StartPolicy},
        prelude::*,
        testing::paused,
    };
    use std::{
        sync::{
            Mutex, PoisonError,
            atomic::{AtomicBool, Ordering::SeqCst},
        },
        time::Duration,
    };
    use tokio::time::sleep;

    /// Looks at the course, and waits.
    #[plugin]
    struct Looker {
        seen: Mutex<Vec<Course>>,
    }

    impl Lifecycle for Looker {
        async fn init(&self, cx: &Context) -> Result<()> {
            sleep(Duration::from_millis(5)).await;
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(cx.course());
            Ok(())
        }
    }

    #[plugin]
    struct Flaky {
        looker: Dep<Looker>,
        was_there: AtomicBool,
    }

    impl Lifecycle for Flaky {
        async fn init(&self, _: &Context) -> Result<()> {
            let _ = &self.looker;
            if self.was_there.swap(true, SeqCst) { Ok(()) } else { Err(Error::msg("not yet")) }
        }
    }

    #[derive(Flavor)]
    struct Two {
        looker: Dep<Looker>,
        flaky: Dep<Flaky>,
    }

    #[test]
    fn it_is_told_while_it_goes_on() {
        paused(async {
            let backoff = StartPolicy::Retry(Backoff::new(Duration::from_millis(1), Duration::from_millis(1)));
            let builder = Agent::<Two>::builder().record_events(true).start_policy("flaky", backoff);
            let agent = builder.start().await.unwrap();
            let seen = agent.looker.seen.lock().unwrap().pop().unwrap();
            let place = |name: &str| Two::GRAPH.position(name) as u16;
            let [running] = &seen.running[..] else { panic!("{seen:?}") };
            assert_eq!((running.place, running.phase), (place("Looker"), Phase::Init));
            assert_eq!(running.so_far, Duration::from_millis(5));
            assert!(seen.events.iter().all(|event| event.phase == Phase::Create), "{seen:?}");
            sleep(Duration::from_millis(20)).await;
            let told = agent.shared.course_recorder.course();
            let inits: Vec<_> = told
                .events
                .iter()
                .filter(|event| (event.place, event.phase) == (place("Flaky"), Phase::Init))
                .map(|event| event.outcome)
                .collect();
            assert_eq!(inits, [Outcome::Failed, Outcome::Done], "{told:?}");
            assert_eq!(told.running, []);
            agent.close().await.unwrap();
        });
    }

    #[test]
    fn what_is_not_recorded_is_not_told() {
        paused(async {
            let agent = Agent::<Two>::builder().start_policy("flaky", StartPolicy::Ignore).start().await.unwrap();
            assert_eq!(agent.looker.seen.lock().unwrap().pop().unwrap(), Course::default());
            agent.close().await.unwrap();
        });
    }
}
