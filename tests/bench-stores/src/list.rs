//! What it costs to list many keys of etcd page by page, compared with the client alone, in one run; and how much
//! memory that takes.
//!
//! ```text
//! cargo run --profile stores -p cninfra-bench-stores --bin list [-- BLOCKS]
//! ```
//!
//! It starts an etcd (Debian's `etcd-server`) with 100 000 keys. In each block these take turns: the client with pages
//! as large as those of a `Listing`, the same again, which shows the noise, a `Listing` of the store by its own type,
//! one of the store as it is injected, and the client with one read of everything. The output is the median of the
//! ratios, with its 95 % interval, and that of the CPU time.
//!
//! Memory is measured in a process that only lists: the increase of its peak (`VmHWM`); the median and the maximum of
//! nine processes.
#![forbid(unsafe_code)]

mod blocks;

use blocks::{Blocks, Ratio, time};
use cninfra::keyval::{KeyVal, Kv, Txn};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::Etcd;
use etcd_client::{Client, GetOptions, KvClient};
use futures_util::future::try_join_all;
use std::{env, error::Error, fs, process::Command, sync::Arc, time::Duration};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const KEYS: usize = 100_000;
/// The keys per transaction, and the number of concurrent transactions.
const CHUNK: usize = 100;
const AT_ONCE: usize = 16;
/// The prefixes, with the size of their values in bytes.
const DATA: [(&str, usize); 2] = [("small/", 100), ("large/", 1000)];
/// The size of a page, in KiB.
const PAGE: u64 = 8 << 10;
/// The number of processes whose memory is measured: it depends on how the parts of a response arrive.
const WEIGHED: usize = 9;
/// The client's limit for one response: large enough for everything.
const MAX_MESSAGE: usize = 1 << 30;

const NAMES: [&str; 5] = ["raw", "raw", "static", "dyn", "unpaged"];
/// The contestants that are compared with one read of everything.
const WHOLE: [&str; 3] = ["unpaged", "static", "dyn"];

enum Contestant {
    Raw(KvClient),
    Static(Kv<EtcdStore>),
    Injected(Kv<dyn KeyVal>),
    Unpaged(KvClient),
}

impl Contestant {
    async fn of(name: &str, endpoint: &str) -> Result<Self> {
        let raw = async || {
            Result::Ok(Client::connect([endpoint], None).await?.kv_client().max_decoding_message_size(MAX_MESSAGE))
        };
        let kv = async || Result::Ok(Kv::new(Arc::new(EtcdStore::connect(EtcdConfig::at([endpoint])).await?)));
        Ok(match name {
            "raw" => Contestant::Raw(raw().await?),
            "unpaged" => Contestant::Unpaged(raw().await?),
            "static" => Contestant::Static(kv().await?),
            _ => Contestant::Injected(kv().await?.erase()),
        })
    }

    /// Reads all keys with a prefix. Returns the bytes of keys and values.
    async fn list(&self, prefix: &str, pages: &[i64]) -> Result<usize> {
        let (mut bytes, mut count) = (0, 0);
        match self {
            Contestant::Raw(client) => {
                let (mut client, end) = (client.clone(), after(prefix));
                let (mut from, mut options) = (prefix.as_bytes().to_vec(), GetOptions::new().with_range(end));
                for limit in pages {
                    let mut answer = client.get(from, Some(options.clone().with_limit(*limit))).await?;
                    let header = answer.header().ok_or("an answer without a header")?;
                    options = options.with_revision(header.revision());
                    from = answer.kvs().last().map(|last| last.key().to_vec()).ok_or("an empty page")?;
                    from.push(0);
                    for kv in answer.take_kvs() {
                        bytes += kv.key().len() + kv.value().len();
                        count += 1;
                    }
                }
            }
            Contestant::Unpaged(client) => {
                for kv in client.clone().get(prefix, Some(GetOptions::new().with_prefix())).await?.take_kvs() {
                    bytes += kv.key().len() + kv.value().len();
                    count += 1;
                }
            }
            Contestant::Static(kv) => {
                let mut listing = kv.list(prefix);
                while let Some(entry) = listing.next().await? {
                    bytes += entry.key.len() + entry.value.len();
                    count += 1;
                }
            }
            Contestant::Injected(kv) => {
                let mut listing = kv.list(prefix);
                while let Some(entry) = listing.next().await? {
                    bytes += entry.key.len() + entry.value.len();
                    count += 1;
                }
            }
        }
        if count == KEYS { Ok(bytes) } else { Err(format!("{count} keys of {KEYS}").into()) }
    }
}

