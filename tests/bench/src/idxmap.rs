//! What a map with indexes and watchers costs compared with dashmap, and with a hash map under a lock with a
//! hand-written index, in one run.
//!
//! ```text
//! cargo run --release -p cninfra-bench --bin idxmap [-- ROUNDS [ITEMS [WORD]]]
//! ```
//!
//! With a word, only the comparisons whose title contains it. Each map has a million items with short names. In each
//! round all of them take turns, for each number of threads. The figure is the ratio of the operations per second to
//! those of the other map: the median over the rounds, with the outer tenths. Ratios are taken within a round, so that
//! other load on the machine affects few of them. dashmap compared with itself shows the noise.
#![forbid(unsafe_code)]

mod spread;

use cninfra::idxmap::{Changes, IdxMap, Index};
use dashmap::DashMap;
use spread::Spread;
use std::{
    collections::{HashMap, HashSet},
    env,
    hint::black_box,
    sync::{Barrier, Mutex, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

const THREADS: [usize; 4] = [1, 2, 4, 16];
/// Operations of all threads together: long compared with the start of the threads and with the system's time slices,
/// but short enough for many rounds.
const OPERATIONS: usize = 320_000;
/// A follower takes its changes after this many writes, on average, so that it does not fall too far behind by chance:
/// otherwise mainly a new snapshot would be measured.
const NOW_AND_THEN: u64 = 64;
/// The number of items with the same indexed value.
const OF_ONE: u32 = 10;

struct Item {
    /// The indexed value.
    group: u32,
    number: u64,
}

fn item(number: u32) -> Item {
    Item { group: number / OF_ONE, number: u64::from(number) }
}

fn name(number: u32) -> String {
    format!("interface-{number:07}")
}

/// A map, with the operations that are measured.
trait Map: Sync {
    fn read(&self, name: &str) -> u64;
    fn write(&self, name: &str, item: Item);
    /// Returns how much was found.
    fn find(&self, group: u32) -> usize;
}

struct Ours {
    map: IdxMap<String, Item>,
    by_group: Index<u32, String, Item>,
    /// Watchers that never take their changes.
    _watchers: Vec<Changes<String, Item>>,
    /// A watcher that takes its changes now and then. So it never falls too far behind, and all changes are kept for it
    /// until then.
    follower: Option<Mutex<Changes<String, Item>>>,
}

impl Ours {
    fn new(items: u32, watchers: usize) -> Self {
        let map = IdxMap::new("items");
        let by_group = map.index(|_, item: &Item| [item.group]);
        let _watchers = (0..watchers).map(|_| map.watch()).collect();
        (0..items).for_each(|number| drop(map.put(name(number), item(number))));
        Ours { map, by_group, _watchers, follower: None }
    }

    fn followed(items: u32) -> Self {
        let ours = Ours::new(items, 0);
        Ours { follower: Some(Mutex::new(ours.map.watch())), ..ours }
    }
}

impl Map for Ours {
    fn read(&self, name: &str) -> u64 {
        self.map.get(name).map_or(0, |item| item.number)
    }
    fn write(&self, name: &str, item: Item) {
        let is_time = item.number.is_multiple_of(NOW_AND_THEN);
        self.map.put(name.to_string(), item);
        if let Some(follower) = self.follower.as_ref().filter(|_| is_time) {
            let mut follower = follower.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(event) = follower.try_next() {
                black_box(event);
            }
        }
    }
    fn find(&self, group: u32) -> usize {
        self.by_group.get(&group).iter().map(|(name, item)| name.len() + usize::from(item.number > 0)).sum()
    }
}

struct Dash(DashMap<String, Item>);

impl Map for Dash {
    fn read(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |item| item.number)
    }
    fn write(&self, name: &str, item: Item) {
        self.0.insert(name.to_string(), item);
    }
    /// dashmap has no index.
    fn find(&self, _: u32) -> usize {
        0
    }
}

/// One lock around a map and its index.
struct ByHand(RwLock<Indexed>);

type Indexed = (HashMap<String, Item>, HashMap<u32, HashSet<String>>);

impl Map for ByHand {
    fn read(&self, name: &str) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).0.get(name).map_or(0, |item| item.number)
    }
    fn write(&self, name: &str, item: Item) {
        let (map, index) = &mut *self.0.write().unwrap_or_else(PoisonError::into_inner);
        index.entry(item.group).or_default().insert(name.to_string());
        if let Some(old) = map.insert(name.to_string(), Item { ..item })
            && old.group != item.group
            && let Some(names) = index.get_mut(&old.group)
        {
            names.remove(name);
        }
    }
    fn find(&self, group: u32) -> usize {
        // The results are copied out of the lock, as a caller needs them.
        let (map, index) = &*self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<(String, u64)> = index
            .get(&group)
            .into_iter()
            .flatten()
            .filter_map(|name| map.get(name).map(|item| (name.clone(), item.number)))
            .collect();
        found.iter().map(|(name, number)| name.len() + usize::from(*number > 0)).sum()
    }
}

