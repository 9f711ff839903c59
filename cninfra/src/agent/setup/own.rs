//! The config section `agent`: the settings of the agent itself.

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

/// The flags that set keys of the section.
const FLAGS: &[Flag] = &[Flag::new("microservice-label", "microservice-label")
    .env("MICROSERVICE_LABEL")
    .help("the name of this agent among its peers [default: vpp1]")];

/// The config section `agent`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", default, rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::agent) struct AgentConfig {
    /// The name of this agent among its peers.
    pub(in crate::agent) microservice_label: ServiceLabel,
    /// The limit of the whole start.
    start_timeout: Duration,
    /// The limit of one plugin in one phase of the start; by default that of the whole start.
    plugin_start_timeout: Option<Duration>,
    /// The limit of the whole stop.
    stop_timeout: Duration,
    /// The limit of one plugin in one phase of the stop; by default half of that of the whole stop.
    plugin_stop_timeout: Option<Duration>,
    /// The limit of one plugin in each phase; overrides those two.
    limits: PhaseLimits,
    /// Which plugins start together.
    start_order: Order,
    /// How long the agent goes on before it drains. Added to the limit of the stop.
    drain_delay: Duration,
    /// How often the config files are checked if a plugin follows them: at least 100 ms; 0 means never.
    config_poll_interval: Duration,
}

// `remote = "Self"` makes serde derive inherent functions in place of the trait implementations.
impl Serialize for AgentConfig {
    /// Prints the values in force for keys that are not set.
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
    /// The section from the config, which includes what the builder has set.
    pub(in crate::agent) fn of(config: &Config) -> Result<Self> {
        config.section(SECTION)
    }

    /// The configured label, even if other keys are wrong: the errors about these are logged with it.
    pub(in crate::agent) fn label_of(config: &Config) -> ServiceLabel {
        config.section_without_wrong_values::<Self>(SECTION).unwrap_or_default().microservice_label
    }

    /// The warning if no label is set: such an agent has the same label as every other one without a label.
    pub(super) fn without_label(&self, config: &Config) -> Option<String> {
        let label = &self.microservice_label;
        (!config.is_set(SECTION, "microservice-label")).then(|| {
            format!(
                "no service label is set: it is `{label}`, and whoever has that too shares its keys; \
                 set --microservice-label or MICROSERVICE_LABEL"
            )
        })
    }

    /// How often the config files are checked.
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

    /// The limits of any plugin by phase, as far as they are set.
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

/// A shorter limit in the config is likely to be a mistake about the unit.
const LEAST: std::time::Duration = std::time::Duration::from_millis(1);
/// New content of the config files has to stay the same for this long, so that a file that is still being written is
/// not used. A shorter poll interval would notice nothing earlier.
pub(in crate::agent) const SETTLES: std::time::Duration = std::time::Duration::from_millis(100);
/// The longest sensible time before an agent begins to stop.
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

/// What the builder has set for the agent itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::agent) struct Own {
    pub(in crate::agent) label: Option<String>,
    pub(in crate::agent) limits: Option<Limits>,
    pub(in crate::agent) order: Option<Order>,
    pub(in crate::agent) drain_delay: Option<std::time::Duration>,
}

impl Own {
    /// Puts these values below all layers of the config.
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
        config.with_program_under(own)
    }
}

/// The config sections of an agent with this graph.
pub(in crate::agent) fn known(graph: &'static Graph) -> Known {
    Known::of(graph).with(logs::SECTION, logs::META).with(SECTION, META)
}

/// The flags that set keys of the agent's own sections, each with its section.
pub(in crate::agent) fn flags() -> impl Iterator<Item = (&'static str, &'static Flag)> {
    FLAGS.iter().map(|flag| (SECTION, flag)).chain(logs::FLAGS.iter().map(|flag| (logs::SECTION, flag)))
}

/// The errors in the config, each assigned to the plugin of its section.
pub(super) fn mistakes(graph: &'static Graph, config: &Config) -> Vec<PluginError> {
    // Agents without any config should start fast.
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
