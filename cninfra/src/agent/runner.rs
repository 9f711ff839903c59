//! The starter and the closer: level by level, with rollback. It knows no plugin's type, so it is compiled once for
//! all flavors.

use super::{
    Cause, Event, Limits, Outcome, Phase, PluginError, StartError,
    job::{Create, Ended, Job, Step},
    limits::Limit,
};
use crate::{
    Context,
    context::Shared,
    graph::{Graph, Node},
    inject::running::Running,
};
use futures_util::{FutureExt as _, StreamExt as _, future, stream::FuturesUnordered};
use std::{collections::HashMap, sync::Arc, time::Instant};

/// A plugin that is not created by the agent, or not run by it.
pub(super) enum Special {
    /// Neither created nor run: it is ready, or switched off.
    Absent,
    /// Created already, but to be run.
    Made(Arc<dyn Running>),
    /// To be created, since its handle is wanted, but not run.
    Unused,
}

/// A running agent without its types: each plugin whose lifecycle has begun, with its place in the graph.
pub(super) struct Runner {
    graph: &'static Graph,
    shared: Arc<Shared>,
    limits: Limits,
    /// In start order.
    begun: Vec<(usize, Arc<dyn Running>)>,
    /// Recorded if there is an epoch.
    epoch: Option<Instant>,
    pub(super) events: Vec<Event>,
}

/// What a set of jobs that ran together left behind.
#[derive(Default)]
struct Together {
    errors: Vec<PluginError>,
    begun: Vec<(usize, Arc<dyn Running>)>,
    interrupted: bool,
}

impl Runner {
    pub(super) fn new(graph: &'static Graph, shared: Arc<Shared>, limits: Limits, record: bool) -> Self {
        let events = if record { Vec::with_capacity(5 * graph.len()) } else { Vec::new() };
        Runner { graph, shared, limits, begun: Vec::new(), epoch: record.then(Instant::now), events }
    }

    fn context(&self, place: usize) -> Context {
        Context::new(self.shared.clone(), place)
    }

    /// All config sections are read before anything is created; all their errors are kept.
    pub(super) fn validate(&self) -> Vec<PluginError> {
        let check = |node: &Node| {
            let config = node.plugin.config?;
            let error = (config.check)(&self.shared.config, node.plugin).err()?;
            let cause = Cause::Config(error);
            Some(PluginError {
                plugin: node.name(),
                instance: node.instance(),
                phase: Phase::Create,
                cause,
                elapsed: std::time::Duration::ZERO,
            })
        };
        self.graph.nodes().iter().filter_map(check).collect()
    }

    /// Creates and initialises every plugin, then runs `after_init`. On a failure, or when the agent is asked to stop,
    /// everything that had begun is closed.
    pub(super) async fn start(
        mut self,
        create: Create<'_>,
        special: HashMap<usize, Special>,
    ) -> Result<Runner, StartError> {
        let began = Instant::now();
        let ends = began + self.limits.start;
        let mut errors = self.validate();
        let mut interrupted = false;
        for phase in [Phase::Init, Phase::AfterInit] {
            let mut from = 0;
            while errors.is_empty() && !interrupted && from < self.graph.len() {
                let to = self.level_end(from);
                let since = Instant::now();
                let limit = Limit::new(since, self.limits.plugin_start, self.limits.start, ends);
                let jobs = if phase == Phase::Init {
                    self.creations(from..to, create, &special, limit)
                } else {
                    self.steps(from..to, phase, limit)
                };
                let mut done = self.run(jobs, since, true).await;
                if phase == Phase::Init {
                    done.begun.sort_by_key(|(place, _)| *place);
                    self.begun.append(&mut done.begun);
                }
                errors.append(&mut done.errors);
                interrupted = done.interrupted || self.shared.stop.is_stopping();
                from = to;
            }
        }
        if errors.is_empty() && !interrupted {
            self.shared.status.started();
            return Ok(self);
        }
        self.shared.status.stopping();
        let rollback = self.close().await;
        Err(StartError { errors, rollback, events: std::mem::take(&mut self.events) })
    }

    /// Drains all plugins at once, then closes them, level by level from above. It goes on after errors.
    pub(super) async fn stop(&mut self) -> Vec<PluginError> {
        self.shared.status.stopping();
        let since = Instant::now();
        let limit = Limit::new(since, self.limits.plugin_stop, self.limits.stop, since + self.limits.stop);
        let jobs = self.steps(0..self.graph.len(), Phase::Drain, limit);
        let mut errors = self.run(jobs, since, false).await.errors;
        errors.append(&mut self.close_until(since + self.limits.stop).await);
        errors
    }

    async fn close(&mut self) -> Vec<PluginError> {
        self.close_until(Instant::now() + self.limits.stop).await
    }

