//! [`Body`]: the JSON that the probes answer with.

use cninfra::{
    BuildInfo,
    status::{AgentStatus, PluginStatus, State},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

/// The state of an agent, as the probes show it in JSON. Names and numbers are those of the predecessor.
///
/// States are numbers: 0 while it starts or stops, 1 if it works, 2 if it is in error. Times are seconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Body {
    /// The version of the program: see [`BuildInfo`].
    pub build_version: &'static str,
    /// When it was built, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_date: Option<&'static str>,
    /// The state of the agent: 1 exactly if it is ready.
    pub state: u8,
    /// When it began to start.
    pub start_time: u64,
    /// When its state, or that of a plugin, last changed.
    pub last_change: u64,
    /// When it, or a plugin, last reported its state.
    pub last_update: u64,
    /// Always empty: see [`InterfaceStats`].
    pub interface_stats: InterfaceStats,
    /// The commit that the program was built from, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_hash: Option<&'static str>,
    /// The plugins, in start order, without those that are switched off.
    pub plugins: Vec<PluginBody>,
    /// The same plugins by name, with times.
    #[serde(rename = "PluginStatus")]
    pub plugin_status: BTreeMap<&'static str, PluginTimes>,
    /// The plugins whose state does not count: those that are optional in the flavor, and those that the config names.
    /// `null` if there are none, as in the predecessor.
    #[serde(rename = "NonFatalPlugins")]
    pub non_fatal_plugins: Option<Vec<&'static str>>,
}

/// The network interfaces of the predecessor's VPP agent, of which other agents had none. Clients that read its
/// `/readiness` find the field here, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct InterfaceStats {}

/// The state of one plugin, as the probes show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginBody {
    /// The plugin's instance name.
    pub name: &'static str,
    /// Its state and the reason.
    #[serde(flatten)]
    pub state: PluginState,
}

/// The state of a plugin, with times.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginTimes {
    /// When the state last changed.
    pub last_change: u64,
    /// When it was last reported.
    pub last_update: u64,
    /// Its state and the reason.
    #[serde(flatten)]
    pub state: PluginState,
}

/// The state of a plugin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginState {
    /// The predecessor's number. A degraded plugin works, so it has 1.
    pub state: u8,
    /// The reason, if it is in error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The name of the state, if it says more than the number: `degraded`, `stopped`. The predecessor had no such
    /// field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// The reason, if it is not in error, such as why it is degraded. The predecessor had no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Body {
    /// Makes it from the agent's status and the build of the program.
    #[must_use]
    pub fn new(status: &AgentStatus, build: BuildInfo) -> Self {
        let non_fatal: Vec<_> = status.running().filter(|plugin| plugin.optional).map(|plugin| plugin.name).collect();
        Body {
            build_version: build.version,
            build_date: build.date,
            state: status.number(),
            start_time: seconds(status.started),
            last_change: seconds(status.changed()),
            last_update: seconds(status.updated),
            interface_stats: InterfaceStats {},
            commit_hash: build.commit,
            plugins: status.running().map(PluginBody::new).collect(),
            plugin_status: status.running().map(|plugin| (plugin.name, PluginTimes::new(plugin))).collect(),
            non_fatal_plugins: Some(non_fatal).filter(|names| !names.is_empty()),
        }
    }
}

impl PluginBody {
    fn new(status: &PluginStatus) -> Self {
        PluginBody { name: status.name, state: PluginState::new(status) }
    }
}

impl PluginTimes {
    fn new(status: &PluginStatus) -> Self {
        let (last_change, last_update) = (seconds(status.since), seconds(status.updated));
        PluginTimes { last_change, last_update, state: PluginState::new(status) }
    }
}

impl PluginState {
    fn new(plugin: &PluginStatus) -> Self {
        let (error, reason) =
            if plugin.state == State::Error { (plugin.reason.clone(), None) } else { (None, plugin.reason.clone()) };
        let says_more = matches!(plugin.state, State::Degraded | State::Stopped);
        PluginState { state: plugin.state.number(), error, status: says_more.then_some(plugin.state.name()), reason }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
