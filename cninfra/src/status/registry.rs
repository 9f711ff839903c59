//! [`Registry`]: what the plugins of one agent have reported, and what the agent itself says about them.

use super::{AgentStatus, Down, PluginStatus, State, version::Version};
use crate::graph::Graph;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{sync::watch, time::Instant};

/// The status of one agent's plugins.
pub(crate) struct Registry {
    graph: &'static Graph,
    inner: Mutex<Inner>,
    version: watch::Sender<Version>,
}

struct Inner {
    /// The state of plugins that report none.
    phase: State,
    has_started: bool,
    started: SystemTime,
    since: SystemTime,
    updated: SystemTime,
    reported: BTreeMap<usize, Report>,
    /// The calls of probes in progress, by the plugin's place.
    pending_probes: BTreeMap<usize, PendingProbe>,
    /// The plugins among them whose probe was announced as late.
    announced_late: BTreeSet<usize>,
    /// Plugins that the agent runs without, by place. This overrides what they report, since a plugin must not overrule
    /// a policy.
    down: BTreeMap<usize, (Down, Why)>,
    /// The plugins among them that the policy ignores; and those that work although their `init` has failed.
    ignored: BTreeSet<usize>,
    recovered: BTreeSet<usize>,
    /// How often the `init` of a plugin has failed.
    failed: BTreeMap<usize, u32>,
    /// The places of plugins that are switched off.
    off: BTreeSet<usize>,
    /// Plugins whose new config was refused, by place.
    refused: BTreeMap<usize, Why>,
    /// Plugins that do not count for the probes, by place.
    non_fatal: BTreeSet<usize>,
}

impl Inner {
    fn put_down(&mut self, place: usize, down: Down, why: String) {
        self.reported.retain(|reporter, report| *reporter != place || report.statement.broken);
        let why = Why::after(self.down.get(&place).map(|(_, before)| before), why);
        self.down.insert(place, (down, why));
        *self.failed.entry(place).or_default() += 1;
        self.updated = SystemTime::now();
    }
}

struct Report {
    statement: Statement,
    since: SystemTime,
    updated: SystemTime,
}

/// How long a probe has after its time-out to notice that itself.
const GRACE: Duration = Duration::from_millis(100);

/// A call of a probe that is not answered yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PendingProbe {
    at: Instant,
    when: SystemTime,
    within: Duration,
}

impl PendingProbe {
    pub(super) fn within(within: Duration) -> Self {
        PendingProbe { at: Instant::now(), when: SystemTime::now(), within }
    }

    /// Whether it is too late for an answer.
    pub(super) fn is_late(&self) -> bool {
        self.at.elapsed() > self.within
    }

    /// Whether it is so late that the probe blocks its thread: otherwise the time-out would have been noticed.
    fn is_blocked(&self) -> bool {
        self.at.elapsed() > self.within.saturating_add(GRACE)
    }

    /// The state of a plugin whose probe does not answer.
    pub(super) fn no_answer(&self) -> Statement {
        let reason = format!("its probe gave no answer within {:?}, and blocks its thread", self.within);
        Statement { state: State::Error, reason: Some(reason), broken: false }
    }
}

/// What the agent says about a plugin.
struct Why {
    reason: String,
    since: SystemTime,
    updated: SystemTime,
}

impl Why {
    /// The same state with a new reason: the time since when it holds does not change.
    fn after(before: Option<&Why>, reason: String) -> Why {
        let updated = SystemTime::now();
        Why { reason, since: before.map_or(updated, |before| before.since), updated }
    }
}

/// What a plugin reports about itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) broken: bool,
}

