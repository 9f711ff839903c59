//! The state of an agent and of its plugins: what the probes tell.

mod changes;
mod probing;

pub use changes::StatusChanges;
pub(crate) use probing::Probes;
pub use probing::Probing;

use crate::{Context, graph::Graph};
use changes::Version;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use tokio::sync::watch;

/// The state of a plugin, or of an agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It is switched off.
    Disabled,
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

impl State {
    /// The name: `ok`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Disabled => "disabled",
            State::Ok => "ok",
            State::Degraded => "degraded",
            State::Init => "init",
            State::Stopped => "stopped",
            State::Error => "error",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// What is known of a plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The plugin's instance name.
    pub name: &'static str,
    /// Its state: what it has reported, or the agent's phase where it has not; or that it is switched off.
    pub state: State,
    /// Why, where it has said so.
    pub reason: Option<String>,
    /// Is it broken in a way that only a new start of the process can mend? See [`Status::report_broken`].
    pub broken: bool,
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
    /// Where the agent itself is: in its start, started, or in its stop.
    pub phase: State,
    /// When the agent began to start.
    pub started: SystemTime,
    /// When its own state last changed: started, began to stop.
    pub since: SystemTime,
    /// When it, or a plugin, last reported anything.
    pub updated: SystemTime,
    /// The plugins, in start order.
    pub plugins: Vec<PluginStatus>,
}

impl AgentStatus {
    /// The plugins that the agent does not do without.
    fn needed(&self) -> impl Iterator<Item = &PluginStatus> {
        self.plugins.iter().filter(|plugin| !plugin.optional)
    }

    /// Does it do its work? It is started, and none of its plugins, but for optional ones, is in error or still getting
    /// ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase == State::Ok && !self.needed().any(|plugin| matches!(plugin.state, State::Error | State::Init))
    }

    /// Should its process go on? What is wrong outside of it, such as a lost connection, is no reason to start it anew: only
    /// a plugin that is broken is.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.needed().any(|plugin| plugin.broken)
    }
}

/// The status of one agent's plugins.
pub(crate) struct Registry {
    graph: &'static Graph,
    inner: Mutex<Inner>,
    version: watch::Sender<Version>,
}

struct Inner {
    /// The state of those that report none.
    phase: State,
    started: SystemTime,
    since: SystemTime,
    updated: SystemTime,
    reported: BTreeMap<usize, Report>,
    /// Places of plugins that are not run.
    off: BTreeSet<usize>,
    /// Why a plugin's new config was refused, by place.
    refused: BTreeMap<usize, String>,
}

struct Report {
    state: State,
    reason: Option<String>,
    broken: bool,
    since: SystemTime,
    /// By the agent, of a plugin without which it has started.
    down: bool,
}

