//! [`AgentRecord`] and [`PluginRecord`]: the records that are published, as JSON.

use cninfra::{
    BuildInfo,
    status::{AgentStatus, PluginStatus, State},
};
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// The status of an agent, as it is published. Names, numbers and their order are those of the predecessor, and zero
/// values are left out as it did.
///
/// States are numbers: 0 while it starts or stops, 1 if it works, 2 if it is in error. Times are seconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AgentRecord {
    /// The version of the program.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub build_version: String,
    /// When it was built.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub build_date: String,
    /// Its state: 1 exactly if it is ready.
    #[serde(skip_serializing_if = "is_zero")]
    pub state: u8,
    /// When it began to start.
    pub start_time: u64,
    /// When its state, or that of a plugin, last changed.
    pub last_change: u64,
    /// When this was written.
    pub last_update: u64,
    /// The commit that the program was built from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub commit_hash: String,
    /// Its plugins, in start order, without those that are switched off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<Named>,
}

/// A plugin's state, with its name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Named {
    /// The plugin's instance name.
    pub name: String,
    /// Its state.
    #[serde(skip_serializing_if = "is_zero")]
    pub state: u8,
    /// The reason, if it is in error.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// The status of a plugin, as it is published. See [`AgentRecord`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PluginRecord {
    /// Its state. A degraded plugin works, so it has 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub state: u8,
    /// When it last changed.
    pub last_change: u64,
    /// When this was written.
    pub last_update: u64,
    /// The reason, if it is in error.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

impl AgentRecord {
    /// Makes it from the agent's status and the build of the program.
    #[must_use]
    pub fn new(status: &AgentStatus, build: BuildInfo, now: SystemTime) -> Self {
        let named = |plugin: &PluginStatus| {
            let PluginRecord { state, error, .. } = PluginRecord::new(plugin, now);
            Named { name: plugin.name.to_string(), state, error }
        };
        AgentRecord {
            build_version: build.version.to_string(),
            build_date: build.date.unwrap_or_default().to_string(),
            state: status.number(),
            start_time: seconds(status.started),
            last_change: seconds(status.changed()),
            last_update: seconds(now),
            commit_hash: build.commit.unwrap_or_default().to_string(),
            plugins: status.running().map(named).collect(),
        }
    }
}

impl PluginRecord {
    /// Makes it from a plugin's status.
    #[must_use]
    pub fn new(plugin: &PluginStatus, now: SystemTime) -> Self {
        let error = plugin.reason.clone().filter(|_| plugin.state == State::Error).unwrap_or_default();
        PluginRecord {
            state: plugin.state.number(),
            last_change: seconds(plugin.since),
            last_update: seconds(now),
            error,
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A record as JSON. As the predecessor did, it escapes in strings what is special in HTML or JavaScript; outside of
/// strings, JSON has none of these characters.
pub(crate) fn json(record: &impl Serialize) -> String {
    // Serializing a record cannot fail: it contains only numbers, strings and lists.
    let mut json = serde_json::to_string(record).unwrap_or_default();
    let special =
        [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    for (letter, escaped) in special {
        if json.contains(letter) {
            json = json.replace(letter, escaped);
        }
    }
    json
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As v1.7.0 of the predecessor wrote them to etcd.
    const AGENT: &str = r#"{"build_version":"v9.8.7","build_date":"2026-11-23T00:00:00Z","state":2,"start_time":1795454953,"last_change":1795454970,"last_update":1795454970,"commit_hash":"abcdef0","plugins":[{"name":"demo","state":2,"error":"demo failed"},{"name":"etcd","state":1}]}"#;
    const PLUGIN: &str = r#"{"state":2,"last_change":1795454970,"last_update":1795454970,"error":"demo failed"}"#;

    #[test]
    fn records_are_those_of_the_predecessor() {
        let agent: AgentRecord = serde_json::from_str(AGENT).unwrap();
        assert_eq!(json(&agent), AGENT);
        assert_eq!((agent.plugins[1].name.as_str(), agent.plugins[1].state), ("etcd", 1));
        let plugin: PluginRecord = serde_json::from_str(PLUGIN).unwrap();
        assert_eq!(json(&plugin), PLUGIN);
        // A plugin that is starting has no `state` key.
        let starts = PluginRecord { state: 0, error: String::new(), ..plugin };
        assert_eq!(json(&starts), r#"{"last_change":1795454970,"last_update":1795454970}"#);
        let error = "a < b && \"c\" > 0\u{2028}\u{2029}é";
        let escaped = r#""error":"a \u003c b \u0026\u0026 \"c\" \u003e 0\u2028\u2029é""#;
        let named = Named { name: "a".to_string(), state: 2, error: error.to_string() };
        assert!(json(&named).contains(escaped), "{}", json(&named));
        assert_eq!(serde_json::from_str::<Named>(&json(&named)).unwrap(), named);
    }
}
