//! [`AgentStatus`] and [`PluginStatus`]: the status at one moment.

use super::State;
use std::time::SystemTime;

/// The status of a plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The plugin's instance name.
    pub name: &'static str,
    /// Its state: what it has reported; if it has reported nothing, the agent's phase; or that it is switched off.
    /// While the agent starts, it is the worse of reported state and phase; while the agent stops, it is the phase.
    pub state: State,
    /// The reason, if it was reported.
    pub reason: Option<String>,
    /// Whether it is broken in a way that only a restart of the process can fix. See
    /// [`Status::report_broken`](super::Status::report_broken).
    pub broken: bool,
    /// Since when it has this state.
    pub since: SystemTime,
    /// When its state was last reported, by the plugin, even if unchanged, or by the agent.
    pub updated: SystemTime,
    /// If its `init` has failed and the agent runs without it: what happens next.
    pub down: Option<Down>,
    /// Whether it is an optional plugin of its flavor. Optional plugins do not make the agent unready.
    pub optional: bool,
    /// Whether its state does not count for the probes, according to their config. See
    /// [`Status::non_fatal`](super::Status::non_fatal).
    pub non_fatal: bool,
}

/// What happens with a plugin whose `init` has failed and without which the agent runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Down {
    /// It is tried again, by the start policy [`Retry`](crate::agent::StartPolicy::Retry).
    Retrying,
    /// It stays down.
    Failed,
}

/// The status of an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AgentStatus {
    /// The worst of the states of the plugins that are not optional, and of the agent's own phase.
    pub state: State,
    /// The phase of the agent itself: starting, started or stopping.
    pub phase: State,
    /// Whether its start is complete. It stays true while the agent stops.
    pub has_started: bool,
    /// When the agent began to start.
    pub started: SystemTime,
    /// When its own phase last changed: when it had started, or began to stop.
    pub since: SystemTime,
    /// When the agent, or a plugin, last reported anything.
    pub updated: SystemTime,
    /// The plugins, in start order.
    pub plugins: Vec<PluginStatus>,
}

impl AgentStatus {
    /// The worst of the states of the plugins that are not optional, and of the agent's own phase.
    pub(super) fn worst(phase: State, plugins: &[PluginStatus]) -> State {
        let states = plugins.iter().filter(|plugin| !plugin.optional).map(|plugin| plugin.state);
        states.fold(phase, |worst, state| if state.severity() > worst.severity() { state } else { worst })
    }

    /// The status as if these plugins, given by their instance names, were optional: whatever they report makes the
    /// agent neither unready nor dead.
    #[must_use]
    pub fn tolerating<N: AsRef<str>>(mut self, names: &[N]) -> Self {
        for plugin in &mut self.plugins {
            plugin.optional |= names.iter().any(|name| name.as_ref() == plugin.name);
        }
        self.state = AgentStatus::worst(self.phase, &self.plugins);
        self
    }

    /// The status as the probes see it: [`tolerating`](Self::tolerating) the [non-fatal](PluginStatus::non_fatal)
    /// plugins.
    #[must_use]
    pub fn probed(self) -> Self {
        let names: Vec<_> = self.plugins.iter().filter(|plugin| plugin.non_fatal).map(|plugin| plugin.name).collect();
        self.tolerating(&names)
    }

    /// The predecessor's number: 1 exactly if it is [ready](Self::is_ready), 2 in error, otherwise 0.
    #[must_use]
    pub fn number(&self) -> u8 {
        match self.state {
            _ if self.is_ready() => State::Ok.number(),
            State::Error => State::Error.number(),
            _ => State::Init.number(),
        }
    }

    /// When its state, or that of a plugin, last changed.
    #[must_use]
    pub fn changed(&self) -> SystemTime {
        self.plugins.iter().map(|plugin| plugin.since).fold(self.since, SystemTime::max)
    }

    /// The plugins that are not switched off.
    pub fn running(&self) -> impl Iterator<Item = &PluginStatus> {
        self.plugins.iter().filter(|plugin| plugin.state != State::Disabled)
    }

    /// The plugins that are not optional.
    fn needed(&self) -> impl Iterator<Item = &PluginStatus> {
        self.plugins.iter().filter(|plugin| !plugin.optional)
    }

    /// Whether it does its work: it has started, and none of its plugins, except optional ones, is in error or still
    /// starting.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase == State::Ok && !self.needed().any(|plugin| matches!(plugin.state, State::Error | State::Init))
    }

    /// Whether its process should continue. A problem outside, such as a lost connection, is no reason to restart it;
    /// only a broken plugin is.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.needed().any(|plugin| plugin.broken)
    }
}
