//! What the layer over Redis costs, beside the client alone, in one run.
//!
//! ```text
//! cargo run --profile stores -p cninfra-bench-stores --bin redis [-- BLOCKS]
//! ```
//!
//! A Redis is started for it (Debian's `redis-server`). In each block the contestants take turns: the client, the client once more, which says what the noise is, the store by its own type, and the
//! store as it is injected. The client alone watches as one does by hand: it is told of keys, and reads each. Told are the median of the ratios to the client's time, with its 95 % interval, and the same of what the process has computed.
//!
//! ```text
//! valgrind --tool=callgrind target/stores/redis --alone raw|static|dyn put|get|puts|gets|watch BLOCKS HOST:PORT
//! ```
//!
//! runs one contestant alone, on one thread and a Redis that is there: the instructions of two such runs, by the difference of their operations, are those of one operation, however busy the machine is.
#![forbid(unsafe_code)]

mod blocks;

use blocks::{Blocks, time};
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
use futures_util::future::try_join_all;
use std::{env, error::Error, net::SocketAddr, sync::Arc, time::Instant};
use tokio::sync::broadcast;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Operations of a block.
const ONE_BY_ONE: usize = 40;
const AT_ONCE: usize = 64;
const ROUNDS: usize = 6;
const WATCHED: usize = 200;

/// Who takes part, with what it watches.
enum Contestant {
    Raw(Raw),
    Static(Kv<RedisStore>, Watch),
    Injected(Kv<dyn KeyVal>, Watch),
}

struct Raw {
    client: Client,
    prefix: String,
    /// Kept, since its end is that of the hints.
    _listener: Client,
    hints: broadcast::Receiver<KeyspaceEvent>,
}

impl Raw {
    async fn get(&self, key: &str) -> Result<bool> {
        Ok(self.client.get::<Option<bytes::Bytes>, _>(key).await?.is_some())
    }
}

const NAMES: [&str; 4] = ["raw", "raw", "static", "dyn"];

