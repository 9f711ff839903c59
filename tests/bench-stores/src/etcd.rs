//! What the store for etcd costs compared with the client alone, in one run.
//!
//! ```text
//! cargo run --profile stores -p cninfra-bench-stores --bin etcd [-- BLOCKS [put|get|puts|gets|watch]]
//! ```
//!
//! In each block the contestants take turns: the client, the client again, which shows the noise, the store by its own
//! type, and the store as it is injected. All of them are in one process, which is restarted every sixty blocks, with
//! an etcd of its own (Debian's `etcd-server`). The output is the median of the ratios to the client's time over all
//! blocks, and over the medians of the processes, each with its 95 % interval, and the ratio of the CPU time.
//!
//! ```text
//! valgrind --tool=callgrind target/stores/etcd --alone raw|static|dyn put|get|puts|gets|watch BLOCKS ENDPOINT [threads]
//! ```
//!
//! runs one contestant alone, on one thread (with `threads`, on as many as in turns) and an etcd that is already
//! running. The difference of two such runs, divided by the difference of their operations, is the number of
//! instructions per operation, however busy the machine is.
#![forbid(unsafe_code)]

mod blocks;
mod processes;
mod work;

use cninfra::keyval::{Event, KeyVal, Kv, Watch, WatchOptions};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::Etcd;
use etcd_client::{Client, WatchStream};
use processes::compare;
use std::sync::Arc;
use work::{Contestant, NAMES, Operation, Result, Task, alone, in_turns, run};

/// A contestant, with its watch.
enum Participant {
    Raw(Box<Client>, String, WatchStream),
    Static(Kv<EtcdStore>, Watch),
    Injected(Kv<dyn KeyVal>, Watch),
}

impl Contestant for Participant {
    async fn put(&self, key: &str, value: &str) -> Result<()> {
        match self {
            Participant::Raw(client, prefix, _) => {
                drop(client.kv_client().put(format!("{prefix}{key}"), value, None).await?)
            }
            Participant::Static(kv, _) => drop(kv.put(key, value.to_string()).await?),
            Participant::Injected(kv, _) => drop(kv.put(key, value.to_string()).await?),
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<()> {
        let is_there = match self {
            Participant::Raw(client, prefix, _) => {
                client.kv_client().get(format!("{prefix}{key}"), None).await?.kvs().len() == 1
            }
            Participant::Static(kv, _) => kv.get(key).await?.is_some(),
            Participant::Injected(kv, _) => kv.get(key).await?.is_some(),
        };
        if is_there { Ok(()) } else { Err(format!("{key} is not there").into()) }
    }

    async fn next_reported(&mut self) -> Result<usize> {
        match self {
            Participant::Raw(_, _, watch) => Ok(watch.message().await?.ok_or("the watch has ended")?.events().len()),
            Participant::Static(_, watch) | Participant::Injected(_, watch) => {
                Ok(match watch.next().await.ok_or("the watch has ended")? {
                    Event::Changes { changes, .. } => changes.len(),
                    _ => 0,
                })
            }
        }
    }
}

fn main() -> Result<()> {
    match Task::of_args()? {
        Task::Alone { name, operation, blocks, at, threads } => {
            run(threads, async { alone(contestant(&name, &at).await?, operation, blocks).await })
        }
        Task::InTurns(blocks, operation) => run(true, measure(blocks, operation)),
        Task::Compare(blocks, only) => compare(blocks, only),
    }
}

async fn measure(blocks: usize, operation: Operation) -> Result<()> {
    let etcd = Etcd::start();
    let endpoint = etcd.endpoint();
    let mut contestants = Vec::new();
    // Each has its own connection, and a prefix of its own.
    for name in NAMES.iter().enumerate().map(|(at, name)| format!("{name}{at}")) {
        contestants.push(contestant(&name, &endpoint).await?);
    }
    in_turns(contestants, blocks, operation).await
}

async fn contestant(name: &str, endpoint: &str) -> Result<Participant> {
    let prefix = format!("bench-{name}/");
    if name.starts_with("raw") {
        let client = Client::connect([endpoint], None).await?;
        let options = etcd_client::WatchOptions::new().with_prefix();
        let watch = client.watch_client().watch(format!("{prefix}watched/"), Some(options)).await?;
        return Ok(Participant::Raw(Box::new(client), prefix, watch));
    }
    let store = Arc::new(EtcdStore::connect(EtcdConfig::at([endpoint])).await?);
    let kv = Kv::new(store).scoped(prefix);
    let watch = kv.watch(["watched/"], WatchOptions::default()).await?;
    Ok(if name.starts_with("static") {
        Participant::Static(kv, watch)
    } else {
        Participant::Injected(kv.erase(), watch)
    })
}