impl Registry {
    pub(crate) fn new(graph: &'static Graph) -> Self {
        let now = SystemTime::now();
        let inner = Inner {
            phase: State::Init,
            has_started: false,
            started: now,
            since: now,
            updated: now,
            reported: BTreeMap::new(),
            pending_probes: BTreeMap::new(),
            announced_late: BTreeSet::new(),
            down: BTreeMap::new(),
            ignored: BTreeSet::new(),
            recovered: BTreeSet::new(),
            failed: BTreeMap::new(),
            off: BTreeSet::new(),
            refused: BTreeMap::new(),
            non_fatal: BTreeSet::new(),
        };
        Registry { graph, inner: Mutex::new(inner), version: watch::Sender::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state. If something has changed, watchers are notified after the lock is released.
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

    /// Whether the agent is stopping or has stopped.
    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().phase == State::Stopped
    }

    /// Records what a plugin reports. Returns what it had reported before.
    pub(super) fn report(&self, place: usize, statement: Statement) -> Option<Statement> {
        self.change(|inner| {
            let now = SystemTime::now();
            let old = inner.reported.remove(&place);
            let since = old.as_ref().filter(|old| old.statement.state == statement.state).map_or(now, |old| old.since);
            let old = old.map(|old| old.statement);
            let same = old.as_ref() == Some(&statement);
            inner.reported.insert(place, Report { statement, since, updated: now });
            inner.updated = now;
            (old, !same)
        })
    }

    /// A plugin will be probed. If nothing is known about it yet, since the agent is starting or runs without it, it is
    /// not ready before the first answer. Otherwise its previous state holds until then.
    pub(super) fn expect_probe(&self, place: usize) {
        self.change(|inner| {
            let starts = inner.phase == State::Init || inner.down.contains_key(&place);
            let is_unknown = starts && !inner.reported.contains_key(&place);
            if is_unknown {
                let now = SystemTime::now();
                let reason = Some("its probe has not answered yet".to_string());
                let statement = Statement { state: State::Init, reason, broken: false };
                inner.reported.insert(place, Report { statement, since: now, updated: now });
                inner.updated = now;
            }
            ((), is_unknown)
        });
    }

    /// A probe is called. Without an answer in time, the plugin is in error, even if it keeps the thread that would
    /// notice that.
    pub(super) fn probe_begins(&self, place: usize, probe: PendingProbe) {
        self.lock().pending_probes.insert(place, probe);
    }

    /// The probe has answered, or is no longer called.
    pub(super) fn probe_ended(&self, place: usize, probe: &PendingProbe) {
        self.change(|inner| {
            let is_it = inner.pending_probes.get(&place) == Some(probe);
            if is_it {
                inner.pending_probes.remove(&place);
                inner.announced_late.remove(&place);
            }
            // It was announced as late, and no longer is.
            ((), is_it && probe.is_blocked())
        });
    }

    /// Looks for changes that nobody reports, such as a probe that is late by now.
    pub(crate) fn announce_late_probes(&self) {
        self.change(|inner| {
            let late = inner.pending_probes.iter().filter(|(_, probe)| probe.is_blocked());
            let is_new = late.fold(false, |is_new, (place, _)| inner.announced_late.insert(*place) || is_new);
            ((), is_new)
        });
    }

    /// The agent runs without a plugin. What that reported in the failed attempt no longer counts, unless only a
    /// restart can fix it.
    pub(super) fn mark_down(&self, place: usize, down: Down, why: String) {
        self.change(|inner| (inner.put_down(place, down, why), true));
    }

    /// Like [`mark_down`](Self::mark_down), by the policy `ignore`. A plugin that has recovered already keeps its
    /// reported state.
    pub(super) fn mark_ignored(&self, place: usize, why: String) {
        self.change(|inner| {
            if inner.recovered.contains(&place) {
                *inner.failed.entry(place).or_default() += 1;
                return ((), false);
            }
            inner.ignored.insert(place);
            (inner.put_down(place, Down::Failed, why), true)
        });
    }

    /// A plugin works although its `init` has failed. Returns whether it was ignored until now.
    pub(super) fn mark_recovered(&self, place: usize) -> bool {
        self.change(|inner| {
            inner.recovered.insert(place);
            let was_ignored = inner.ignored.remove(&place) && inner.down.remove(&place).is_some();
            if was_ignored {
                inner.updated = SystemTime::now();
            }
            (was_ignored, was_ignored)
        })
    }

    /// A plugin that was down is up. What it has reported meanwhile stays.
    pub(super) fn mark_up(&self, place: usize) {
        self.change(|inner| {
            let was_down = inner.down.remove(&place).is_some();
            if was_down {
                inner.updated = SystemTime::now();
            }
            ((), was_down)
        });
    }

    /// How often the plugin's `init` has failed.
    pub(crate) fn failed_attempts(&self, place: usize) -> u32 {
        self.lock().failed.get(&place).copied().unwrap_or_default()
    }

    /// Whether the agent runs without this plugin.
    pub(crate) fn is_down(&self, place: usize) -> bool {
        self.lock().down.contains_key(&place)
    }

    /// Whether the agent runs without some plugin.
    #[cfg(feature = "testing")]
    pub(crate) fn is_any_down(&self) -> bool {
        !self.lock().down.is_empty()
    }

    /// A plugin is switched off.
    pub(crate) fn set_switched_off(&self, place: usize) {
        self.change(|inner| ((), inner.off.insert(place)));
    }

    /// Sets which plugins do not count for the probes.
    pub(super) fn set_non_fatal(&self, is_one: impl Fn(&str) -> bool) {
        self.change(|inner| {
            let nodes = self.graph.nodes().iter().enumerate();
            let places = nodes.filter(|(_, node)| is_one(node.instance())).map(|(place, _)| place).collect();
            let changed = inner.non_fatal != places;
            inner.non_fatal = places;
            ((), changed)
        });
    }

    /// The new config of a plugin was refused; `None` when it is valid again.
    pub(crate) fn set_config_refused(&self, place: usize, why: Option<String>) {
        self.change(|inner| {
            let before = inner.refused.get(&place).map(|refused| refused.reason.clone());
            let changed = before != why;
            match why {
                Some(why) => {
                    let why = Why::after(inner.refused.get(&place), why);
                    inner.refused.insert(place, why);
                }
                None => drop(inner.refused.remove(&place)),
            }
            inner.updated = SystemTime::now();
            ((), changed)
        });
    }

    /// The status of the whole agent.
    pub(crate) fn agent(&self) -> AgentStatus {
        let inner = self.lock();
        let plugins: Vec<PluginStatus> = self
            .graph
            .nodes()
            .iter()
            .enumerate()
            .map(|(place, node)| {
                // The stop of the agent overrides what a plugin reports, unless only a restart can fix that.
                let works = inner.phase == State::Ok;
                let shown = inner.phase != State::Stopped;
                let late = inner.pending_probes.get(&place).filter(|probe| works && probe.is_blocked());
                let late = late.map(|probe| {
                    let when = probe.when + probe.within;
                    Report { statement: probe.no_answer(), since: when, updated: when }
                });
                let report = inner.reported.get(&place).filter(|report| shown || report.statement.broken);
                let report = report.filter(|report| report.statement.broken).or(late.as_ref()).or(report);
                let down =
                    inner.down.get(&place).filter(|_| shown && report.is_none_or(|report| !report.statement.broken));
                let unreported = if inner.off.contains(&place) { State::Disabled } else { inner.phase };
                let (state, reason, broken, since, updated) = match (down, report) {
                    (Some((_, down)), _) => {
                        (State::Degraded, Some(down.reason.clone()), false, down.since, down.updated)
                    }
                    (None, Some(Report { statement, since, updated })) => {
                        (statement.state, statement.reason.clone(), statement.broken, *since, *updated)
                    }
                    (None, None) => (unreported, None, false, inner.since, inner.since),
                };
                // The worse of the plugin's state and the agent's phase: plugins are ready only when all have started.
                let is_worse = state == State::Disabled || state.severity() > inner.phase.severity();
                let (state, since) = if works || is_worse { (state, since) } else { (inner.phase, inner.since) };
                let (name, optional) = (node.instance(), node.optional);
                let down = down.map(|(down, _)| *down);
                let non_fatal = inner.non_fatal.contains(&place);
                let status = PluginStatus { name, state, reason, broken, since, updated, down, optional, non_fatal };
                match inner.refused.get(&place) {
                    // It continues with its old config. A worse state takes precedence.
                    Some(Why { reason, since, updated }) if status.state == State::Ok => PluginStatus {
                        state: State::Degraded,
                        reason: Some(reason.clone()),
                        since: *since,
                        updated: *updated,
                        ..status
                    },
                    _ => status,
                }
            })
            .collect();
        AgentStatus {
            state: AgentStatus::worst(inner.phase, &plugins),
            phase: inner.phase,
            has_started: inner.has_started,
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
                inner.has_started |= phase == State::Ok;
                inner.since = SystemTime::now();
                inner.updated = inner.since;
            }
            ((), changed)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[crate::plugin(no_lifecycle)]
    struct Lonely;
    #[derive(crate::Flavor)]
    struct Alone {
        _lonely: crate::Dep<Lonely>,
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_is_one_change() {
        let registry = Registry::new(<Alone as crate::Flavor>::GRAPH);
        registry.started();
        let (versions, probe) = (registry.versions(), PendingProbe::within(Duration::from_secs(1)));
        let changes = || versions.borrow().count;
        registry.probe_begins(0, probe);
        let before = changes();
        registry.announce_late_probes();
        assert_eq!(changes(), before, "it is not late");
        tokio::time::sleep(Duration::from_secs(2)).await;
        (0..10).for_each(|_| registry.announce_late_probes());
        assert_eq!((changes(), registry.agent().state), (before + 1, State::Error));
        registry.probe_ended(0, &probe);
        assert_eq!((changes(), registry.agent().state), (before + 2, State::Ok));
        // The next call is announced again.
        registry.probe_begins(0, PendingProbe::within(Duration::ZERO));
        tokio::time::sleep(Duration::from_secs(1)).await;
        registry.announce_late_probes();
        assert_eq!(changes(), before + 3);
    }
}
