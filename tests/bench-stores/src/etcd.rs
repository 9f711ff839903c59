//! What the layer over etcd costs, beside the client alone, in one run.
//!
//! ```text
//! cargo run --profile stores -p cninfra-bench-stores --bin etcd [-- BLOCKS]
//! ```
//!
//! An etcd is started for it (Debian's `etcd-server`). In each block the contestants take turns: the client, the client once more, which says what the noise is, the store by its own type, and the
//! store as it is injected. Told are the median of the ratios to the client's time, with its 95 % interval, and the same of what the process has computed.
//!
//! ```text
//! valgrind --tool=callgrind target/stores/etcd --alone raw|static|dyn put|get|puts|gets|watch BLOCKS ENDPOINT
//! ```
//!
//! runs one contestant alone, on one thread and an etcd that is there: the instructions of two such runs, by the difference of their operations, are those of one operation, however busy the machine is.
#![forbid(unsafe_code)]

mod blocks;

use blocks::{Blocks, time};
use cninfra::keyval::{Event, KeyVal, Kv, Watch, WatchOptions};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::Etcd;
use etcd_client::{Client, WatchStream};
use futures_util::future::try_join_all;
use std::{env, error::Error, sync::Arc};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Operations of a block.
const ONE_BY_ONE: usize = 40;
const AT_ONCE: usize = 64;
const ROUNDS: usize = 6;
const WATCHED: usize = 200;

/// Who takes part, with what it watches.
enum Contestant {
    Raw(Box<Client>, String, WatchStream),
    Static(Kv<EtcdStore>, Watch),
    Injected(Kv<dyn KeyVal>, Watch),
}

const NAMES: [&str; 4] = ["raw", "raw", "static", "dyn"];

impl Contestant {
    async fn put(&self, key: &str, value: &str) -> Result<()> {
        match self {
            Contestant::Raw(client, prefix, _) => {
                drop(client.kv_client().put(format!("{prefix}{key}"), value, None).await?)
            }
            Contestant::Static(kv, _) => drop(kv.put(key, value.to_string()).await?),
            Contestant::Injected(kv, _) => drop(kv.put(key, value.to_string()).await?),
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<()> {
        let is_there = match self {
            Contestant::Raw(client, prefix, _) => {
                client.kv_client().get(format!("{prefix}{key}"), None).await?.kvs().len() == 1
            }
            Contestant::Static(kv, _) => kv.get(key).await?.is_some(),
            Contestant::Injected(kv, _) => kv.get(key).await?.is_some(),
        };
        if is_there { Ok(()) } else { Err(format!("{key} is not there").into()) }
    }

    /// Writes keys that are watched, and waits until all of them have been told.
    async fn watched(&mut self) -> Result<()> {
        let keys: Vec<String> = (0..WATCHED).map(|number| format!("watched/{number}")).collect();
        for some in keys.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|key| self.put(key, "value"))).await?;
        }
        let mut told = 0;
        while told < WATCHED {
            told += match self {
                Contestant::Raw(_, _, watch) => watch.message().await?.ok_or("the watch has ended")?.events().len(),
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
    fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "put" => What::Put,
            "get" => What::Get,
            "puts" => What::PutAtOnce,
            "gets" => What::GetAtOnce,
            "watch" => What::Watch,
            _ => return Err(format!("{name} is not measured").into()),
        })
    }

    /// Of a block.
    fn operations(self) -> usize {
        match self {
            What::Put => ONE_BY_ONE,
            What::Get => ONE_BY_ONE * 4,
            What::PutAtOnce => AT_ONCE * ROUNDS,
            What::GetAtOnce => AT_ONCE * ROUNDS * 4,
            What::Watch => WATCHED,
        }
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [flag, name, what, blocks, endpoint] = &*args
        && flag == "--alone"
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(alone(name, What::named(what)?, blocks.parse()?, endpoint));
    }
    let blocks = args.first().map_or(Ok(90), |count| count.parse())?;
    tokio::runtime::Runtime::new()?.block_on(compare(blocks))
}

async fn alone(name: &str, what: What, blocks: usize, endpoint: &str) -> Result<()> {
    let mut contestant = contestant(name, endpoint).await?;
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
    let etcd = Etcd::start();
    let endpoint = etcd.endpoint();
    let mut contestants = Vec::new();
    // each with a connection, and below a prefix of its own
    for name in NAMES.iter().enumerate().map(|(at, name)| format!("{name}{at}")) {
        contestants.push(contestant(&name, &endpoint).await?);
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

async fn contestant(name: &str, endpoint: &str) -> Result<Contestant> {
    let prefix = format!("bench-{name}/");
    if name.starts_with("raw") {
        let client = Client::connect([endpoint], None).await?;
        let options = etcd_client::WatchOptions::new().with_prefix();
        let watch = client.watch_client().watch(format!("{prefix}watched/"), Some(options)).await?;
        return Ok(Contestant::Raw(Box::new(client), prefix, watch));
    }
    let store = Arc::new(EtcdStore::connect(EtcdConfig::at([endpoint])).await?);
    let kv = Kv::new(store).scoped(prefix);
    let watch = kv.watch(["watched/"], WatchOptions::default()).await?;
    Ok(if name.starts_with("static") { Contestant::Static(kv, watch) } else { Contestant::Injected(kv.erase(), watch) })
}
