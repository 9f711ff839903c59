//! [`Operation`]: the operations that contestants run, alone or in turns, and [`Contestant`]: a client or a store that
//! runs them.

use crate::{
    blocks::{Blocks, time},
    processes::{PROCESS, line_of_block},
};
use futures_util::future::try_join_all;
use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};
use tokio::{runtime::Builder, time::sleep};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The numbers of operations in a block.
const ONE_BY_ONE: usize = 40;
const AT_ONCE: usize = 64;
const ROUNDS: usize = 6;
pub const WATCHED: usize = 200;
/// So often in a block, since a longer block depends less on how the threads happen to wake one another.
const WATCHED_ROUNDS: usize = 5;

/// The number of blocks at the beginning of a process that do not count: in them the contestant that was created first
/// is a few percent faster.
const WARM_UP: usize = 20;

/// The contestants. The client is there twice: the second one shows the noise.
pub const NAMES: [&str; 4] = ["raw", "raw", "static", "dyn"];

/// A client or a store, with a prefix of its own, and a watch of the keys below `watched/` there.
pub trait Contestant: Sized {
    async fn put(&self, key: &str, value: &str) -> Result<()>;
    /// Reads a key, which exists.
    async fn get(&self, key: &str) -> Result<()>;
    /// Waits for the watch, and returns the number of changed keys.
    async fn next_reported(&mut self) -> Result<usize>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Put,
    Get,
    PutAtOnce,
    GetAtOnce,
    Watch,
}

impl Operation {
    pub const ALL: [(Operation, &'static str, &'static str); 5] = [
        (Operation::Put, "put", "put"),
        (Operation::Get, "get", "get"),
        (Operation::PutAtOnce, "puts", "put, 64 at once"),
        (Operation::GetAtOnce, "gets", "get, 64 at once"),
        (Operation::Watch, "watch", "watch"),
    ];

    fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|(_, short, _)| *short == name);
        found
            .map(|(operation, ..)| operation)
            .ok_or_else(|| format!("`{name}` is none of put, get, puts, gets, watch").into())
    }

    /// The number of operations in a block.
    fn operations(self) -> usize {
        match self {
            Operation::Put => ONE_BY_ONE,
            Operation::Get => ONE_BY_ONE * 4,
            Operation::PutAtOnce => AT_ONCE * ROUNDS,
            Operation::GetAtOnce => AT_ONCE * ROUNDS * 4,
            Operation::Watch => WATCHED * WATCHED_ROUNDS,
        }
    }

    async fn run(self, contestant: &mut impl Contestant) -> Result<()> {
        let many = || (0..AT_ONCE).map(|number| format!("many/{number}")).collect::<Vec<_>>();
        match self {
            Operation::Put => {
                for number in 0..ONE_BY_ONE {
                    contestant.put(&format!("one/{number}"), "value").await?;
                }
            }
            Operation::Get => {
                for number in 0..ONE_BY_ONE * 4 {
                    contestant.get(&format!("one/{}", number % ONE_BY_ONE)).await?;
                }
            }
            Operation::PutAtOnce => {
                let keys = many();
                for _ in 0..ROUNDS {
                    try_join_all(keys.iter().map(|key| contestant.put(key, "value"))).await?;
                }
            }
            Operation::GetAtOnce => {
                let keys = many();
                for _ in 0..ROUNDS * 4 {
                    try_join_all(keys.iter().map(|key| contestant.get(key))).await?;
                }
            }
            Operation::Watch => {
                for _ in 0..WATCHED_ROUNDS {
                    watched(contestant).await?;
                }
            }
        }
        Ok(())
    }
}

/// Writes watched keys, and waits until the watch has reported all of them.
async fn watched(contestant: &mut impl Contestant) -> Result<()> {
    let keys: Vec<String> = (0..WATCHED).map(|number| format!("watched/{number}")).collect();
    // A new value each time, since not all of them report an unchanged one.
    let value = format!("{:?}", Instant::now());
    for some in keys.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|key| contestant.put(key, &value))).await?;
    }
    let mut reported = 0;
    while reported < WATCHED {
        reported += contestant.next_reported().await?;
    }
    Ok(())
}

/// What the command line requests.
pub enum Task {
    /// One contestant alone, by its name, for this many blocks, on a running server. It uses one thread, or as many as
    /// in turns.
    Alone { name: String, operation: Operation, blocks: usize, at: String, threads: bool },
    /// All contestants in turns, for this many blocks, in this process.
    InTurns(usize, Operation),
    /// The same in several processes, for this many blocks: all operations, or only one.
    Compare(usize, Option<Operation>),
}

impl Task {
    pub fn of_args() -> Result<Self> {
        let args: Vec<String> = env::args().skip(1).collect();
        match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
            ["--alone", name, operation, blocks, at, threads @ ..] if matches!(threads, [] | ["threads"]) => {
                let (operation, blocks, threads) = (Operation::named(operation)?, blocks.parse()?, !threads.is_empty());
                return Ok(Task::Alone { name: name.to_string(), operation, blocks, at: at.to_string(), threads });
            }
            [PROCESS, blocks, operation] => return Ok(Task::InTurns(blocks.parse()?, Operation::named(operation)?)),
            _ => {}
        }
        let operation = args.get(1).map(|name| Operation::named(name)).transpose()?;
        Ok(Task::Compare(args.first().map_or(Ok(1200), |count| count.parse())?, operation))
    }
}

/// With one thread, the counted instructions are only those of the contestant.
pub fn run<T>(threads: bool, run: impl Future<Output = Result<T>>) -> Result<T> {
    let mut builder = if threads { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()?.block_on(run)
}

pub async fn alone(mut contestant: impl Contestant, operation: Operation, blocks: usize) -> Result<()> {
    // A runtime with any timer checks it whenever it sleeps. A store has timers, and so has an agent, whatever client
    // it uses; so here, as in turns, the client alone gets one, too.
    let timer = tokio::spawn(sleep(Duration::from_secs(3600)));
    // So that there are keys to read.
    Operation::Put.run(&mut contestant).await?;
    Operation::PutAtOnce.run(&mut contestant).await?;
    for _ in 0..blocks {
        operation.run(&mut contestant).await?;
    }
    timer.abort();
    println!("{} operations", operation.operations() * blocks);
    Ok(())
}

/// Runs each contestant in turn, and prints each block for the parent process.
pub async fn in_turns(mut contestants: Vec<impl Contestant>, blocks: usize, operation: Operation) -> Result<()> {
    for contestant in &mut contestants {
        // So that there are keys to read.
        Operation::Put.run(contestant).await?;
        Operation::PutAtOnce.run(contestant).await?;
    }
    for _ in 0..WARM_UP {
        for contestant in &mut contestants {
            operation.run(contestant).await?;
        }
    }
    let mut taken = Blocks::of(contestants.len());
    for _ in 0..blocks {
        let mut block = vec![Default::default(); contestants.len()];
        for at in taken.order() {
            block[at] = time(operation.run(&mut contestants[at])).await?;
        }
        println!("{}", line_of_block(&block));
        taken.add(block);
    }
    Ok(())
}
