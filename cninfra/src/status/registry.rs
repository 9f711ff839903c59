//! [`Registry`]: what the plugins of one agent have reported, and what it says of them itself.

use super::{AgentStatus, PluginStatus, State, changes::Version};
use crate::graph::Graph;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use tokio::sync::watch;

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
    said: Said,
    since: SystemTime,
    /// By the agent, of a plugin without which it has started.
    down: bool,
}

/// What a plugin says of itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) broken: bool,
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

    /// Changes something, and tells it when the lock is given back.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> (T, bool)) -> T {
        let (result, changed) = change(&mut self.lock());
        if changed {
            self.version.send_modify(|version| version.count += 1);
        }
        result
    }

    pub(super) fn versions(&self) -> watch::Receiver<Version> {
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

    /// A plugin says how it is, or the agent does of one that is `down`. Returns what was said before.
    pub(super) fn report(&self, place: usize, said: Said, down: bool) -> Option<Said> {
        self.change(|inner| {
            let now = SystemTime::now();
            let old = inner.reported.remove(&place);
            let since = old.as_ref().filter(|old| old.said.state == said.state).map_or(now, |old| old.since);
            let old = old.map(|old| old.said);
            let same = old.as_ref() == Some(&said);
            inner.reported.insert(place, Report { said, since, down });
            inner.updated = now;
            (old, !same)
        })
    }

    /// One that was down is up. What it has said of itself since then stays.
    pub(super) fn up(&self, place: usize) {
        self.change(|inner| {
            let was_down = inner.reported.get(&place).is_some_and(|report| report.down);
            if was_down {
                inner.reported.remove(&place);
                inner.updated = SystemTime::now();
            }
            ((), was_down)
        });
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
                    state: report.map_or(unreported, |report| report.said.state),
                    reason: report.and_then(|report| report.said.reason.clone()),
                    broken: report.is_some_and(|report| report.said.broken),
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
