//! The starter and the closer: level by level, with rollback. It knows no plugin's type, so it is compiled once for all flavors.

use super::{
    Cause, Event, Limits, Outcome, Phase, PluginError, StartError, StopHandle,
    job::{Begun, Ended, Job, Work, guard},
    limits::Limit,
};
use crate::{
    Context,
    context::Shared,
    graph::{Graph, Node},
    inject::{part::Creation, running::Running},
};
use futures_util::{FutureExt as _, StreamExt as _, future, stream::FuturesUnordered};
use std::{
    collections::HashMap,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

/// Creates the plugin at an index of the wiring.
pub(super) type Create<'a> = &'a (dyn for<'b> Fn(usize, &'b Context) -> Creation<'a> + Send + Sync);

/// A plugin that is not created by the agent, or not run by it.
pub(super) enum Special {
    /// Neither created nor run: it is ready, or switched off.
    Absent,
    /// Created already, but to be run.
    Made(Arc<dyn Running>),
    /// To be created, since its handle is wanted, but not run.
    Unused,
}

/// A running agent without its types.
pub(super) struct Runner {
    graph: &'static Graph,
    shared: Arc<Shared>,
    limits: Limits,
    /// Each plugin whose lifecycle has begun, in start order.
    begun: Vec<Begun>,
    record: Record,
}

/// The events so far, if they are recorded.
struct Record {
    epoch: Option<Instant>,
    events: Vec<Event>,
}

/// What steps that ran together left behind.
#[derive(Default)]
struct Together {
    errors: Vec<PluginError>,
    interrupted: bool,
}

impl Together {
    fn is_well(&self) -> bool {
        self.errors.is_empty() && !self.interrupted
    }
}

/// What is common to steps that run together.
#[derive(Clone, Copy)]
struct Common<'a> {
    graph: &'static Graph,
    since: Instant,
    limit: Limit,
    /// While the agent starts: the first failure, or a stop, drops all others where they are.
    stop: Option<&'a StopHandle>,
}

