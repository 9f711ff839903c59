//! What the store for Redis costs compared with the client alone, in one run.
//!
//! ```text
//! cargo run --profile stores -p cninfra-bench-stores --bin redis [-- BLOCKS [put|get|puts|gets|watch]]
//! ```
//!
//! In each block the contestants take turns: the client, the client again, which shows the noise, the store by its own
//! type, and the store as it is injected. The client alone watches as one does by hand: it is notified of keys, and
//! reads each. All of them are in one process, which is restarted every sixty blocks, with a Redis of its own (Debian's
//! `redis-server`). The output is the median of the ratios to the client's time over all blocks, and over the medians
//! of the processes, each with its 95 % interval, and the ratio of the CPU time. The figure over the processes is the
//! one to quote: in one process all blocks may be off by the same few percent.
//!
//! ```text
//! valgrind --tool=callgrind target/stores/redis --alone raw|raw-limited|static|dyn put|get|puts|gets|watch BLOCKS HOST:PORT [threads]
//! ```
//!
//! runs one contestant alone, on one thread and a Redis that is already running. The difference of two such runs,
//! divided by the difference of their operations, is the number of instructions per operation, however busy the machine
//! is. `raw-limited` is the client with a time limit for its calls, as each call of a store has. With `threads` there
//! are as many threads as in turns, to count system calls (`strace -f -c`).
#![forbid(unsafe_code)]

mod blocks;
mod processes;
mod work;

use cninfra::keyval::{Event, KeyVal, Kv, Watch, WatchOptions};
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::Redis;
use fred::{
    clients::Client,
    interfaces::{ClientLike as _, EventInterface as _, KeysInterface as _, PubsubInterface as _},
    types::{
        Builder, KeyspaceEvent,
        config::{Config, TcpConfig},
    },
};
use processes::compare;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::broadcast;
use work::{Contestant, NAMES, Operation, Result, Task, WATCHED, alone, in_turns, run};

/// A contestant, with its watch.
enum Participant {
    Raw(Raw),
    Static(Kv<RedisStore>, Watch),
    Injected(Kv<dyn KeyVal>, Watch),
}

struct Raw {
    client: Client,
    prefix: String,
    /// Kept alive, since `hints` ends with it.
    _listener: Client,
    hints: broadcast::Receiver<KeyspaceEvent>,
}

impl Raw {
    async fn get(&self, key: &str) -> Result<bool> {
        Ok(self.client.get::<Option<bytes::Bytes>, _>(key).await?.is_some())
    }
}

impl Contestant for Participant {
    async fn put(&self, key: &str, value: &str) -> Result<()> {
        match self {
            Participant::Raw(raw) => {
                raw.client.set::<(), _, _>(format!("{}{key}", raw.prefix), value, None, None, false).await?;
            }
            Participant::Static(kv, _) => drop(kv.put(key, value.to_string()).await?),
            Participant::Injected(kv, _) => drop(kv.put(key, value.to_string()).await?),
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<()> {
        let is_there = match self {
            Participant::Raw(raw) => raw.get(&format!("{}{key}", raw.prefix)).await?,
            Participant::Static(kv, _) => kv.get(key).await?.is_some(),
            Participant::Injected(kv, _) => kv.get(key).await?.is_some(),
        };
        if is_there { Ok(()) } else { Err(format!("{key} is not there").into()) }
    }

    async fn next_reported(&mut self) -> Result<usize> {
        match self {
            Participant::Raw(raw) => {
                let key = raw.hints.recv().await?.key.into_string().ok_or("a key that is no text")?;
                Ok(usize::from(raw.get(&key).await?))
            }
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
            run(threads, async { alone(contestant(&name, at.parse()?).await?, operation, blocks).await })
        }
        Task::InTurns(blocks, operation) => run(true, measure(blocks, operation)),
        Task::Compare(blocks, only) => compare(blocks, only),
    }
}

async fn measure(blocks: usize, operation: Operation) -> Result<()> {
    let redis = Redis::start();
    let addr = redis.addr();
    let mut contestants = Vec::new();
    // Each has its own connection, and a prefix of its own.
    for name in NAMES.iter().enumerate().map(|(at, name)| format!("{name}{at}")) {
        contestants.push(contestant(&name, addr).await?);
    }
    in_turns(contestants, blocks, operation).await
}

async fn contestant(name: &str, addr: SocketAddr) -> Result<Participant> {
    let prefix = format!("bench-{name}/");
    if name.starts_with("raw") {
        let mut builder = Builder::from_config(Config::from_url(&format!("redis://{addr}"))?);
        builder.with_connection_config(|config| config.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() });
        builder.with_performance_config(|config| {
            config.broadcast_channel_capacity = 2 * WATCHED;
            if name == "raw-limited" {
                config.default_command_timeout = Duration::from_secs(5);
            }
        });
        let (client, listener) = (builder.build()?, builder.build()?);
        client.init().await?;
        listener.init().await?;
        let hints = listener.keyspace_event_rx();
        listener.psubscribe(format!("__keyspace@0__:{prefix}watched/*")).await?;
        return Ok(Participant::Raw(Raw { client, prefix, _listener: listener, hints }));
    }
    let store = Arc::new(RedisStore::connect(RedisConfig::at(addr.to_string())).await?);
    let kv = Kv::new(store).scoped(prefix);
    let mut watch = kv.watch(["watched/"], WatchOptions::default()).await?;
    while !matches!(watch.next().await.ok_or("the watch has ended")?, Event::SnapshotEnd { .. }) {}
    Ok(if name.starts_with("static") {
        Participant::Static(kv, watch)
    } else {
        Participant::Injected(kv.erase(), watch)
    })
}