impl Contestant {
    async fn put(&self, key: &str, value: &str) -> Result<()> {
        match self {
            Contestant::Raw(raw) => {
                raw.client.set::<(), _, _>(format!("{}{key}", raw.prefix), value, None, None, false).await?;
            }
            Contestant::Static(kv, _) => drop(kv.put(key, value.to_string()).await?),
            Contestant::Injected(kv, _) => drop(kv.put(key, value.to_string()).await?),
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<()> {
        let is_there = match self {
            Contestant::Raw(raw) => raw.get(&format!("{}{key}", raw.prefix)).await?,
            Contestant::Static(kv, _) => kv.get(key).await?.is_some(),
            Contestant::Injected(kv, _) => kv.get(key).await?.is_some(),
        };
        if is_there { Ok(()) } else { Err(format!("{key} is not there").into()) }
    }

    /// Writes keys that are watched, and waits until all of them have been told.
    async fn watched(&mut self) -> Result<()> {
        let keys: Vec<String> = (0..WATCHED).map(|number| format!("watched/{number}")).collect();
        // another one each time, since what is as it was is not told
        let value = format!("{:?}", Instant::now());
        for some in keys.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|key| self.put(key, &value))).await?;
        }
        let mut told = 0;
        while told < WATCHED {
            told += match self {
                Contestant::Raw(raw) => {
                    let key = raw.hints.recv().await?.key.into_string().ok_or("a key that is no text")?;
                    usize::from(raw.get(&key).await?)
                }
                Contestant::Static(_, watch) | Contestant::Injected(_, watch) => {
                    match watch.next().await.ok_or("the watch has ended")? {
                        Event::Changes { changes, .. } => changes.len(),
                        _ => 0,
                    }
                }
            };
        }
        Ok(())
    }

    async fn run(&mut self, what: What) -> Result<()> {
        match what {
            What::Put => {
                for number in 0..ONE_BY_ONE {
                    self.put(&format!("one/{number}"), "value").await?;
                }
            }
            What::Get => {
                for number in 0..ONE_BY_ONE * 4 {
                    self.get(&format!("one/{}", number % ONE_BY_ONE)).await?;
                }
            }
            What::PutAtOnce => {
                let keys: Vec<String> = (0..AT_ONCE).map(|number| format!("many/{number}")).collect();
                for _ in 0..ROUNDS {
                    try_join_all(keys.iter().map(|key| self.put(key, "value"))).await?;
                }
            }
            What::GetAtOnce => {
                let keys: Vec<String> = (0..AT_ONCE).map(|number| format!("many/{number}")).collect();
                for _ in 0..ROUNDS * 4 {
                    try_join_all(keys.iter().map(|key| self.get(key))).await?;
                }
            }
            What::Watch => self.watched().await?,
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum What {
    Put,
    Get,
    PutAtOnce,
    GetAtOnce,
    Watch,
}

impl What {
    fn named(name: &str) -> Result<What> {
        Ok(match name {
            "put" => What::Put,
            "get" => What::Get,
            "puts" => What::PutAtOnce,
            "gets" => What::GetAtOnce,
            "watch" => What::Watch,
            _ => return Err(format!("`{name}` is none of put, get, puts, gets, watch").into()),
        })
    }

    /// How many there are in a block.
    fn operations(self) -> usize {
        match self {
            What::Put => ONE_BY_ONE,
            What::Get => 4 * ONE_BY_ONE,
            What::PutAtOnce => ROUNDS * AT_ONCE,
            What::GetAtOnce => 4 * ROUNDS * AT_ONCE,
            What::Watch => WATCHED,
        }
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [flag, name, what, blocks, addr] = &*args
        && flag == "--alone"
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(alone(name, What::named(what)?, blocks.parse()?, addr.parse()?));
    }
    let blocks = args.first().map_or(Ok(90), |count| count.parse())?;
    tokio::runtime::Runtime::new()?.block_on(compare(blocks))
}

async fn alone(name: &str, what: What, blocks: usize, addr: SocketAddr) -> Result<()> {
    let mut contestant = contestant(name, addr).await?;
    // there is something to be read
    contestant.run(What::Put).await?;
    contestant.run(What::PutAtOnce).await?;
    for _ in 0..blocks {
        contestant.run(what).await?;
    }
    println!("{} operations", what.operations() * blocks);
    Ok(())
}

async fn compare(blocks: usize) -> Result<()> {
    let redis = Redis::start();
    let addr = redis.addr();
    let mut contestants = Vec::new();
    // each with a connection, and below a prefix of its own
    for name in NAMES.iter().enumerate().map(|(at, name)| format!("{name}{at}")) {
        contestants.push(contestant(&name, addr).await?);
    }
    println!("time by the client's, {blocks} blocks; median (95 % interval)\n");
    for (what, name) in [
        (What::Put, "put"),
        (What::Get, "get"),
        (What::PutAtOnce, "put, 64 at once"),
        (What::GetAtOnce, "get, 64 at once"),
        (What::Watch, "watch"),
    ] {
        let mut taken = Blocks::of(NAMES);
        for contestant in &mut contestants {
            contestant.run(what).await?;
        }
        for _ in 0..blocks {
            let mut block = vec![Default::default(); contestants.len()];
            for at in taken.order() {
                block[at] = time(contestants[at].run(what)).await?;
            }
            taken.add(block);
        }
        taken.print(name);
    }
    Ok(())
}

async fn contestant(name: &str, addr: SocketAddr) -> Result<Contestant> {
    let prefix = format!("bench-{name}/");
    if name.starts_with("raw") {
        let mut builder = Builder::from_config(Config::from_url(&format!("redis://{addr}"))?);
        builder.with_connection_config(|config| config.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() });
        builder.with_performance_config(|config| config.broadcast_channel_capacity = 2 * WATCHED);
        let (client, listener) = (builder.build()?, builder.build()?);
        client.init().await?;
        listener.init().await?;
        let hints = listener.keyspace_event_rx();
        listener.psubscribe(format!("__keyspace@0__:{prefix}watched/*")).await?;
        return Ok(Contestant::Raw(Raw { client, prefix, _listener: listener, hints }));
    }
    let store = Arc::new(RedisStore::connect(RedisConfig::at(addr.to_string())).await?);
    let kv = Kv::new(store).scoped(prefix);
    let mut watch = kv.watch(["watched/"], WatchOptions::default()).await?;
    while !matches!(watch.next().await.ok_or("the watch has ended")?, Event::SnapshotEnd { .. }) {}
    Ok(if name.starts_with("static") { Contestant::Static(kv, watch) } else { Contestant::Injected(kv.erase(), watch) })
}