impl Runner {
    pub(super) fn new(graph: &'static Graph, shared: Arc<Shared>, limits: Limits, record: bool) -> Self {
        let events = if record { Vec::with_capacity(5 * graph.len()) } else { Vec::new() };
        let record = Record { epoch: record.then(Instant::now), events };
        Runner { graph, shared, limits, begun: Vec::with_capacity(graph.len()), record }
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.record.events
    }

    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.record.events)
    }

    /// All config sections are read before anything is created; all their errors are kept.
    fn validate(&self) -> Vec<PluginError> {
        let check = |node: &Node| {
            let error = (node.plugin.config?.check)(&self.shared.config, node.plugin).err()?;
            Some(error_of(node, Phase::Create, Cause::Config(error), Duration::ZERO))
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
        let ends = Instant::now() + self.limits.start;
        let mut last = Together { errors: self.validate(), ..Together::default() };
        for phase in [Phase::Init, Phase::AfterInit] {
            let mut from = 0;
            while last.is_well() && from < self.graph.len() {
                let to = self.level_end(from);
                if phase == Phase::Init {
                    last = self.create_level(from..to, create, &special, ends).await;
                }
                if last.is_well() {
                    last = self.start_level(from..to, phase, ends).await;
                }
                last.interrupted |= self.shared.stop.is_stopping();
                from = to;
            }
        }
        if last.is_well() {
            self.shared.status.started();
            return Ok(self);
        }
        self.shared.status.stopping();
        let rollback = self.close(Instant::now() + self.limits.stop).await;
        Err(StartError { errors: last.errors, rollback, events: self.take_events() })
    }

    /// Drains all plugins at once, then closes them, level by level from above. It goes on after errors.
    pub(super) async fn stop(&mut self) -> Vec<PluginError> {
        self.shared.status.stopping();
        let ends = Instant::now() + self.limits.stop;
        let common = self.common(Instant::now(), self.limits.plugin_stop, self.limits.stop, ends);
        let jobs = steps(&self.begun, Phase::Drain, &common, &self.record);
        let mut errors = run(jobs, common, &mut self.record, &mut Vec::new()).await.errors;
        errors.append(&mut self.close(ends).await);
        errors
    }

    async fn close(&mut self, ends: Instant) -> Vec<PluginError> {
        let mut errors = Vec::new();
        while let Some(last) = self.begun.last() {
            let level = self.graph.nodes()[last.place].level;
            let from = self.begun.partition_point(|begun| self.graph.nodes()[begun.place].level < level);
            let common = self.common(Instant::now(), self.limits.plugin_stop, self.limits.stop, ends);
            // those of one level in reverse order, so that a stop mirrors the start
            let jobs = steps(&self.begun[from..], Phase::Close, &common, &self.record).rev();
            errors.append(&mut run(jobs, common, &mut self.record, &mut Vec::new()).await.errors);
            if self.shared.tasks.are_left() {
                for begun in &self.begun[from..] {
                    self.shared.tasks.end(begun.place).await;
                }
            }
            self.begun.truncate(from);
        }
        errors
    }

    /// Where the level ends that begins at `from`.
    fn level_end(&self, from: usize) -> usize {
        let nodes = &self.graph.nodes()[from..];
        from + nodes.iter().take_while(|node| node.level == nodes[0].level).count()
    }

    fn common<'a>(&self, since: Instant, plugin: Duration, whole: Duration, ends: Instant) -> Common<'a> {
        Common { graph: self.graph, since, limit: Limit::new(since, plugin, whole, ends), stop: None }
    }

    /// Creates the plugins of a level. Afterwards those with a lifecycle stand in `begun`; none of them if one failed.
    async fn create_level(
        &mut self,
        places: Range<usize>,
        create: Create<'_>,
        special: &HashMap<usize, Special>,
        ends: Instant,
    ) -> Together {
        let stop = self.shared.stop.clone();
        let common = self.common(Instant::now(), self.limits.plugin_start, self.limits.start, ends);
        let common = Common { stop: Some(&stop), ..common };
        let mut together = Together::default();
        let mut later = Vec::new();
        let first = self.begun.len();
        let mut cx = Context::new(self.shared.clone(), places.start);
        for place in places {
            match special.get(&place) {
                Some(Special::Absent) => continue,
                Some(Special::Made(running)) => {
                    self.begin(place, running.clone());
                    continue;
                }
                Some(Special::Unused) | None => {}
            }
            let mut job = Job::new(place, Phase::Create, Work::Ended, common.limit, self.record.now());
            let index = usize::from(self.graph.nodes()[place].index);
            cx.set_place(place);
            let ended = match guard(|| create(index, &cx)) {
                Ok(Creation::Now(Ok(made))) => job.end(made, None, Outcome::Done),
                Ok(Creation::Now(Err(error))) => job.end(None, Some(Cause::Failed(error)), Outcome::Failed),
                Ok(Creation::Later(future)) => {
                    job.work(Work::Create(future));
                    later.push(job);
                    continue;
                }
                Err(panicked) => job.end(None, Some(panicked), Outcome::Panicked),
            };
            let made = together.take(ended, &common, &mut self.record);
            self.begin_unless_unused(made, special);
        }
        if !later.is_empty() {
            let mut made = Vec::new();
            let last = run(later.into_iter(), common, &mut self.record, &mut made).await;
            together.errors.extend(last.errors);
            together.interrupted = last.interrupted;
            made.into_iter().for_each(|made| self.begin_unless_unused(Some(made), special));
            self.begun[first..].sort_by_key(|begun| begun.place);
        }
        if !together.is_well() {
            self.begun.truncate(first);
        }
        together
    }

    fn begin_unless_unused(&mut self, made: Option<(usize, Arc<dyn Running>)>, special: &HashMap<usize, Special>) {
        if let Some((place, running)) = made
            && !matches!(special.get(&place), Some(Special::Unused))
        {
            self.begin(place, running);
        }
    }

    fn begin(&mut self, place: usize, running: Arc<dyn Running>) {
        self.begun.push(Begun { place, running, cx: Context::new(self.shared.clone(), place) });
    }

    /// Runs a phase of the start on a level.
    async fn start_level(&mut self, places: Range<usize>, phase: Phase, ends: Instant) -> Together {
        let stop = self.shared.stop.clone();
        let common = self.common(Instant::now(), self.limits.plugin_start, self.limits.start, ends);
        let common = Common { stop: Some(&stop), ..common };
        let of = |place| self.begun.partition_point(|begun| begun.place < place);
        let jobs = steps(&self.begun[of(places.start)..of(places.end)], phase, &common, &self.record);
        run(jobs, common, &mut self.record, &mut Vec::new()).await
    }
}

