//! Finds out which servers have the keys: at the start, regularly, and when a call finds that this has changed.

use crate::{
    command::{Command, Reply},
    config::Kind,
    core::{Core, PATIENCE},
    endpoint::endpoint,
    failure::Failure,
    slots::Slots,
    wire::{Dial, Wire},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// The interval between queries of the sentinels.
const SENTINELS: Duration = Duration::from_secs(1);
/// The interval between queries of the cluster.
const CLUSTER: Duration = Duration::from_secs(5);
/// The shortest interval, whoever requests a query.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps `Core::slots` up to date until the store is closed.
pub(crate) async fn run(core: Arc<Core>) {
    let every = match &core.kind {
        // A single server never changes.
        Kind::Single(endpoint) => {
            core.hub.set_primaries(std::slice::from_ref(endpoint));
            return;
        }
        Kind::Sentinel { .. } => SENTINELS,
        Kind::Cluster(_) => CLUSTER,
    };
    let mut sentinel = None;
    let finding = async {
        loop {
            match find_slots(&core, &mut sentinel).await {
                Ok(slots) => {
                    // The hub first, so that watches expect hints from the new servers before calls use them.
                    core.hub.set_primaries(slots.primaries());
                    core.retain_nodes(slots.primaries());
                    core.slots.send_if_modified(|before| {
                        let is_new = **before != slots;
                        if is_new {
                            *before = Arc::new(slots);
                        }
                        is_new
                    });
                }
                Err(failure) => core.hub.record_trouble(&failure.to_string()),
            }
            sleep(PAUSE).await;
            let _ = timeout(every - PAUSE, core.refresh_topology.notified()).await;
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = finding => {}
    }
    if let Some(wire) = sentinel {
        wire.close().await;
    }
}

async fn find_slots(core: &Core, sentinel: &mut Option<Wire>) -> Result<Slots, Failure> {
    match &core.kind {
        Kind::Single(endpoint) => Ok(Slots::one(endpoint.clone())),
        Kind::Sentinel { master, sentinels } => {
            let dial = Dial {
                username: None,
                password: core.config.sentinel_password.clone(),
                database: 0,
                gathers: false,
                ..(*core.dial).clone()
            };
            ask_sentinels(&dial, master, sentinels, sentinel).await.map(Slots::one)
        }
        Kind::Cluster(seeds) => {
            let mut last = Failure::no_connection("`endpoints` is empty");
            let mut doubtful = None;
            let known = core.primaries();
            for endpoint in known.iter().chain(seeds.iter().filter(|seed| !known.contains(seed))) {
                let node = core.node(endpoint);
                let asked = timeout(PATIENCE, async { ask_node(&*node.wire().await?, endpoint).await }).await;
                match asked.unwrap_or_else(|_| Err(Failure::no_connection("no answer to CLUSTER SLOTS"))) {
                    // A node that is cut off from the others still answers. Two that say the same are not.
                    Ok((slots, is_cut_off)) if !is_cut_off || doubtful.as_ref() == Some(&slots) => return Ok(slots),
                    Ok((slots, _)) => doubtful = doubtful.or(Some(slots)),
                    Err(failure) => last = failure,
                }
            }
            doubtful.ok_or(last)
        }
    }
}

/// The slots as a node knows them, and whether it may be cut off from the cluster: it says that the cluster is down.
async fn ask_node(wire: &Wire, endpoint: &Arc<str>) -> Result<(Slots, bool), Failure> {
    let slots = parse_slots(wire.call(&Command::new("CLUSTER", ["SLOTS"])).await?, endpoint);
    let slots = slots.filter(Slots::is_known);
    let slots = slots.ok_or_else(|| Failure::no_connection("it is in no cluster that has slots"))?;
    // A user who may not ask this is not told of it.
    let info = wire.call(&Command::new("CLUSTER", ["INFO"])).await;
    let is_down = info.is_ok_and(|info| info.text().is_some_and(|info| info.contains("cluster_state:fail")));
    Ok((slots, is_down))
}

/// Parses the answer to `CLUSTER SLOTS`.
fn parse_slots(reply: Reply, asked: &Arc<str>) -> Option<Slots> {
    let mut ranges = Vec::new();
    for range in reply.list() {
        let mut parts = range.list().into_iter();
        let (first, last) = (parts.next()?.number()?, parts.next()?.number()?);
        let mut primary = parts.next()?.list().into_iter();
        let host = primary.next()?.text().unwrap_or_default();
        let port = primary.next()?.number()?;
        // A server that does not know its own name is the one that was asked.
        let endpoint = match &*host {
            "" | "?" => Arc::from(format!("{}:{port}", asked.rsplit_once(':')?.0)),
            host => endpoint(host, port),
        };
        ranges.push((u16::try_from(first).ok()?, u16::try_from(last).ok()?, endpoint));
    }
    Some(Slots::of_ranges(&ranges))
}

/// The master, according to the first sentinel that answers.
async fn ask_sentinels(
    dial: &Dial,
    master: &str,
    sentinels: &[Arc<str>],
    kept: &mut Option<Wire>,
) -> Result<Arc<str>, Failure> {
    let mut last = Failure::no_connection("`endpoints` is empty");
    if let Some(wire) = kept.take() {
        match ask_sentinel(&wire, master).await {
            Ok(endpoint) => {
                *kept = Some(wire);
                return Ok(endpoint);
            }
            Err(failure) => last = failure,
        }
    }
    for sentinel in sentinels {
        let asked = timeout(PATIENCE, async {
            let wire = Wire::dial(dial, sentinel).await?;
            let endpoint = ask_sentinel(&wire, master).await?;
            Ok((wire, endpoint))
        });
        match asked.await.unwrap_or_else(|_| Err(Failure::no_connection("no answer of the sentinel"))) {
            Ok((wire, endpoint)) => {
                *kept = Some(wire);
                return Ok(endpoint);
            }
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

async fn ask_sentinel(wire: &Wire, master: &str) -> Result<Arc<str>, Failure> {
    let command = Command::new("SENTINEL", ["GET-MASTER-ADDR-BY-NAME".to_string(), master.to_string()]);
    let reply = timeout(PATIENCE, wire.call(&command)).await;
    let reply = reply.unwrap_or_else(|_| Err(Failure::no_connection("no answer of the sentinel")))?;
    let mut parts = reply.list().into_iter().filter_map(Reply::text);
    match (parts.next(), parts.next()) {
        (Some(host), Some(port)) => Ok(endpoint(&host, port)),
        _ => Err(Failure::no_connection(format!("the sentinel at {} knows no master `{master}`", wire.endpoint))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_read() {
        let text = |text: &str| Reply::Bytes(text.to_string().into());
        let node = |host: &str, port| Reply::List(vec![text(host), Reply::Number(port), text("id")]);
        let range = |first, last, node| Reply::List(vec![Reply::Number(first), Reply::Number(last), node]);
        let reply = Reply::List(vec![
            range(0, 99, node("", 7000)),
            range(100, 200, node("10.0.0.2", 7001)),
            range(201, 16383, node("::1", 7002)),
        ]);
        let slots = parse_slots(reply, &"10.0.0.1:7000".into()).unwrap();
        assert_eq!(slots.primaries(), ["10.0.0.1:7000".into(), "10.0.0.2:7001".into(), "[::1]:7002".into()]);
    }
}
