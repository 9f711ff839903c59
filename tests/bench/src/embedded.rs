//! Compares the embedded store with raw redb, and with a file that is appended to, in one run.
//!
//! ```text
//! cargo run --release -p cninfra-bench --bin embedded [-- FOLDER [SECONDS]]
//! ```
//! They take turns, so that a disk that becomes slow is slow for all of them. Only the ratios carry over to other
//! machines.

use cninfra::keyval::{At, Event, KeyRange, Kv, Store as _, Txn, Watch, WatchOptions};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use redb::{Database, TableDefinition};
use std::{
    error::Error,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

const ROUNDS: u32 = 8;
const WRITERS: u64 = 64;
const KEYS: u64 = 10_000;
const VALUE: [u8; 256] = [b'v'; 256];
const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("raw");
const NAMES: [&str; 8] = [
    "append and fdatasync",
    "raw redb, a put a transaction",
    "put, alone",
    "put, 64 writers",
    "put, 64 writers, 100 idle watchers",
    "put, 64 writers, in memory",
    "get",
    "put and its event, one at a time",
];

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: f64 = arguments.next().map_or(Ok(24.0), |seconds| seconds.parse())?;
    let folder = folder.join(format!("cninfra-bench-embedded-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(&folder, seconds));
    std::fs::remove_dir_all(&folder)?;
    measured
}

/// What is measured: the contestants, and the figures that need state.
struct Bench {
    file: File,
    raw: Database,
    store: Arc<EmbeddedStore>,
    memory: Arc<EmbeddedStore>,
    watch: Watch,
    /// The times from the response to a put until its event, in microseconds.
    delivery: Vec<u128>,
    /// The length of a turn.
    turn: Duration,
}

async fn measure(folder: &Path, seconds: f64) -> Result<()> {
    let config = EmbeddedConfig { path: Some(folder.join("store.redb")), ..EmbeddedConfig::default() };
    let store = Arc::new(EmbeddedStore::open(&config).await?);
    let watch = store.watch(vec![KeyRange::prefix("watched/")], WatchOptions::default()).await?;
    let mut bench = Bench {
        file: File::create(folder.join("raw.log"))?,
        raw: Database::create(folder.join("raw.redb"))?,
        store,
        memory: Arc::new(EmbeddedStore::in_memory().await?),
        watch,
        delivery: Vec::new(),
        turn: Duration::from_secs_f64(seconds / f64::from(ROUNDS) / NAMES.len() as f64),
    };
    let mut done = [(0, Duration::ZERO); NAMES.len()];
    for _ in 0..ROUNDS {
        for (number, (count, time)) in done.iter_mut().enumerate() {
            let began = Instant::now();
            *count += bench.run(number).await?;
            *time += began.elapsed();
        }
    }
    tell(&done, &mut bench.delivery);
    bench.store.close().await?;
    Ok(bench.memory.close().await?)
}

impl Bench {
    /// Runs one turn. Returns the number of operations.
    async fn run(&mut self, number: usize) -> Result<u64> {
        match number {
            0 => self.append(),
            1 => self.redb(),
            2 => puts(self.store.clone(), 0, self.turn).await,
            3 => together(&self.store, self.turn).await,
            4 => self.beside_idle_watchers().await,
            5 => together(&self.memory, self.turn).await,
            6 => self.gets().await,
            _ => self.watched().await,
        }
    }

    fn append(&mut self) -> Result<u64> {
        let (began, mut count) = (Instant::now(), 0);
        while began.elapsed() < self.turn {
            self.file.write_all(&VALUE)?;
            self.file.sync_data()?;
            count += 1;
        }
        Ok(count)
    }

    fn redb(&self) -> Result<u64> {
        let (began, mut count) = (Instant::now(), 0);
        while began.elapsed() < self.turn {
            let write = self.raw.begin_write()?;
            write.open_table(TABLE)?.insert(&*key(count), &VALUE[..])?;
            write.commit()?;
            count += 1;
        }
        Ok(count)
    }

    async fn beside_idle_watchers(&self) -> Result<u64> {
        let mut watchers = Vec::new();
        for number in 0..100 {
            let range = KeyRange::prefix(format!("idle/{number}/"));
            watchers.push(self.store.watch(vec![range], WatchOptions::default()).await?);
        }
        together(&self.store, self.turn).await
    }

    async fn gets(&self) -> Result<u64> {
        let (began, mut count) = (Instant::now(), 0);
        while began.elapsed() < self.turn {
            self.store.get(key(count).into(), At::Latest).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn watched(&mut self) -> Result<u64> {
        let (kv, began, mut count) = (Kv::new(self.store.clone()), Instant::now(), 0);
        while began.elapsed() < self.turn {
            kv.put("watched/k", &VALUE[..]).await?;
            let answered = Instant::now();
            while !matches!(self.watch.next().await.ok_or("the watch has ended")?, Event::Changes { .. }) {}
            self.delivery.push(answered.elapsed().as_micros());
            count += 1;
        }
        Ok(count)
    }
}

fn key(number: u64) -> String {
    format!("key/{:06}", number * 7919 % KEYS)
}

async fn puts(store: Arc<EmbeddedStore>, first: u64, turn: Duration) -> Result<u64> {
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < turn {
        store.commit(Txn::new().put(key(first + count), &VALUE[..])).await?;
        count += 1;
    }
    Ok(count)
}

async fn together(store: &Arc<EmbeddedStore>, turn: Duration) -> Result<u64> {
    let writers = (0..WRITERS).map(|writer| tokio::spawn(puts(store.clone(), writer * KEYS / WRITERS, turn)));
    let mut count = 0;
    for writer in writers.collect::<Vec<_>>() {
        count += writer.await??;
    }
    Ok(count)
}

fn tell(done: &[(u64, Duration)], delivery: &mut [u128]) {
    let rate = |(count, time): &(u64, Duration)| *count as f64 / time.as_secs_f64();
    println!("| what | a second | beside the append | beside raw redb |\n| --- | ---: | ---: | ---: |");
    for (name, own) in NAMES.iter().zip(done) {
        let (append, redb) = (rate(own) / rate(&done[0]), rate(own) / rate(&done[1]));
        println!("| {name} | {:.0} | {append:.2} | {redb:.2} |", rate(own));
    }
    delivery.sort_unstable();
    let at = |part: usize| delivery.get(delivery.len() * part / 1000).copied().unwrap_or_default();
    println!("\nfrom the answer of a put to its event: median {} us, 99 % {} us", at(500), at(990));
}