/// A phase of those that have begun.
fn steps<'a>(
    begun: &'a [Begun],
    phase: Phase,
    common: &Common<'_>,
    record: &Record,
) -> impl DoubleEndedIterator<Item = Job<'a>> + use<'a> {
    let (limit, epoch) = (common.limit, record.epoch);
    begun.iter().map(move |begun| Job::new(begun.place, phase, Work::Phase(begun), limit, epoch))
}

/// Runs steps concurrently. What they created goes to `made`.
async fn run<'a>(
    jobs: impl Iterator<Item = Job<'a>>,
    common: Common<'_>,
    record: &mut Record,
    made: &mut Vec<(usize, Arc<dyn Running>)>,
) -> Together {
    let mut together = Together::default();
    let mut waiting = Vec::new();
    for mut job in jobs {
        // most steps need not wait: nothing is allocated for them
        match (&mut job).now_or_never() {
            Some(ended) => made.extend(together.take(ended, &common, record)),
            None => waiting.push(job),
        }
    }
    if !waiting.is_empty() {
        wait(waiting, &mut together, common, record, made).await;
    }
    together
}

/// Waits for the steps that have to.
async fn wait(
    jobs: Vec<Job<'_>>,
    together: &mut Together,
    common: Common<'_>,
    record: &mut Record,
    made: &mut Vec<(usize, Arc<dyn Running>)>,
) {
    let mut waiting: FuturesUnordered<_> = jobs.into_iter().collect();
    while !waiting.is_empty() && (together.errors.is_empty() || common.stop.is_none()) {
        let next = match common.stop {
            Some(stop) => match future::select(waiting.next(), std::pin::pin!(stop.stopping())).await {
                future::Either::Left((next, _)) => next,
                future::Either::Right(_) => {
                    together.interrupted = true;
                    break;
                }
            },
            None => waiting.next().await,
        };
        match next {
            Some(ended) => made.extend(together.take(ended, &common, record)),
            None => break,
        }
    }
    // those that ended in the same moment
    while let Some(Some(ended)) = waiting.next().now_or_never() {
        made.extend(together.take(ended, &common, record));
    }
    for mut job in waiting {
        let dropped = job.end(None, None, Outcome::Dropped);
        together.take(dropped, &common, record);
    }
}

impl Together {
    /// Keeps what is to be told of a step. Returns what it created, if that has a lifecycle.
    fn take(&mut self, ended: Ended, common: &Common<'_>, record: &mut Record) -> Option<(usize, Arc<dyn Running>)> {
        if let Some(epoch) = record.epoch {
            record.events.extend(ended.event(epoch));
        }
        if let Some(cause) = ended.cause {
            let node = &common.graph.nodes()[ended.place];
            self.errors.push(error_of(node, ended.phase, cause, common.since.elapsed()));
        }
        Some((ended.place, ended.made?))
    }
}

impl Record {
    /// The time, where it will be recorded.
    fn now(&self) -> Option<Instant> {
        self.epoch.map(|_| Instant::now())
    }
}

fn error_of(node: &Node, phase: Phase, cause: Cause, elapsed: Duration) -> PluginError {
    PluginError { plugin: node.name(), instance: node.instance(), phase, cause, elapsed }
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
