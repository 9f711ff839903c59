//! [`Together`]: steps that run together, and their results.

use super::{
    begun::{Begun, FirstPoll},
    common::Common,
    job::{Ended, Job},
    record::Record,
};
use crate::{
    agent::terms::{
        cause::Cause, event::Outcome, failure::PluginError, limits::after, phase::Phase, policy::StartPolicy,
    },
    inject::part::Made,
    order::sort_few,
};
use futures_util::{FutureExt as _, StreamExt as _, future, stream::FuturesUnordered};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, sleep_until};

/// The result of steps that ran together.
#[derive(Default)]
pub(super) struct Together {
    pub(super) errors: Vec<PluginError>,
    /// The plugins whose start policy lets the agent go on without them.
    pub(super) down: Vec<(usize, PluginError)>,
    pub(super) interrupted: bool,
    /// The place after that of the last step that was begun.
    pub(super) reached: usize,
    /// When the last step ended, if nothing has been done since.
    pub(super) ended: Option<Instant>,
}

impl Together {
    pub(super) fn is_well(&self) -> bool {
        self.errors.is_empty() && !self.interrupted
    }

    /// When the next steps begin. The clock is read only if necessary: for a group of plugins it costs as much as one
    /// step.
    pub(super) fn now(&self) -> Instant {
        self.ended.unwrap_or_else(Instant::now)
    }

    /// Records that a step has failed.
    pub(super) fn record_failure(
        &mut self,
        place: usize,
        (started, ended): (Instant, Instant),
        cause: Cause,
        common: &Common<'_>,
        record: &mut Record,
    ) {
        record.put(place, common.phase, started, ended, Outcome::from(&cause));
        let (env, panicked) = (common.env, matches!(cause, Cause::Panicked(_)));
        let elapsed = ended.duration_since(started);
        let error = PluginError::new(&env.graph.nodes()[place], common.phase, cause, elapsed);
        let tolerated = common.phase == Phase::Init && !panicked && ended < common.ends;
        if tolerated && env.policy(place) != StartPolicy::Fail {
            self.down.push((place, error));
        } else {
            self.errors.push(error);
        }
    }

    /// Records that a step is done, and checks whether it was in time.
    pub(super) fn record_done(
        &mut self,
        place: usize,
        (started, ended): (Instant, Instant),
        common: &Common<'_>,
        record: &mut Record,
    ) {
        let limit = (ended > common.in_time_until).then(|| common.limit_at_once(place, started));
        match limit.filter(|limit| ended > limit.ends) {
            Some(limit) => {
                let overdue = limit.overdue(ended.duration_since(started));
                self.record_failure(place, (started, ended), overdue, common, record);
            }
            None => record.put(place, common.phase, started, ended, Outcome::Done),
        }
    }

    /// Waits for the pending steps. Returns what was created.
    pub(super) async fn wait(
        &mut self,
        jobs: Vec<Job<'_>>,
        common: &Common<'_>,
        record: &mut Record,
    ) -> Vec<(usize, Made)> {
        let mut made = Vec::new();
        let mut waiting: FuturesUnordered<_> = jobs.into_iter().collect();
        let mut stopping = pin!(async {
            match common.stop {
                Some(stop) => stop.stopping().await,
                None => future::pending().await,
            }
        });
        // One timer for the warnings of all jobs.
        let mut warned_until = common.began;
        let next_warning = |waiting: &FuturesUnordered<Job<'_>>, warned_until: Instant| {
            waiting.iter().map(Job::warns_at).filter(|at| *at > warned_until).min()
        };
        // Without a warning the timer must not fire at the end of the whole, which may be long past: a plugin that
        // closes has a minimum time of its own.
        let never = || after(Instant::now(), Duration::MAX);
        let mut warning = pin!(sleep_until(next_warning(&waiting, warned_until).unwrap_or_else(never)));
        while !waiting.is_empty() && (self.errors.is_empty() || common.stop.is_none()) {
            let ended = future::select(waiting.next(), stopping.as_mut());
            let next = match future::select(ended, warning.as_mut()).await {
                future::Either::Left((future::Either::Left((next, _)), _)) => next,
                future::Either::Left((future::Either::Right(_), _)) => {
                    self.interrupted = true;
                    break;
                }
                future::Either::Right(_) => {
                    let now = Instant::now();
                    let is_new = |job: &&Job<'_>| job.warns_at() > warned_until && job.warns_at() <= now;
                    let mut new: Vec<_> = waiting.iter().filter(is_new).collect();
                    sort_few(&mut new, |one, other| one.place > other.place);
                    new.into_iter().for_each(|job| job.warn_of_wait(now));
                    warned_until = now;
                    warning.as_mut().reset(next_warning(&waiting, warned_until).unwrap_or_else(never));
                    continue;
                }
            };
            let Some(ended) = next else { break };
            made.extend(self.take(ended, common, record));
        }
        // Steps that ended at the same moment.
        while let Some(Some(ended)) = waiting.next().now_or_never() {
            made.extend(self.take(ended, common, record));
        }
        for mut job in waiting {
            let (place, started) = (job.place, job.started);
            let dropped = job.drop_work();
            let now = Instant::now();
            match dropped {
                Ok(()) => record.put(place, common.phase, started, now, Outcome::Dropped),
                Err(panicked) => self.record_failure(place, (started, now), panicked, common, record),
            }
        }
        made
    }

    fn take(&mut self, ended: Ended, common: &Common<'_>, record: &mut Record) -> Option<(usize, Made)> {
        let span = (ended.started, ended.ended);
        match ended.result {
            Ok(made) => {
                record.put(ended.place, common.phase, span.0, span.1, Outcome::Done);
                Some((ended.place, made))
            }
            Err(cause) => {
                self.record_failure(ended.place, span, cause, common, record);
                None
            }
        }
    }
}

