//! Encodes [`RequestMetrics`](super::RequestMetrics) at a scrape.

use super::{Inner, series::Slot};
use cninfra::metrics::{
    Unit,
    prometheus_client::{
        encoding::{DescriptorEncoder, EncodeMetric},
        metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    },
};
use std::{
    fmt,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
};

pub(super) fn encode(all: &Inner, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
    let slots: Vec<((String, String), Arc<Slot>)> = {
        let slots = all.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().map(|(key, slot)| (key.clone(), slot.clone())).collect()
    };
    let help = "Requests that were answered.";
    let mut requests = encoder.encode_descriptor("http_requests", help, None, MetricType::Counter)?;
    for ((route, method), slot) in &slots {
        for (status, count) in slot.statuses.counts() {
            let status = status.to_string();
            let labels = [("method", method.as_str()), ("route", route), ("status", &status)];
            ConstCounter::new(count).encode(requests.encode_family(&labels)?)?;
        }
    }
    let help = "How long it took to answer requests, in seconds.";
    let unit = Unit::Seconds;
    let mut durations = encoder.encode_descriptor("http_request_duration", help, Some(&unit), MetricType::Histogram)?;
    for ((route, method), slot) in &slots {
        let labels = [("method", method.as_str()), ("route", route)];
        // Without a finished request there is no histogram.
        let histogram = slot.durations.snapshot();
        if histogram.count() > 0 {
            histogram.encode(durations.encode_family(&labels)?)?;
        }
    }
    let in_flight: u64 = slots.iter().map(|(_, slot)| slot.in_flight()).sum();
    let gauges = [
        (
            "http_requests_in_flight",
            "Requests whose answers are not at their end.",
            i64::try_from(in_flight).unwrap_or(i64::MAX),
        ),
        ("http_connections", "Connections that are open.", all.connections.load(Relaxed)),
    ];
    for (name, help, value) in gauges {
        let gauge = ConstGauge::new(value);
        gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
    }
    let (name, help) = ("http_connections_accepted", "Connections that were taken in.");
    let accepted = ConstCounter::new(all.accepted.load(Relaxed));
    accepted.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}
