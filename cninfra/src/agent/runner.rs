//! The starter and the closer: level by level, with rollback. It knows no plugin's type, so it is compiled once for all flavors.

use super::{
    Cause, Event, Limits, Outcome, Phase, PluginError, StartError,
    job::{Begun, First, Job, Work, guard},
    limits::{Limit, after},
    own,
    together::{Common, Record, Together},
};
use crate::{
    BoxFuture, Context,
    context::Shared,
    graph::Graph,
    inject::{
        part::{Creation, Made},
        running::Running,
    },
};
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
    /// Neither created nor run: it is ready.
    Absent,
    /// Neither created nor run: it is switched off.
    Off,
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

impl Runner {
    pub(super) fn new(graph: &'static Graph, shared: Arc<Shared>, limits: Limits, record: bool) -> Self {
        let record = if record { Record::on(5 * graph.len()) } else { Record::off() };
        Runner { graph, shared, limits, begun: Vec::with_capacity(graph.len()), record }
    }

    pub(super) fn events(&self) -> &[Event] {
        self.record.events()
    }

    pub(super) fn take_events(&mut self) -> Vec<Event> {
        self.record.take()
    }

    /// All config sections are read before anything is created; all their errors are kept.
    fn validate(&self) -> Vec<PluginError> {
        own::mistakes(self.graph, &self.shared.config)
    }

    /// Creates and initialises every plugin, then runs `after_init`. On a failure, or when the agent is asked to stop,
    /// everything that had begun is closed.
    // boxed here, so that it is compiled here: an `async fn` is compiled where it is awaited, in each agent's crate
    pub(super) fn start<'a>(
        self,
        create: Create<'a>,
        special: HashMap<usize, Special>,
    ) -> BoxFuture<'a, Result<Runner, StartError>> {
        Box::pin(self.start_levels(create, special))
    }

    async fn start_levels(
        mut self,
        create: Create<'_>,
        special: HashMap<usize, Special>,
    ) -> Result<Runner, StartError> {
        let ends = after(Instant::now(), self.limits.start);
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
        let rollback = self.close(after(Instant::now(), self.limits.stop)).await;
        Err(StartError { errors: last.errors, rollback, events: self.take_events() })
    }

    /// Drains all plugins at once, then closes them, level by level from above. It goes on after errors.
    pub(super) fn stop(&mut self) -> BoxFuture<'_, Vec<PluginError>> {
        Box::pin(self.drain_and_close())
    }

    async fn drain_and_close(&mut self) -> Vec<PluginError> {
        self.shared.status.stopping();
        let (now, half) = (Instant::now(), self.limits.stop / 2);
        let ends = after(now, self.limits.stop);
        // what hangs here must leave the others time to close
        let common = self.common(now, self.limits.plugin_stop.min(half), half, after(now, half));
        let mut errors = run(self.begun.iter(), Phase::Drain, common, &mut self.record).await.errors;
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
            let closing = self.begun[from..].iter().rev();
            errors.append(&mut run(closing, Phase::Close, common, &mut self.record).await.errors);
            if self.shared.tasks.are_left() {
                let places: Vec<_> = self.begun[from..].iter().map(|begun| begun.place).collect();
                self.shared.tasks.end(&places, ends).await;
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
                Some(Special::Absent | Special::Off) => continue,
                Some(Special::Made(running)) => {
                    self.begin(place, running.clone());
                    continue;
                }
                Some(Special::Unused) | None => {}
            }
            let started = self.record.now();
            let index = usize::from(self.graph.nodes()[place].index);
            cx.set_place(place);
            match guard(|| create(index, &cx)) {
                Ok(Creation::Now(Ok(made))) => {
                    self.record.put(place, Phase::Create, started, Outcome::Done);
                    self.begin_unless_unused(place, made, special);
                }
                Ok(Creation::Now(Err(error))) => {
                    together.fail(place, Phase::Create, started, Cause::Failed(error), &common, &mut self.record);
                }
                Ok(Creation::Later(future)) => {
                    later.push(Job::new(place, Phase::Create, Work::Create(future), common.limit, started));
                }
                Err(panicked) => together.fail(place, Phase::Create, started, panicked, &common, &mut self.record),
            }
        }
        if !later.is_empty() {
            for (place, made) in together.wait(later, &common, &mut self.record).await {
                self.begin_unless_unused(place, made, special);
            }
            self.begun[first..].sort_by_key(|begun| begun.place);
        }
        if !together.is_well() {
            self.begun.truncate(first);
        }
        together
    }

    fn begin_unless_unused(&mut self, place: usize, made: Made, special: &HashMap<usize, Special>) {
        if let Some(running) = made
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
        let level = &self.begun[of(places.start)..of(places.end)];
        run(level.iter(), phase, common, &mut self.record).await
    }
}

/// Runs a phase of plugins that have begun, concurrently.
async fn run<'a>(
    begun: impl Iterator<Item = &'a Begun>,
    phase: Phase,
    common: Common<'_>,
    record: &mut Record,
) -> Together {
    let mut together = Together::default();
    let mut waiting = Vec::new();
    let mut started = record.now();
    for begun in begun {
        let place = begun.place;
        match begun.step(phase) {
            Ok(First::Done(Ok(()))) => started = record.put(place, phase, started, Outcome::Done),
            Ok(First::Waits(work)) => {
                waiting.push(Job::new(place, phase, work, common.limit, started));
                started = record.now();
            }
            Ok(First::Done(Err(error))) => {
                together.fail(place, phase, started, Cause::Failed(error), &common, record);
                started = record.now();
            }
            Err(panicked) => {
                together.fail(place, phase, started, panicked, &common, record);
                started = record.now();
            }
        }
    }
    if !waiting.is_empty() {
        together.wait(waiting, &common, record).await;
    }
    together
}

impl Drop for Runner {
    /// An agent that is dropped without being closed can not run its plugins' `close`, but it takes their tasks with it;
    /// so does one whose start failed while they were created.
    fn drop(&mut self) {
        if !self.begun.is_empty() {
            tracing::warn!(agent = %self.shared.label, "dropped without being closed: its tasks are ended where they are");
        }
        self.shared.tasks.abort_all();
    }
}
