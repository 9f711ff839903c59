//! [`Stores`]: the counted stores of an agent, and what they report at a scrape.

use super::{
    StoreMetrics, calls,
    watches::{self, CAUSES},
};
use crate::metrics::{Collector, Unit};
use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
};

/// The counted stores of an agent. A metric has one family for all stores, so one collector reports them together.
#[derive(Clone, Default)]
pub(crate) struct Stores(Arc<Mutex<BTreeMap<&'static str, StoreMetrics>>>);

impl Stores {
    pub(super) fn add(&self, plugin: &'static str, metrics: StoreMetrics) {
        self.lock().insert(plugin, metrics);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, StoreMetrics>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().keys()).finish()
    }
}

/// The counters of a store at one moment.
struct StoreSnapshot {
    plugin: &'static str,
    is_up: bool,
    reconnects: u64,
    calls: Vec<(&'static str, calls::Snapshot)>,
    watches: watches::Snapshot,
}

impl Collector for Stores {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stores: Vec<(&'static str, StoreMetrics)> =
            self.lock().iter().map(|(plugin, metrics)| (*plugin, metrics.clone())).collect();
        let stores: Vec<StoreSnapshot> = stores.iter().map(|(plugin, metrics)| metrics.snapshot(plugin)).collect();
        if stores.is_empty() {
            return Ok(());
        }
        requests(&stores, &mut encoder)?;
        let of_each: [(&str, &str, MetricType, Value); 9] = [
            ("keyval_up", "Does the store answer?", GAUGE, |store| u64::from(store.is_up)),
            ("keyval_reconnects", "How often the store answered again after it did not.", COUNTER, |store| {
                store.reconnects
            }),
            ("keyval_watches", "Watches that are open.", GAUGE, |store| store.watches.open as u64),
            ("keyval_watch_queued_events", "Events that wait for their subscribers.", GAUGE, |store| {
                store.watches.stats.queued as u64
            }),
            ("keyval_watch_events", "Events that subscribers have taken.", COUNTER, |store| store.watches.events),
            ("keyval_watch_overflows", "How often a subscriber was too slow for its queue.", COUNTER, |store| {
                store.watches.stats.overflows
            }),
            (
                "keyval_watch_coalesced",
                "Changes that were left out for a later one of the same key.",
                COUNTER,
                |store| store.watches.stats.coalesced,
            ),
            ("keyval_watch_resnapshots", "How often a slow subscriber's events were thrown away.", COUNTER, |store| {
                store.watches.stats.resnapshots
            }),
            ("keyval_watch_failures", "How often a watch could not read, or lost its connection.", COUNTER, |store| {
                store.watches.stats.failures
            }),
        ];
        for (name, help, kind, value) in of_each {
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for store in &stores {
                put(&mut family, kind, [("plugin", store.plugin)], value(store))?;
            }
        }
        let (name, help) = ("keyval_watch_snapshots", "Snapshots that were told, by why.");
        let mut family = encoder.encode_descriptor(name, help, None, COUNTER)?;
        for store in &stores {
            for (cause, count) in CAUSES.into_iter().zip(store.watches.snapshots).filter(|(_, count)| *count > 0) {
                put(&mut family, COUNTER, [("plugin", store.plugin), ("cause", cause)], count)?;
            }
        }
        Ok(())
    }
}

/// Reads the value of one metric.
type Value = fn(&StoreSnapshot) -> u64;

const GAUGE: MetricType = MetricType::Gauge;
const COUNTER: MetricType = MetricType::Counter;

fn requests(stores: &[StoreSnapshot], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Calls of the store that have ended.";
    let mut family = encoder.encode_descriptor("keyval_requests", help, None, COUNTER)?;
    for store in stores {
        for (operation, calls) in &store.calls {
            for (outcome, count) in calls.outcomes() {
                let labels = [("plugin", store.plugin), ("operation", operation), ("outcome", outcome)];
                put(&mut family, COUNTER, labels, count)?;
            }
        }
    }
    let (help, unit) = ("How long calls of the store took, in seconds.", Unit::Seconds);
    let kind = MetricType::Histogram;
    let mut family = encoder.encode_descriptor("keyval_request_duration", help, Some(&unit), kind)?;
    for store in stores {
        for (operation, calls) in &store.calls {
            let labels = [("plugin", store.plugin), ("operation", operation)];
            calls.durations.encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// Writes one sample of a family.
fn put<const N: usize>(
    family: &mut MetricEncoder<'_>,
    kind: MetricType,
    labels: [(&str, &str); N],
    value: u64,
) -> fmt::Result {
    let one = family.encode_family(&labels)?;
    match kind {
        MetricType::Counter => ConstCounter::new(value).encode(one),
        _ => ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(one),
    }
}

impl StoreMetrics {
    fn snapshot(&self, plugin: &'static str) -> StoreSnapshot {
        StoreSnapshot {
            plugin,
            is_up: self.0.up.load(Relaxed),
            reconnects: self.0.reconnects.load(Relaxed),
            calls: self.0.calls.snapshot().collect(),
            watches: self.0.watches.snapshot(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keyval::{
            Capabilities, Cause, Delegate, Event, KeyRange, KeyVal, Kv, KvError, Leases, Link, Reason, Result, Store,
            WatchOptions, testing::Map,
        },
        metrics::{Format, Metrics},
    };
    use futures_util::FutureExt as _;
    use std::time::Duration;

    /// A plugin that delegates to a store; closed if it has none.
    struct Plugin {
        store: Option<Arc<Map>>,
        metrics: Option<StoreMetrics>,
    }

    impl Delegate for Plugin {
        type Store = Map;
        fn capabilities(&self) -> Capabilities {
            Capabilities::all()
        }
        fn metrics(&self) -> Option<&StoreMetrics> {
            self.metrics.as_ref()
        }
        fn store(&self, op: &'static str) -> Result<Arc<Map>> {
            self.store.clone().ok_or_else(|| KvError::new(op, Reason::Closed).not_applied())
        }
    }

    fn plugin(metrics: &StoreMetrics) -> Arc<Plugin> {
        Arc::new(Plugin { store: Some(Arc::default()), metrics: Some(metrics.clone()) })
    }

    /// The exposed samples, without the buckets and sums of the histogram.
    fn samples(stores: &Stores) -> Vec<String> {
        let metrics = Metrics::new("agent");
        metrics.put("keyval", stores.clone());
        let exposition = metrics.expose(Format::Text);
        assert_eq!(exposition.left_out, [""; 0]);
        let is_plain = |line: &&str| !line.starts_with('#') && !line.contains("_bucket{") && !line.contains("_sum{");
        exposition.text.lines().filter(is_plain).map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn what_a_plugin_is_asked_for_is_told() {
        let (stores, metrics) = (Stores::default(), StoreMetrics::default());
        assert_eq!(samples(&stores), [""; 0], "without a store nothing is told");
        stores.add("shelf", metrics.clone());
        let plugin = plugin(&metrics);
        let map = plugin.store.clone().unwrap();
        let typed = Kv::new(plugin.clone());
        let injected: Kv = Kv::new(plugin.clone());
        typed.put("a", "1").await.unwrap();
        injected.put("b", "2").await.unwrap();
        injected.get("a").await.unwrap();
        map.faults.lock().unwrap().extend([None, Some(Reason::Denied)]);
        injected.list("").all().await.unwrap();
        typed.list("").all().await.unwrap_err();
        plugin.grant(Duration::from_secs(1)).await.unwrap();
        drop(typed.get("a"));
        let closed = Plugin { store: None, metrics: Some(metrics.clone()) };
        closed.revoke(crate::keyval::LeaseId(1)).await.unwrap_err();
        for is_up in [false, true, true, false, true, false] {
            metrics.set_up(is_up);
        }
        let mut watch = injected.watch(["a"], WatchOptions::default()).await.unwrap();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        feed.has_failed();
        let begin = |cause| Event::snapshot_begin(KeyRange::prefix("a"), cause);
        for event in [begin(Cause::Start), begin(Cause::Lost), Event::Link(Link::Lost)] {
            let _ = feed.send(event).await;
        }
        for _ in 0..2 {
            watch.next().await.unwrap();
        }
        let requests = [
            "keyval_requests_total{plugin=\"shelf\",operation=\"get\",outcome=\"ok\"} 1",
            "keyval_requests_total{plugin=\"shelf\",operation=\"list\",outcome=\"ok\"} 1",
            "keyval_requests_total{plugin=\"shelf\",operation=\"list\",outcome=\"denied\"} 1",
            "keyval_requests_total{plugin=\"shelf\",operation=\"transaction\",outcome=\"ok\"} 2",
            "keyval_requests_total{plugin=\"shelf\",operation=\"watch\",outcome=\"ok\"} 1",
            "keyval_requests_total{plugin=\"shelf\",operation=\"grant\",outcome=\"ok\"} 1",
            "keyval_requests_total{plugin=\"shelf\",operation=\"revoke\",outcome=\"ok\"} 0",
            "keyval_requests_total{plugin=\"shelf\",operation=\"revoke\",outcome=\"closed\"} 1",
            "keyval_request_duration_seconds_count{plugin=\"shelf\",operation=\"get\"} 1",
            "keyval_request_duration_seconds_count{plugin=\"shelf\",operation=\"list\"} 2",
            "keyval_request_duration_seconds_count{plugin=\"shelf\",operation=\"transaction\"} 2",
            "keyval_request_duration_seconds_count{plugin=\"shelf\",operation=\"watch\"} 1",
            "keyval_request_duration_seconds_count{plugin=\"shelf\",operation=\"grant\"} 1",
            "keyval_request_duration_seconds_count{plugin=\"shelf\",operation=\"revoke\"} 1",
        ];
        let of_watches = |open: u32, queued: u32, events: u32, lost: &[&str]| {
            let mut lines = vec![
                "keyval_up{plugin=\"shelf\"} 0".to_string(),
                "keyval_reconnects_total{plugin=\"shelf\"} 1".to_string(),
                format!("keyval_watches{{plugin=\"shelf\"}} {open}"),
                format!("keyval_watch_queued_events{{plugin=\"shelf\"}} {queued}"),
                format!("keyval_watch_events_total{{plugin=\"shelf\"}} {events}"),
                "keyval_watch_overflows_total{plugin=\"shelf\"} 0".to_string(),
                "keyval_watch_coalesced_total{plugin=\"shelf\"} 0".to_string(),
                "keyval_watch_resnapshots_total{plugin=\"shelf\"} 0".to_string(),
                "keyval_watch_failures_total{plugin=\"shelf\"} 1".to_string(),
                "keyval_watch_snapshots_total{plugin=\"shelf\",cause=\"start\"} 1".to_string(),
            ];
            lines.extend(lost.iter().map(ToString::to_string));
            lines
        };
        let lost = ["keyval_watch_snapshots_total{plugin=\"shelf\",cause=\"lost\"} 1"];
        assert_eq!(samples(&stores), [&requests.map(String::from)[..], &of_watches(1, 1, 2, &lost)].concat());
        // What an ended watch has counted is still reported, but its queue is gone.
        drop(watch);
        assert_eq!(samples(&stores)[requests.len()..], of_watches(0, 0, 2, &lost));
        // The store was closed, and the subscriber has seen the end.
        let mut watch = injected.watch(["a"], WatchOptions::default()).await.unwrap();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        feed.end();
        assert!(watch.next().await.is_none());
        assert_eq!(samples(&stores)[requests.len()..][2], "keyval_watches{plugin=\"shelf\"} 0");
    }

    #[tokio::test]
    async fn two_stores_are_told_together_and_one_that_is_opened_again_in_its_place() {
        let stores = Stores::default();
        for (name, puts) in [("a", 1), ("b", 2), ("b", 3)] {
            let metrics = StoreMetrics::default();
            stores.add(name, metrics.clone());
            for _ in 0..puts {
                Kv::new(plugin(&metrics)).put("k", "v").await.unwrap();
            }
        }
        let samples = samples(&stores);
        for line in [
            "keyval_requests_total{plugin=\"a\",operation=\"transaction\",outcome=\"ok\"} 1",
            "keyval_requests_total{plugin=\"b\",operation=\"transaction\",outcome=\"ok\"} 3",
        ] {
            assert!(samples.iter().any(|sample| sample == line), "{line} is not in {samples:?}");
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_counted_as_dropped() {
        let (stores, metrics) = (Stores::default(), StoreMetrics::default());
        stores.add("shelf", metrics.clone());
        let plugin = plugin(&metrics);
        let map = plugin.store.clone().unwrap();
        map.hangs.store(true, Relaxed);
        assert!(Box::pin(KeyVal::get(&*plugin, "k".into(), crate::keyval::At::Latest)).now_or_never().is_none());
        let samples = samples(&stores);
        for line in [
            "keyval_requests_total{plugin=\"shelf\",operation=\"get\",outcome=\"ok\"} 0",
            "keyval_requests_total{plugin=\"shelf\",operation=\"get\",outcome=\"dropped\"} 1",
        ] {
            assert!(samples.iter().any(|sample| sample == line), "{line} is not in {samples:?}");
        }
    }

    #[test]
    fn a_call_that_is_counted_is_hardly_larger() {
        let metrics = StoreMetrics::default();
        let plugin = plugin(&metrics);
        let at = crate::keyval::At::Latest;
        let bare = size_of_val(&Store::get(&*plugin.store.clone().unwrap(), "k".into(), at));
        let counted = size_of_val(&Store::get(&*plugin, "k".into(), at));
        // It also holds the plugin, the key, its own state, the store, and the counter.
        assert!(counted <= bare + 120, "{counted} bytes instead of {bare}");
    }
}