    async fn close_until(&mut self, ends: Instant) -> Vec<PluginError> {
        let mut errors = Vec::new();
        while let Some((last, _)) = self.begun.last() {
            let level = self.graph.nodes()[*last].level;
            let from = self.begun.partition_point(|(place, _)| self.graph.nodes()[*place].level < level);
            let since = Instant::now();
            let limit = Limit::new(since, self.limits.plugin_stop, self.limits.stop, ends);
            let mut places = Vec::with_capacity(self.begun.len() - from);
            let closing = self.begun.split_off(from);
            // those of one level in reverse order, so that a stop mirrors the start
            let jobs: Vec<_> = closing
                .into_iter()
                .rev()
                .map(|(place, running)| {
                    places.push(place);
                    Job::new(place, Phase::Close, Step::Made(running), self.context(place), limit, self.now())
                })
                .collect();
            errors.append(&mut self.run(jobs, since, false).await.errors);
            for place in places {
                self.shared.tasks.end(place).await;
            }
        }
        errors
    }

    /// Where the level ends that begins at `from`.
    fn level_end(&self, from: usize) -> usize {
        let nodes = &self.graph.nodes()[from..];
        from + nodes.iter().take_while(|node| node.level == nodes[0].level).count()
    }

    fn now(&self) -> Option<Instant> {
        self.epoch.map(|_| Instant::now())
    }

    fn creations<'a>(
        &self,
        places: std::ops::Range<usize>,
        create: Create<'a>,
        special: &HashMap<usize, Special>,
        limit: Limit,
    ) -> Vec<Job<'a>> {
        let mut jobs = Vec::with_capacity(places.len());
        for place in places {
            let special = special.get(&place);
            let step = match special {
                Some(Special::Absent) => continue,
                Some(Special::Made(running)) => Step::Made(running.clone()),
                Some(Special::Unused) | None => Step::New(create, usize::from(self.graph.nodes()[place].index)),
            };
            let unused = matches!(special, Some(Special::Unused));
            let mut job = Job::new(place, Phase::Create, step, self.context(place), limit, self.now());
            if unused {
                job.only_create();
            }
            jobs.push(job);
        }
        jobs
    }

    /// A phase of those that have begun.
    fn steps<'a>(&self, places: std::ops::Range<usize>, phase: Phase, limit: Limit) -> Vec<Job<'a>> {
        let of = |place| self.begun.partition_point(|(begun, _)| *begun < place);
        self.begun[of(places.start)..of(places.end)]
            .iter()
            .map(|(place, running)| {
                Job::new(*place, phase, Step::Made(running.clone()), self.context(*place), limit, self.now())
            })
            .collect()
    }

    /// Runs jobs concurrently. With `starting` the first failure, or a stop, drops the others where they are.
    async fn run(&mut self, jobs: Vec<Job<'_>>, since: Instant, starting: bool) -> Together {
        let mut together = Together::default();
        let mut waiting = FuturesUnordered::new();
        for mut job in jobs {
            // most steps need not wait: no allocation for them
            match (&mut job).now_or_never() {
                Some(ended) => self.ended(ended, since, &mut together),
                None => waiting.push(job),
            }
        }
        let stop = self.shared.stop.clone();
        while !waiting.is_empty() && (together.errors.is_empty() || !starting) {
            let next = if starting {
                match future::select(waiting.next(), std::pin::pin!(stop.stopping())).await {
                    future::Either::Left((next, _)) => next,
                    future::Either::Right(_) => {
                        together.interrupted = true;
                        break;
                    }
                }
            } else {
                waiting.next().await
            };
            match next {
                Some(ended) => self.ended(ended, since, &mut together),
                None => break,
            }
        }
        // those that ended in the same moment
        while let Some(Some(ended)) = waiting.next().now_or_never() {
            self.ended(ended, since, &mut together);
        }
        for mut job in waiting {
            let dropped = job.end(None, Outcome::Dropped);
            self.ended(dropped, since, &mut together);
        }
        together
    }

    fn ended(&mut self, ended: Ended, since: Instant, together: &mut Together) {
        if let Some(epoch) = self.epoch {
            ended.record(epoch, &mut self.events);
        }
        if let Some(running) = ended.begun {
            together.begun.push((ended.place, running));
        }
        if let Some(cause) = ended.cause {
            let node = &self.graph.nodes()[ended.place];
            together.errors.push(PluginError {
                plugin: node.name(),
                instance: node.instance(),
                phase: ended.phase,
                cause,
                elapsed: since.elapsed(),
            });
        }
    }
}

impl Drop for Runner {
    /// An agent that is dropped without being closed can not run its plugins' `close`, but it takes their tasks with it.
    fn drop(&mut self) {
        if !self.begun.is_empty() {
            tracing::warn!(agent = %self.shared.label, "dropped without being closed: its tasks are ended where they are");
            self.shared.tasks.abort_all();
        }
    }
}
