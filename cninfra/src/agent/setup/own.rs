//! The agent's own config section, `agent`: what the process around the plugins can be told.

use super::logs;
use crate::{
    Flag, Result, ServiceLabel,
    agent::terms::{
        cause::Cause,
        failure::PluginError,
        limits::{self, Limits, half},
        order::Order,
        phase::Phase,
    },
    config::{Config, ConfigMeta, Duration, Invalid, Known, Mistake, PhaseLimits, Section as _, check_config},
    graph::{Graph, Node},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of the section.
pub(in crate::agent) const SECTION: &str = "agent";

/// The flags that set its keys.
const FLAGS: &[Flag] = &[Flag::new("microservice-label", "microservice-label")
    .env("MICROSERVICE_LABEL")
    .help("the name of this agent among its peers [default: vpp1]")];

/// The config section `agent`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", default, rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::agent) struct AgentConfig {
    /// The name of this agent among its peers.
    pub(in crate::agent) microservice_label: ServiceLabel,
    /// For the whole start.
    start_timeout: Duration,
    /// For one plugin in one phase of the start; the whole if it is not given.
    plugin_start_timeout: Option<Duration>,
    /// For the whole stop.
    stop_timeout: Duration,
    /// For one plugin in one phase of the stop; half of the whole if it is not given.
    plugin_stop_timeout: Option<Duration>,
    /// For one plugin, by phase; over those two.
    limits: PhaseLimits,
    /// Which plugins start together.
    start_order: Order,
    /// How long the agent goes on before it drains, beside the time to stop.
    drain_delay: Duration,
    /// How often the config files are looked at, where a plugin follows them: 100 ms at least; 0 is never.
    config_poll_interval: Duration,
}

// `remote = "Self"` makes functions of the type of what would be impls of serde's traits
impl Serialize for AgentConfig {
    /// As it is printed: where nothing is said, what holds.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let limits = self.limits();
        let (start, stop) = (Some(limits.plugin_start.into()), Some(limits.plugin_stop.into()));
        let holds = AgentConfig { plugin_start_timeout: start, plugin_stop_timeout: stop, ..self.clone() };
        AgentConfig::serialize(&holds, serializer)
    }
}

impl<'de> Deserialize<'de> for AgentConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        AgentConfig::deserialize(deserializer)
    }
}

impl Default for AgentConfig {
    fn default() -> Self {
        let limits = Limits::default();
        AgentConfig {
            microservice_label: ServiceLabel::default(),
            start_timeout: limits.start.into(),
            plugin_start_timeout: None,
            stop_timeout: limits.stop.into(),
            plugin_stop_timeout: None,
            limits: PhaseLimits::default(),
            start_order: Order::default(),
            drain_delay: Duration::default(),
            config_poll_interval: Duration::from_secs(2),
        }
    }
}

impl AgentConfig {
    /// What the config says, over what the builder says.
    pub(in crate::agent) fn of(config: &Config) -> Result<Self> {
        config.section(SECTION)
    }

    /// The label that is said, whatever else may be wrong: what is told of that has it.
    pub(in crate::agent) fn label_of(config: &Config) -> ServiceLabel {
        config.what_holds::<Self>(SECTION).unwrap_or_default().microservice_label
    }

    /// An agent that is given no label has that of all others that are given none.
    pub(super) fn without_label(&self, config: &Config) -> Option<String> {
        let label = &self.microservice_label;
        (!config.says(SECTION, "microservice-label")).then(|| {
            format!(
                "no service label is set: it is `{label}`, and whoever has that too shares its keys; \
                 set --microservice-label or MICROSERVICE_LABEL"
            )
        })
    }

    /// How often the config files are looked at.
    pub(in crate::agent) fn config_poll_interval(&self) -> std::time::Duration {
        *self.config_poll_interval
    }

    /// Which plugins start together.
    pub(super) fn order(&self) -> Order {
        self.start_order
    }

    /// How long the agent goes on before it drains.
    pub(super) fn drain_delay(&self) -> std::time::Duration {
        *self.drain_delay
    }

    /// How long it waits for any plugin, by phase, where that is said.
    pub(super) fn phase_limits(&self) -> impl Iterator<Item = (Phase, std::time::Duration)> + use<> {
        limits::phases(&self.limits)
    }