/// The first key after all those with this prefix.
fn after(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

async fn fill(kv: &Kv<EtcdStore>, prefix: &str, len: usize) -> Result<()> {
    let value = "x".repeat(len);
    let txn = |first: usize| {
        (first..first + CHUNK).fold(Txn::new(), |txn, number| txn.put(format!("{prefix}{number:06}"), value.clone()))
    };
    let firsts: Vec<usize> = (0..KEYS).step_by(CHUNK).collect();
    for some in firsts.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|first| kv.commit(txn(*first)))).await?;
    }
    Ok(())
}

/// The number of keys on each page of a listing.
async fn pages(kv: &Kv<EtcdStore>, prefix: &str) -> Result<Vec<i64>> {
    let (mut listing, mut pages) = (kv.list(prefix), Vec::new());
    while let Some(page) = listing.next_page().await? {
        pages.push(i64::try_from(page.len())?);
    }
    Ok(pages)
}

/// The peak memory of this process so far, in KiB.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = |line: &str| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok();
    status.lines().find_map(line).ok_or_else(|| "no VmHWM in /proc/self/status".into())
}

/// Runs in a process of its own: lists once, and prints by how much that has increased the peak memory, in KiB.
async fn weigh(name: &str, endpoint: &str, prefix: &str, pages: &[i64]) -> Result<()> {
    let contestant = Contestant::of(name, endpoint).await?;
    let before = peak()?;
    contestant.list(prefix, pages).await?;
    println!("{}", peak()? - before);
    Ok(())
}

fn weighed(name: &str, endpoint: &str, prefix: &str, pages: &[i64]) -> Result<u64> {
    let pages = pages.iter().map(ToString::to_string);
    let args = ["--weigh", name, endpoint, prefix].map(str::to_string).into_iter().chain(pages);
    let done = Command::new(env::current_exe()?).args(args).output()?;
    let said = String::from_utf8_lossy(&done.stdout).trim().parse();
    said.map_err(|_| format!("{name}: {}", String::from_utf8_lossy(&done.stderr)).into())
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [flag, name, endpoint, prefix, pages @ ..] = &*args
        && flag == "--weigh"
    {
        let pages = pages.iter().map(|page| page.parse()).collect::<std::result::Result<Vec<i64>, _>>()?;
        return weigh(name, endpoint, prefix, &pages).await;
    }
    let blocks: usize = args.first().map_or(Ok(90), |count| count.parse())?;
    let etcd = Etcd::start();
    let endpoint = etcd.endpoint();
    let config = EtcdConfig {
        operation_timeout: cninfra::config::Duration::from_secs(30),
        ..EtcdConfig::at([endpoint.clone()])
    };
    let kv = Kv::new(Arc::new(EtcdStore::connect(config).await?));
    for (prefix, len) in DATA {
        fill(&kv, prefix, len).await?;
        let pages = pages(&kv, prefix).await?;
        println!(
            "{KEYS} keys, values of {len} bytes, {} pages, {blocks} blocks; median (95 % interval)\n",
            pages.len()
        );
        compare(&endpoint, prefix, &pages, blocks).await?;
        println!();
        for name in NAMES.iter().skip(1) {
            let mut all = (0..WEIGHED).map(|_| weighed(name, &endpoint, prefix, &pages)).collect::<Result<Vec<_>>>()?;
            all.sort_unstable();
            let [median, most] = [all[WEIGHED / 2], all[WEIGHED - 1]].map(|kib| kib as f64 / PAGE as f64);
            println!("memory {name:8} {median:.2} of a page's bound (at most {most:.2})");
        }
        println!();
    }
    Ok(())
}

/// Compares all in turns: with the client's pages, and with its one read of everything.
async fn compare(endpoint: &str, prefix: &str, pages: &[i64], blocks: usize) -> Result<()> {
    let mut contestants = Vec::new();
    for name in NAMES {
        let contestant = Contestant::of(name, endpoint).await?;
        contestant.list(prefix, pages).await?;
        contestants.push(contestant);
    }
    let (mut by_pages, mut by_whole) = (Blocks::of(NAMES.len()), Blocks::of(WHOLE.len()));
    for _ in 0..blocks {
        let mut block = vec![(Duration::ZERO, Duration::ZERO); contestants.len()];
        for at in by_pages.order() {
            block[at] = time(contestants[at].list(prefix, pages)).await?;
        }
        by_whole.add(vec![block[4], block[2], block[3]]);
        by_pages.add(block);
    }
    print("by the client's pages", &NAMES, &by_pages);
    print("by one read of all", &WHOLE, &by_whole);
    Ok(())
}

/// Prints a line for each contestant except the first.
fn print(operation: &str, names: &[&str], blocks: &Blocks) {
    for (at, name) in names.iter().enumerate().skip(1) {
        let cpu = Ratio::of(blocks.computed(at)).median;
        println!("{operation:24} {name:8} {}   cpu {cpu:5.2}", Ratio::of(blocks.times(at)));
    }
}