#[derive(Clone, Copy)]
enum Operation {
    Read,
    Write,
    Find,
}

/// How long this many threads take for their operations.
fn time(map: &dyn Map, operation: Operation, threads: usize, names: &[String]) -> Duration {
    let barrier = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(thread as u64);
                    barrier.wait();
                    for _ in 0..OPERATIONS / threads {
                        let number = random.usize(..names.len());
                        match operation {
                            Operation::Read => drop(black_box(map.read(&names[number]))),
                            Operation::Write => map.write(&names[number], item(number as u32)),
                            Operation::Find => drop(black_box(map.find(number as u32 / OF_ONE))),
                        }
                    }
                })
            })
            .collect();
        barrier.wait();
        let began = Instant::now();
        // A thread that panicked has printed its message.
        workers.into_iter().for_each(|worker| drop(worker.join()));
        began.elapsed()
    })
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let count = |at: usize| args.get(at).and_then(|count| count.parse::<u32>().ok());
    let (rounds, items) = (count(0).unwrap_or(40).max(1), count(1).unwrap_or(1_000_000).max(100));
    let word = args.get(2).map_or("", String::as_str);
    let names: Vec<String> = (0..items).map(name).collect();
    let dash = Dash(DashMap::new());
    let by_hand = ByHand(RwLock::default());
    for number in 0..items {
        dash.write(&names[number as usize], item(number));
        by_hand.write(&names[number as usize], item(number));
    }
    let ours = [0, 1, 100].map(|watchers| Ours::new(items, watchers));
    let [alone, one, hundred] = &ours;
    let followed = &Ours::followed(items);
    println!("{items} items, {rounds} rounds; operations per second, as a ratio: median (tenths below and above)");
    let rows: [(&str, Operation, &dyn Map, &dyn Map); 12] = [
        ("reads: dashmap / dashmap", Operation::Read, &dash, &dash),
        ("reads: idxmap / dashmap", Operation::Read, alone, &dash),
        ("reads: idxmap / by hand", Operation::Read, alone, &by_hand),
        ("reads: idxmap, 100 idle watchers / none", Operation::Read, hundred, alone),
        ("found: idxmap / by hand", Operation::Find, alone, &by_hand),
        ("writes: by hand / by hand", Operation::Write, &by_hand, &by_hand),
        ("writes: idxmap / idxmap", Operation::Write, alone, alone),
        ("writes: idxmap / by hand", Operation::Write, alone, &by_hand),
        ("writes: idxmap / dashmap, which has no index", Operation::Write, alone, &dash),
        ("writes: idxmap, 1 idle watcher / none", Operation::Write, one, alone),
        ("writes: idxmap, 100 idle watchers / 1", Operation::Write, hundred, one),
        ("writes: idxmap, 1 that follows / none", Operation::Write, followed, alone),
    ];
    for (title, operation, map, beside) in rows.into_iter().filter(|(title, ..)| title.contains(word)) {
        for threads in THREADS {
            let ratio = |round: u32| {
                let first = |map| time(map, operation, threads, &names).as_secs_f64();
                // Which one is first alternates, too.
                match round % 2 {
                    0 => 1.0 / (first(map) / first(beside)),
                    _ => first(beside) / first(map),
                }
            };
            let Spread { p10, median, p90 } = Spread::of((0..rounds).map(ratio));
            println!("{title:46} {threads:2} threads  {median:.2} ({p10:.2} to {p90:.2})");
        }
    }
}
