//! [`AgentStatus`] and [`PluginStatus`]: what is known at one moment.

use super::State;
use std::time::SystemTime;

/// What is known of a plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The plugin's instance name.
    pub name: &'static str,
    /// Its state: what it has reported, or the agent's phase where it has not; or that it is switched off. While the agent starts, the
    /// worse of both; while it stops, that.
    pub state: State,
    /// Why, where it has said so.
    pub reason: Option<String>,
    /// Is it broken in a way that only a new start of the process can mend? See
    /// [`Status::report_broken`](super::Status::report_broken).
    pub broken: bool,
    /// Since when.
    pub since: SystemTime,
    /// When it was last said: by the plugin, be it the same again, or by the agent.
    pub updated: SystemTime,
    /// Where its `init` has failed, and the agent goes on without it: what becomes of it.
    pub down: Option<Down>,
    /// Is it an optional plugin of its flavor? Those do not make the agent unready.
    pub optional: bool,
    /// Does its state not count for the probes, as their config says? See [`Status::non_fatal`](super::Status::non_fatal).
    pub non_fatal: bool,
}

/// What becomes of a plugin whose `init` has failed, and without which the agent goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Down {
    /// It is tried again, by the start policy [`Retry`](crate::agent::StartPolicy::Retry).
    Retrying,
    /// It stays so.
    Failed,
}

/// What is known of an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AgentStatus {
    /// The worst of the states of the plugins that are not optional, and of the agent's own phase.
    pub state: State,
    /// Where the agent itself is: in its start, started, or in its stop.
    pub phase: State,
    /// Has its start come to its end? It stays so while the agent stops.
    pub has_started: bool,
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
    /// The worst of the states of those that are not optional, and of the agent's own phase.
    pub(super) fn worst(phase: State, plugins: &[PluginStatus]) -> State {
        let states = plugins.iter().filter(|plugin| !plugin.optional).map(|plugin| plugin.state);
        states.fold(phase, |worst, state| if state.severity() > worst.severity() { state } else { worst })
    }

    /// The same as if these plugins, by their instance names, were optional: whatever they report makes the agent neither unready nor dead.
    #[must_use]
    pub fn tolerating<N: AsRef<str>>(mut self, names: &[N]) -> Self {
        for plugin in &mut self.plugins {
            plugin.optional |= names.iter().any(|name| name.as_ref() == plugin.name);
        }
        self.state = AgentStatus::worst(self.phase, &self.plugins);
        self
    }

    /// What the probes make of it: [`tolerating`](Self::tolerating) the plugins that are [non-fatal](PluginStatus::non_fatal).
    #[must_use]
    pub fn probed(self) -> Self {
        let names: Vec<_> = self.plugins.iter().filter(|plugin| plugin.non_fatal).map(|plugin| plugin.name).collect();
        self.tolerating(&names)
    }

    /// As the predecessor numbers it: 1 exactly when it is [ready](Self::is_ready), 2 in error, 0 else.
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
