//! Helpers for all tests: a store on an etcd, and the events of its watches.

use cninfra::keyval::{Change, ChangeKind, Event, Kv, Watch};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use std::{
    fmt::Debug,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

pub const SOON: Duration = Duration::from_secs(20);

pub async fn connect(endpoint: impl Into<String>) -> Arc<EtcdStore> {
    let config = EtcdConfig::at([endpoint.into()]);
    Arc::new(EtcdStore::connect(config).await.unwrap())
}

pub async fn kv(endpoint: impl Into<String>) -> Kv<EtcdStore> {
    Kv::new(connect(endpoint).await)
}

/// The next event, which comes soon.
pub async fn next(watch: &mut Watch) -> Event {
    timeout(SOON, watch.next()).await.expect("an event comes soon").expect("the watch goes on")
}

/// Events up to one, itself included.
pub async fn until(watch: &mut Watch, last: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut events = Vec::new();
    let taking = async {
        loop {
            let event = watch.next().await.expect("the watch goes on");
            events.push(event);
            if last(&events[events.len() - 1]) {
                return;
            }
        }
    };
    let taken = timeout(SOON, taking).await;
    assert!(taken.is_ok(), "it does not come; what came: {:?}", shown(&events));
    events
}

/// Events as text: `begin p/* Start`, `item p/a=1`, `end`, `put a=1`, `del a`, `Lost`.
pub fn shown(events: &[Event]) -> Vec<String> {
    events.iter().map(one).collect()
}

fn one(event: &Event) -> String {
    let value = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    match event {
        Event::SnapshotBegin { range, cause, .. } => format!("begin {range} {cause:?}"),
        Event::Item(entry) => format!("item {}={}", value(&entry.key), value(&entry.value)),
        Event::SnapshotEnd { range, .. } => format!("end {range}"),
        Event::Changes { changes, .. } => changes.iter().map(change).collect::<Vec<_>>().join(", "),
        Event::Removed { range, .. } => format!("removed {range}"),
        Event::Link(link) => format!("{link:?}"),
        _ => "?".to_string(),
    }
}

fn change(change: &Change) -> String {
    let key = String::from_utf8_lossy(&change.key).into_owned();
    match &change.kind {
        ChangeKind::Put { entry, created, .. } => {
            let new = if *created == Some(true) { " (new)" } else { "" };
            format!("put {key}={}{new}", String::from_utf8_lossy(&entry.value))
        }
        _ => format!("del {key}"),
    }
}

/// Waits until a condition holds.
pub async fn soon<T: Debug, F: Future<Output = T>>(what: &str, look: impl Fn() -> F, is_so: impl Fn(&T) -> bool) -> T {
    let began = Instant::now();
    loop {
        let found = look().await;
        if is_so(&found) {
            return found;
        }
        assert!(began.elapsed() < SOON, "{what}: not in time: {found:?}");
        sleep(Duration::from_millis(20)).await;
    }
}
