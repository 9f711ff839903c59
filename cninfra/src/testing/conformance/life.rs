//! [`Life`]: what was observed of one agent from its start to its end.

use super::{
    Conformance, Violation,
    probe::{Ordeal, Seen, around},
};
use crate::{
    Agent,
    agent::{Builder, Outcome, PluginError},
    graph::Graph,
    logging::{Level, LogSettings},
    status::{AgentStatus, State},
    tasks::{LEFT, Slowest},
    testing::log::Log,
};
use futures_util::future::{LocalBoxFuture, join, join_all};
use std::{
    cell::Cell,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, time::timeout};

/// How long a plugin that is retried may take to come up, or to report its state.
pub(super) const UP_WITHIN: Duration = Duration::from_secs(5);
/// How long after the close of the agent a `spawn_blocking` call may still run, since it cannot be aborted.
pub(super) const OUTLIVES: Duration = Duration::from_secs(1);

/// Calls that go on while an agent closes. They end by themselves.
pub(super) type Going = LocalBoxFuture<'static, ()>;

/// What was observed of one agent from its start to its end.
#[derive(Default)]
pub(super) struct Life {
    pub(super) started: bool,
    /// Whether no plugin was down, at once or after some attempts.
    pub(super) is_up: bool,
    pub(super) status: Option<AgentStatus>,
    pub(super) seen: Arc<Seen>,
    pub(super) left_task: bool,
    /// The longest call of one of its tasks.
    pub(super) slowest_task: Option<(&'static str, Duration)>,
    /// Whether a `spawn_blocking` call still ran long after the close.
    pub(super) outlived: bool,
    /// Whether calls of the plugin's clients block their thread.
    pub(super) calls_block: bool,
    /// How many calls did not end that were in progress during the close.
    pub(super) unanswered: Rc<Cell<usize>>,
    /// How many tasks still ran when the agent had closed.
    pub(super) alive: usize,
    pub(super) errors: Vec<PluginError>,
    /// The errors while it was closed, in a stop or in a rollback.
    pub(super) closing: Vec<PluginError>,
    /// Violations that were found during its life.
    pub(super) violations: Vec<Violation>,
    /// The secrets of the plugin's config section.
    pub(super) secrets: Vec<String>,
    /// The reports of errors, the reasons of the plugin's states, and the log.
    pub(super) texts: Vec<String>,
}

impl Life {
    /// The names of the tasks that were left behind, taken from the log.
    pub(super) fn left_names(&self) -> Vec<&str> {
        let lines = self.texts.iter().flat_map(|text| text.lines());
        let mut names: Vec<_> =
            lines.filter_map(|line| line.split_once(LEFT)?.0.rsplit_once("task `")).map(|(_, name)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Observes an agent that has started, and does nothing to it.
pub(super) async fn look<F>(agent: &Agent<F>, life: &mut Life) -> Vec<Going> {
    life.is_up = timeout(UP_WITHIN, agent.all_up()).await.is_ok();
    life.status = Some(agent.status());
    Vec::new()
}

/// The same, after the plugin has reported its state: its first probe may not have answered yet.
pub(super) async fn look_at<F>(plugin: &str, agent: &Agent<F>, life: &mut Life) -> Vec<Going> {
    let going = look(agent, life).await;
    let gets_ready =
        |status: &AgentStatus| status.plugins.iter().any(|one| one.name == plugin && one.state == State::Init);
    let mut changes = agent.status_changes();
    let known = async { while gets_ready(&changes.current()) && changes.next().await.is_some() {} };
    let _ = timeout(UP_WITHIN, known).await;
    life.status = Some(agent.status());
    going
}

impl<F: 'static> Conformance<F> {
    /// Runs one agent from its start to its end, with a thread and a runtime of its own: so everything that is logged,
    /// and every task that still runs, belongs to it.
    pub(super) fn live(&self, make: &dyn Fn() -> Builder<F>, ordeal: Ordeal) -> Life {
        self.live_through(make, ordeal, look)
    }

    /// The same, and calls `does` when the agent has started. The calls that this returns go on while the agent closes.
    pub(super) fn live_through(
        &self,
        make: &dyn Fn() -> Builder<F>,
        ordeal: Ordeal,
        does: impl AsyncFnOnce(&Agent<F>, &mut Life) -> Vec<Going>,
    ) -> Life {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("no runtime: {error}"),
        };
        let log = Log::default();
        let mut life = log.during(|| self.live_in(&runtime, make, ordeal, does));
        let began = Instant::now();
        runtime.shutdown_timeout(OUTLIVES);
        life.outlived = began.elapsed() >= OUTLIVES;
        life.texts.push(log.text());
        life
    }

    fn live_in(
        &self,
        runtime: &Runtime,
        make: &dyn Fn() -> Builder<F>,
        ordeal: Ordeal,
        does: impl AsyncFnOnce(&Agent<F>, &mut Life) -> Vec<Going>,
    ) -> Life {
        let seen = Arc::new(Seen::default());
        let guard = runtime.enter();
        // Secrets are searched for in records of all levels.
        let levels = LogSettings::new().default_level(Level::Trace);
        let builder = make().record_events(true).log_settings(&levels).wrap(around(&self.plugin, ordeal, seen.clone()));
        let slowest = Arc::new(Slowest::default());
        let builder = builder.measure(slowest.clone());
        drop(guard);
        let graph = builder.graph();
        let (mut life, events) = runtime.block_on(async {
            let mut life = Life { seen, ..Life::default() };
            let events = match builder.start().await {
                Ok(agent) => {
                    life.started = true;
                    life.secrets = agent.secrets_of(&self.plugin);
                    let going = does(&agent, &mut life).await;
                    match join(agent.close(), join_all(going)).await.0 {
                        Ok(events) => events,
                        Err(error) => {
                            life.texts.push(format!("{error}\n{error:?}"));
                            life.errors = error.run;
                            life.closing = error.errors;
                            error.events
                        }
                    }
                }
                Err(error) => {
                    life.texts.push(format!("{error}\n{error:?}"));
                    life.errors = error.errors;
                    life.closing = error.rollback;
                    error.events
                }
            };
            // tokio still counts a task for a moment after it has ended.
            let until = Instant::now() + Duration::from_millis(300);
            let metrics = tokio::runtime::Handle::current().metrics();
            while metrics.num_alive_tasks() > 0 && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            life.alive = metrics.num_alive_tasks();
            (life, events)
        });
        life.slowest_task = slowest
            .get()
            .filter(|(place, ..)| is_named(graph, *place, &self.plugin))
            .map(|(_, task, took)| (task, took));
        life.left_task = events
            .iter()
            .any(|event| event.outcome == Outcome::LeftTask && is_named(graph, usize::from(event.place), &self.plugin));
        life
    }
}

fn is_named(graph: &Graph, place: usize, plugin: &str) -> bool {
    graph.nodes().get(place).is_some_and(|node| node.instance() == plugin)
}
