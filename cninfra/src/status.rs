//! The state of an agent and of its plugins: what the probes tell.

use crate::graph::Graph;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

/// The state of a plugin, or of an agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It does what it is for.
    Ok,
    /// It works, but not as it should.
    Degraded,
    /// It starts.
    Init,
    /// It stops, or has stopped.
    Stopped,
    /// It does not work.
    Error,
}

/// What is known of a plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The plugin's instance name.
    pub name: &'static str,
    /// Its state: what it has reported, or the agent's phase where it has not.
    pub state: State,
    /// Why, where it has said so.
    pub reason: Option<String>,
    /// Since when.
    pub since: SystemTime,
    /// Is it an optional plugin of its flavor? Those do not make the agent unready.
    pub optional: bool,
}

/// What is known of an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AgentStatus {
    /// The worst state of the plugins that are not optional.
    pub state: State,
    /// When the agent began to start.
    pub started: SystemTime,
    /// When its own state last changed: started, began to stop.
    pub since: SystemTime,
    /// The plugins, in start order.
    pub plugins: Vec<PluginStatus>,
}

/// The status of one agent's plugins.
pub(crate) struct Registry {
    graph: &'static Graph,
    inner: Mutex<Inner>,
}

struct Inner {
    /// The state of those that report none.
    phase: State,
    started: SystemTime,
    since: SystemTime,
    reported: BTreeMap<usize, Report>,
}

struct Report {
    state: State,
    reason: Option<String>,
    since: SystemTime,
}

impl Registry {
    pub(crate) fn new(graph: &'static Graph) -> Self {
        let now = SystemTime::now();
        let inner = Inner { phase: State::Init, started: now, since: now, reported: BTreeMap::new() };
        Registry { graph, inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every plugin has been initialised.
    pub(crate) fn started(&self) {
        self.set_phase(State::Ok);
    }

    /// The agent stops, or its start is rolled back.
    pub(crate) fn stopping(&self) {
        self.set_phase(State::Stopped);
    }

    fn set_phase(&self, phase: State) {
        let mut inner = self.lock();
        if inner.phase != phase {
            inner.phase = phase;
            inner.since = SystemTime::now();
        }
    }
}

/// The status of a plugin and of its agent: see [`Context::status`](crate::Context::status).
#[derive(Clone, Copy)]
pub struct Status<'a> {
    registry: &'a Registry,
    place: usize,
}

impl<'a> Status<'a> {
    pub(crate) fn new(registry: &'a Registry, place: usize) -> Self {
        Status { registry, place }
    }

    /// Reports the plugin's state. A plugin that never does is as its agent: starting, then well.
    pub fn report(&self, state: State) {
        self.put(state, None);
    }

    /// Reports the plugin's state and why it is so.
    pub fn report_because(&self, state: State, reason: impl Into<String>) {
        self.put(state, Some(reason.into()));
    }

    fn put(&self, state: State, reason: Option<String>) {
        let mut inner = self.registry.lock();
        let now = SystemTime::now();
        let since = inner.reported.get(&self.place).filter(|old| old.state == state).map_or(now, |old| old.since);
        inner.reported.insert(self.place, Report { state, reason, since });
    }

    /// The state of the whole agent.
    #[must_use]
    pub fn agent(&self) -> AgentStatus {
        let inner = self.registry.lock();
        let plugins: Vec<PluginStatus> = self
            .registry
            .graph
            .nodes()
            .iter()
            .enumerate()
            .map(|(place, node)| {
                // the agent's own start and stop go over what a plugin reports of its work
                let report = inner.reported.get(&place).filter(|_| inner.phase == State::Ok);
                PluginStatus {
                    name: node.instance(),
                    state: report.map_or(inner.phase, |report| report.state),
                    reason: report.and_then(|report| report.reason.clone()),
                    since: report.map_or(inner.since, |report| report.since),
                    optional: node.optional,
                }
            })
            .collect();
        let worst = plugins.iter().filter(|plugin| !plugin.optional).map(|plugin| plugin.state).max();
        AgentStatus {
            state: worst.unwrap_or(inner.phase).max(inner.phase),
            started: inner.started,
            since: inner.since,
            plugins,
        }
    }
}

impl std::fmt::Debug for Status<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.agent().fmt(f)
    }
}