    /// How long the agent waits for its plugins.
    pub(in crate::agent) fn limits(&self) -> Limits {
        let (start, stop) = (*self.start_timeout, *self.stop_timeout);
        Limits {
            start,
            plugin_start: self.plugin_start_timeout.map_or(start, Into::into),
            stop,
            plugin_stop: self.plugin_stop_timeout.map_or(half(stop), Into::into),
        }
    }
}

/// A config that says less is meant to say another unit, or nothing.
const LEAST: std::time::Duration = std::time::Duration::from_millis(1);
/// So long must what is new in the config files stay the same: one that is just being written is not taken in. Who looks more often sees nothing earlier.
pub(in crate::agent) const SETTLES: std::time::Duration = std::time::Duration::from_millis(100);
/// Nobody waits for longer until an agent begins to stop.
const LONGEST_DELAY: std::time::Duration = std::time::Duration::from_hours(1);

const META: ConfigMeta =
    AgentConfig::META.__checked(|section| check_config::<AgentConfig>(section, AgentConfig::check));

impl AgentConfig {
    fn check(&self) -> std::result::Result<(), Invalid> {
        let limit = |(key, limit): (&str, Option<Duration>)| {
            let what = "is less than any plugin takes: each would be over its limit at once";
            limit.filter(|limit| **limit < LEAST).map(|_| Invalid::key(key, what).help("such as `15s`"))
        };
        let limits = [
            ("start-timeout", Some(self.start_timeout)),
            ("plugin-start-timeout", self.plugin_start_timeout),
            ("stop-timeout", Some(self.stop_timeout)),
            ("plugin-stop-timeout", self.plugin_stop_timeout),
        ];
        let delay = (*self.drain_delay > LONGEST_DELAY).then(|| {
            Invalid::key("drain-delay", "is more than an hour, in which the agent would go on although it is to stop")
        });
        let is_too_often = |poll: &Duration| !poll.is_zero() && **poll < SETTLES;
        let poll = Some(self.config_poll_interval).filter(is_too_often).map(|_| {
            let what = format!("is less than {SETTLES:?}: reading the files would keep a processor busy");
            Invalid::key("config-poll-interval", what).help("such as `2s`, or `0` to look at them after SIGHUP only")
        });
        Invalid::all(limits.into_iter().filter_map(limit).chain(delay).chain(poll))
    }
}

/// What the builder says of the agent itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::agent) struct Own {
    pub(in crate::agent) label: Option<String>,
    pub(in crate::agent) limits: Option<Limits>,
    pub(in crate::agent) order: Option<Order>,
    pub(in crate::agent) drain_delay: Option<std::time::Duration>,
}

impl Own {
    /// As the lowest layer.
    pub(in crate::agent) fn under(&self, config: Config) -> Config {
        let mut own = Config::new();
        if let Some(label) = &self.label {
            own = own.set(SECTION, "microservice-label", label);
        }
        if let Some(limits) = self.limits {
            for (key, limit) in [
                ("start-timeout", limits.start),
                ("plugin-start-timeout", limits.plugin_start),
                ("stop-timeout", limits.stop),
                ("plugin-stop-timeout", limits.plugin_stop),
            ] {
                own = own.set(SECTION, key, Duration::from(limit));
            }
        }
        if let Some(order) = self.order {
            own = own.set(SECTION, "start-order", order);
        }
        if let Some(delay) = self.drain_delay {
            own = own.set(SECTION, "drain-delay", Duration::from(delay));
        }
        config.over(own)
    }
}

/// The sections of an agent of this graph.
pub(in crate::agent) fn known(graph: &'static Graph) -> Known {
    Known::of(graph).with(logs::SECTION, logs::META).with(SECTION, META)
}

/// The flags that set keys of the agent's own sections, with these.
pub(in crate::agent) fn flags() -> impl Iterator<Item = (&'static str, &'static Flag)> {
    FLAGS.iter().map(|flag| (SECTION, flag)).chain(logs::FLAGS.iter().map(|flag| (logs::SECTION, flag)))
}

/// What is wrong with the config: an error each, in the section's plugin.
pub(super) fn mistakes(graph: &'static Graph, config: &Config) -> Vec<PluginError> {
    // agents without any config are to start fast
    let is_checked = |node: &Node| node.plugin.config.is_some_and(|config| config.is_checked());
    if config.is_empty() && !graph.nodes().iter().any(is_checked) {
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
