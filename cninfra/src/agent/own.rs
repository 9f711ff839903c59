//! The agent's own config section, `agent`: what the process around the plugins can be told.

use super::{Cause, DEFAULT_LABEL, Limits, Phase, PluginError, limits::half};
use crate::{
    Flag, Result,
    config::{Config, Duration, Known, Mistake, Section as _},
    graph::Graph,
};
use serde::{Deserialize, Serialize};

/// The name of the section.
pub(super) const SECTION: &str = "agent";

/// The flags that set its keys.
pub(super) const FLAGS: &[Flag] = &[Flag {
    name: "microservice-label",
    env: "MICROSERVICE_LABEL",
    key: "microservice-label",
    help: "the name of this agent among its peers [default: vpp1]",
}];

/// The config section `agent`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AgentConfig {
    /// The name of this agent among its peers.
    pub(super) microservice_label: String,
    /// For the whole start.
    start_timeout: Duration,
    /// For one plugin in one phase of the start; the whole if it is not given.
    plugin_start_timeout: Option<Duration>,
    /// For the whole stop.
    stop_timeout: Duration,
    /// For one plugin in one phase of the stop; half of the whole if it is not given.
    plugin_stop_timeout: Option<Duration>,
    /// How often the config files are looked at, where a plugin follows them; 0 is never.
    config_poll_interval: Duration,
}

impl Default for AgentConfig {
    fn default() -> Self {
        let limits = Limits::default();
        AgentConfig {
            microservice_label: DEFAULT_LABEL.to_string(),
            start_timeout: limits.start.into(),
            plugin_start_timeout: None,
            stop_timeout: limits.stop.into(),
            plugin_stop_timeout: None,
            config_poll_interval: Duration::from_secs(2),
        }
    }
}

impl AgentConfig {
    /// What the config says, over what the builder says.
    pub(super) fn of(config: &Config) -> Result<Self> {
        config.section(SECTION)
    }

    /// How often the config files are looked at.
    pub(super) fn config_poll_interval(&self) -> std::time::Duration {
        *self.config_poll_interval
    }

    /// How long the agent waits for its plugins.
    pub(super) fn limits(&self) -> Limits {
        let (start, stop) = (*self.start_timeout, *self.stop_timeout);
        Limits {
            start,
            plugin_start: self.plugin_start_timeout.map_or(start, Into::into),
            stop,
            plugin_stop: self.plugin_stop_timeout.map_or(half(stop), Into::into),
        }
    }
}

/// What the builder says, as the lowest layer.
pub(super) fn under(config: Config, label: Option<&str>, limits: Option<Limits>) -> Config {
    let mut own = Config::new();
    if let Some(label) = label {
        own = own.set(SECTION, "microservice-label", label);
    }
    if let Some(limits) = limits {
        for (key, limit) in [
            ("start-timeout", limits.start),
            ("plugin-start-timeout", limits.plugin_start),
            ("stop-timeout", limits.stop),
            ("plugin-stop-timeout", limits.plugin_stop),
        ] {
            own = own.set(SECTION, key, Duration::from(limit));
        }
    }
    config.over(own)
}

/// The sections of an agent of this graph.
pub(super) fn known(graph: &'static Graph) -> Known {
    Known::of(graph).with(SECTION, AgentConfig::META)
}

/// What is wrong with the config: an error each, in the section's plugin.
pub(super) fn mistakes(graph: &'static Graph, config: &Config) -> Vec<PluginError> {
    // agents without any config are to start fast
    if config.is_empty() {
        return Vec::new();
    }
    let error = |mistake: Mistake| {
        let node = mistake.section().and_then(|name| graph.nodes().iter().find(|node| node.instance() == name));
        let cause = Cause::Config(mistake.into());
        match node {
            Some(node) => PluginError::new(node, Phase::Create, cause, std::time::Duration::ZERO),
            None => PluginError::of_flavor(graph, Phase::Create, cause),
        }
    };
    config.check(&known(graph)).into_iter().map(error).collect()
}