/// Runs a phase of plugins that have begun, concurrently.
pub(super) async fn run<'a>(
    begun: impl Iterator<Item = &'a Begun>,
    common: &Common<'_>,
    record: &mut Record,
) -> Together {
    let mut together = Together::default();
    let (mut waiting, mut last) = (Vec::new(), common.began);
    for begun in begun {
        if common.is_stopping() {
            together.interrupted = true;
            break;
        }
        let (place, started) = (begun.place, last);
        together.reached = together.reached.max(place + 1);
        common.env.progress.note_phase(common.phase, place);
        if !begun.running.has(common.phase) {
            record.put(place, common.phase, started, started, Outcome::Done);
            continue;
        }
        let called = common.call(place, || begun.step(common.phase));
        last = Instant::now();
        match called {
            Ok(FirstPoll::Done(Ok(()))) => together.record_done(place, (started, last), common, record),
            Ok(FirstPoll::Waits(work)) => {
                // Recorded at once, since the next call may block.
                record.note_waiting(place, common.phase, started);
                waiting.push(Job::new(place, work, (started, last), common));
            }
            Ok(FirstPoll::Done(Err(error))) => {
                together.record_failure(place, (started, last), Cause::Failed(error), common, record);
            }
            Err(panicked) => together.record_failure(place, (started, last), panicked, common, record),
        }
    }
    if waiting.is_empty() {
        together.ended = Some(last);
    } else {
        common.add_busy(last.duration_since(common.began));
        together.wait(waiting, common, record).await;
    }
    together
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use crate::{
        Phase,
        prelude::*,
        testing::{log::Log, paused},
    };
    use std::time::Duration;
    use tokio::time::sleep;

    macro_rules! slow {
        ($($name:ident $secs:literal)*) => {$(
            #[plugin]
            struct $name;
            impl Lifecycle for $name {
                async fn init(&self, _: &Context) -> Result<()> {
                    sleep(Duration::from_secs($secs)).await;
                    Ok(())
                }
                async fn close(&self, _: &Context) -> Result<()> {
                    sleep(Duration::from_millis($secs * 100)).await;
                    Ok(())
                }
            }
        )*};
    }
    slow!(Quick 4 Slow 6 Slower 9);

    #[derive(Flavor)]
    struct Three {
        quick: Dep<Quick>,
        slow: Dep<Slow>,
        slower: Dep<Slower>,
    }

    #[test]
    fn what_waits_long_is_told_once_before_its_limit() {
        let log = Log::default();
        log.during(|| {
            paused(async {
                let builder = Agent::<Three>::builder().limit("slower", Phase::Init, Duration::from_secs(24));
                let builder = builder.limit("slower", Phase::Close, Duration::from_millis(1500));
                let agent = builder.start().await.unwrap_or_else(|error| panic!("{error}"));
                agent.close().await.unwrap_or_else(|error| panic!("{error:?}"));
            });
        });
        let text = log.text();
        let told: Vec<_> =
            text.lines().filter_map(|line| Some(&line[line.find("still ")?..line.find(" agent=")?])).collect();
        let expected = [
            "still starting: plugin `Slow` (init, 5.0s of 15s)",
            // The limit of the whole start is over before the plugin's own limit.
            "still starting: plugin `Slower` (init, 5.0s of 15s)",
            "still stopping: plugin `Slower` (close, 750.0ms of 1.5s)",
        ];
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn a_wait_longer_than_the_whole_is_told_and_ends() {
        use crate::agent::Limits;
        use std::{sync::mpsc::channel, thread};
        let (done, heard) = channel();
        // A thread that hangs there is abandoned.
        thread::spawn(move || {
            paused(async {
                let limits = Limits::default().stop(Duration::from_millis(1)).plugin_stop(Duration::from_secs(24));
                let builder = Agent::<Closes>::builder().limits(limits);
                let agent = builder.start().await.unwrap_or_else(|error| panic!("{error}"));
                done.send(agent.close().await.map(drop).map_err(|error| format!("{error:?}")))
            })
        });
        assert_eq!(heard.recv_timeout(Duration::from_secs(20)), Ok(Ok(())));
    }

    /// Its `close` takes less time than any plugin is given, but longer than the time until the warning.
    #[plugin]
    struct Lingers;
    impl Lifecycle for Lingers {
        async fn close(&self, _: &Context) -> Result<()> {
            sleep(Duration::from_millis(80)).await;
            Ok(())
        }
    }

    #[derive(Flavor)]
    struct Closes {
        lingers: Dep<Lingers>,
    }
}
