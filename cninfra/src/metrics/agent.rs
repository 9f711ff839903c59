//! The metrics of an agent: what it reports about itself and its plugins, and what these register.

use super::{Collector, Metrics, ProcessMetrics};
use crate::{Context, Phase, context::Shared, status::State};
use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric, MetricEncoder},
    metrics::{MetricType, gauge::ConstGauge},
};
use std::{
    fmt,
    sync::{Arc, Weak},
};

impl Shared {
    /// The registry of the agent's metrics, with those of the agent itself and of the process.
    pub(crate) fn metrics(self: &Arc<Self>) -> &Metrics {
        self.metrics.get_or_init(|| {
            let metrics = Metrics::new("agent");
            metrics.put("agent", AgentMetrics(Arc::downgrade(self)));
            metrics.put("process", ProcessMetrics);
            #[cfg(feature = "keyval")]
            metrics.put("keyval", self.stores.clone());
            metrics
        })
    }
}

impl Context {
    /// The agent's metrics, where the plugin registers its own.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.shared().metrics().of(self.name())
    }
}

/// The agent's status and the times of its start. They are read from its records at a scrape, so that a start is no
/// slower because of them.
struct AgentMetrics(Weak<Shared>);

impl fmt::Debug for AgentMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentMetrics")
    }
}

const STATES: [State; 6] = [State::Disabled, State::Ok, State::Degraded, State::Init, State::Stopped, State::Error];

impl Collector for AgentMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(shared) = self.0.upgrade() else { return Ok(()) };
        let status = shared.status.agent();
        let (flavor, version, label) = (shared.graph.name(), shared.build.version, shared.label.as_str());
        let mut build = begin(&mut encoder, "agent_build", "Which agent it is: always 1, the labels tell.")?;
        put(&mut build, [("flavor", flavor), ("label", label), ("version", version)], 1_i64)?;
        let ready = ConstGauge::new(i64::from(status.is_ready()));
        ready.encode(begin(&mut encoder, "agent_ready", "Does the agent do its work?")?)?;
        let valid = ConstGauge::new(i64::from(shared.refused.now().is_empty()));
        let help = "Are the config files valid as they are now? A start needs that.";
        valid.encode(begin(&mut encoder, "agent_config_valid", help)?)?;
        let up = ConstGauge::new(shared.age().as_secs_f64());
        up.encode(begin(&mut encoder, "agent_uptime_seconds", "Since the agent began to start, in seconds.")?)?;

        let mut took = begin(
            &mut encoder,
            "plugin_start_seconds",
            "How long a plugin took for a phase of the start, in seconds.",
        )?;
        for event in shared.start_events() {
            let is_start = matches!(event.phase, Phase::Create | Phase::Init | Phase::AfterInit);
            let Some(node) = shared.graph.nodes().get(usize::from(event.place)).filter(|_| is_start) else { continue };
            let labels = [("phase", event.phase.name()), ("plugin", node.instance())];
            put(&mut took, labels, event.took.as_secs_f64())?;
        }
        let mut states = begin(&mut encoder, "plugin_state", "The state of a plugin: 1 for the one that it is in.")?;
        for plugin in &status.plugins {
            for state in STATES {
                let labels = [("plugin", plugin.name), ("state", state.name())];
                put(&mut states, labels, i64::from(plugin.state == state))?;
            }
        }
        Ok(())
    }
}

/// Begins a family of gauges.
fn begin<'s>(
    encoder: &'s mut DescriptorEncoder<'_>,
    name: &'s str,
    help: &str,
) -> Result<MetricEncoder<'s>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)
}

/// Writes one sample of a family.
fn put<const N: usize>(
    family: &mut MetricEncoder<'_>,
    labels: [(&str, &str); N],
    value: impl EncodeGaugeValue,
) -> fmt::Result {
    ConstGauge::new(value).encode(family.encode_family(&labels)?)
}
