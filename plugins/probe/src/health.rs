//! [`Health`]: the predecessor's metrics of an agent and its plugins.

use crate::{Body, plugin::Answers};
use cninfra::metrics::{
    Collector,
    prometheus_client::{
        encoding::{DescriptorEncoder, EncodeMetric},
        metrics::{MetricType, gauge::ConstGauge},
    },
};
use std::fmt;

/// The metrics of `/health`: the predecessor's families, with its names, labels and help texts.
#[derive(Debug)]
pub(crate) struct Health(pub(crate) Answers);

impl Collector for Health {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Body { build_version, build_date, state, plugin_status, .. } = self.0.body();
        let service = self.0.label();
        let mut family = |name, help, values: Vec<(Vec<(&str, &str)>, u8)>| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            values.into_iter().try_for_each(|(labels, value)| {
                ConstGauge::new(i64::from(value)).encode(family.encode_family(&labels)?)
            })
        };
        let of_plugin = |(name, plugin): (&&'static str, &crate::PluginTimes)| {
            (vec![("dependency", *name), ("service", service)], plugin.state.state)
        };
        let help = "The health of the DependencyLabel 0 = INIT, 1 = OK, 2 = ERROR";
        family("service_dependency_health", help, plugin_status.iter().map(of_plugin).collect())?;
        let help = "The health of the ServiceLabel 0 = INIT, 1 = OK, 2 = ERROR";
        family("service_health", help, vec![(vec![("service", service)], state)])?;
        let build = vec![
            ("build_date", build_date.unwrap_or_default()),
            ("build_version", build_version),
            ("service", service),
        ];
        let help = "Build info for the service.  Value is always 1, build info is in the tags.";
        family("service_info", help, vec![(build, 1)])
    }
}