impl Registry {
    pub(crate) fn new(graph: &'static Graph) -> Self {
        let now = SystemTime::now();
        let inner = Inner {
            phase: State::Init,
            started: now,
            since: now,
            updated: now,
            reported: BTreeMap::new(),
            off: BTreeSet::new(),
            refused: BTreeMap::new(),
        };
        Registry { graph, inner: Mutex::new(inner), version: watch::Sender::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and tells it when no lock is held any more.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> (T, bool)) -> T {
        let (result, changed) = change(&mut self.lock());
        if changed {
            self.version.send_modify(|version| version.count += 1);
        }
        result
    }

    fn versions(&self) -> watch::Receiver<Version> {
        self.version.subscribe()
    }

    /// The agent has closed: nothing changes any more.
    pub(crate) fn end(&self) {
        self.version.send_if_modified(|version| !std::mem::replace(&mut version.ended, true));
    }

    /// Every plugin has been initialised.
    pub(crate) fn started(&self) {
        self.set_phase(State::Ok);
    }

    /// The agent stops, or its start is rolled back.
    pub(crate) fn stopping(&self) {
        self.set_phase(State::Stopped);
    }

    /// A plugin that is not run.
    pub(crate) fn switched_off(&self, place: usize) {
        self.change(|inner| ((), inner.off.insert(place)));
    }

    /// The new config of a plugin is not valid; `None` when it is again.
    pub(crate) fn config_refused(&self, place: usize, why: Option<String>) {
        self.change(|inner| {
            let before = match why.clone() {
                Some(why) => inner.refused.insert(place, why),
                None => inner.refused.remove(&place),
            };
            inner.updated = SystemTime::now();
            ((), before != why)
        });
    }

    /// The state of the whole agent.
    pub(crate) fn agent(&self) -> AgentStatus {
        let inner = self.lock();
        let plugins: Vec<PluginStatus> = self
            .graph
            .nodes()
            .iter()
            .enumerate()
            .map(|(place, node)| {
                // the agent's own start and stop go over what a plugin reports of its work
                let report = inner.reported.get(&place).filter(|_| inner.phase == State::Ok);
                let unreported = if inner.off.contains(&place) { State::Disabled } else { inner.phase };
                let status = PluginStatus {
                    name: node.instance(),
                    state: report.map_or(unreported, |report| report.state),
                    reason: report.and_then(|report| report.reason.clone()),
                    broken: report.is_some_and(|report| report.broken),
                    since: report.map_or(inner.since, |report| report.since),
                    optional: node.optional,
                };
                match inner.refused.get(&place) {
                    // it works on, with its old config; what is worse is told first
                    Some(why) if status.state == State::Ok => {
                        PluginStatus { state: State::Degraded, reason: Some(why.clone()), ..status }
                    }
                    _ => status,
                }
            })
            .collect();
        let worst = plugins.iter().filter(|plugin| !plugin.optional).map(|plugin| plugin.state).max();
        AgentStatus {
            state: worst.unwrap_or(inner.phase).max(inner.phase),
            phase: inner.phase,
            started: inner.started,
            since: inner.since,
            updated: inner.updated,
            plugins,
        }
    }

    fn set_phase(&self, phase: State) {
        self.change(|inner| {
            let changed = inner.phase != phase;
            if changed {
                inner.phase = phase;
                inner.since = SystemTime::now();
                inner.updated = inner.since;
            }
            ((), changed)
        });
    }
}

/// The status of a plugin and of its agent: see [`Context::status`](crate::Context::status).
#[derive(Clone, Copy)]
pub struct Status<'a> {
    cx: &'a Context,
}

impl<'a> Status<'a> {
    pub(crate) fn new(cx: &'a Context) -> Self {
        Status { cx }
    }

    fn registry(&self) -> &'a Registry {
        self.cx.status_registry()
    }

    /// Reports the plugin's state. A plugin that never does is as its agent: starting, then well. One that is the same again is no
    /// change, so it may be reported as often as it is seen; a change is logged.
    pub fn report(&self, state: State) {
        self.put(state, None, false, false);
    }

    /// Reports the plugin's state and why it is so.
    pub fn report_because(&self, state: State, reason: impl Into<String>) {
        self.put(state, Some(reason.into()), false, false);
    }

    /// Reports that the plugin does not work, and will not before the process is started anew: a defect of its own, never
    /// trouble with something outside. The liveness probe fails, and the orchestrator starts the process anew.
    pub fn report_broken(&self, reason: impl Into<String>) {
        self.put(State::Error, Some(reason.into()), true, false);
    }

    fn put(&self, state: State, reason: Option<String>, broken: bool, down: bool) {
        let place = self.cx.place();
        let why = reason.clone();
        let before = self.registry().change(|inner| {
            let now = SystemTime::now();
            let old = inner.reported.get(&place);
            let before = old.map(|old| old.state);
            let since = old.filter(|old| old.state == state).map_or(now, |old| old.since);
            let same = old.is_some_and(|old| old.state == state && old.reason == reason && old.broken == broken);
            inner.reported.insert(place, Report { state, reason, broken, since, down });
            inner.updated = now;
            (before, !same)
        });
        // the agent tells by itself that it goes on without the plugin
        if before != Some(state) && !down && (before.is_some() || state != State::Ok) {
            crate::info!(self.cx.log(), %state, reason = why, "its state has changed");
        }
    }

    /// The agent goes on without the plugin: whatever it said of itself.
    pub(crate) fn down(&self, reason: String) {
        self.put(State::Degraded, Some(reason), false, true);
    }

    /// It is up after all. What it has said of itself since then stays.
    pub(crate) fn up(&self) {
        let place = self.cx.place();
        self.registry().change(|inner| {
            let was_down = inner.reported.get(&place).is_some_and(|report| report.down);
            if was_down {
                inner.reported.remove(&place);
                inner.updated = SystemTime::now();
            }
            ((), was_down)
        });
    }

    /// The state of the whole agent.
    #[must_use]
    pub fn agent(&self) -> AgentStatus {
        self.registry().agent()
    }
}

impl std::fmt::Debug for Status<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.agent().fmt(f)
    }
}
