//! [`What`]: what contestants are asked to do, alone or in turns, and [`Contestant`]: who does it.

use crate::{
    blocks::{Blocks, time},
    processes::{PROCESS, told},
};
use futures_util::future::try_join_all;
use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};
use tokio::{runtime::Builder, time::sleep};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Operations of a block.
const ONE_BY_ONE: usize = 40;
const AT_ONCE: usize = 64;
const ROUNDS: usize = 6;
pub const WATCHED: usize = 200;

/// Blocks at the begin of a process that do not count: in them the contestant that was made first is faster by hundredths.
const WARM_UP: usize = 20;

/// Who takes part. The client comes twice: what the second one gives is the noise.
pub const NAMES: [&str; 4] = ["raw", "raw", "static", "dyn"];

/// A client or a store, with a prefix of its own, and a watch of what is below `watched/` there.
pub trait Contestant: Sized {
    async fn put(&self, key: &str, value: &str) -> Result<()>;
    /// Reads a key, which is there.
    async fn get(&self, key: &str) -> Result<()>;
    /// Waits for the watch, and says of how many keys it has told.
    async fn told(&mut self) -> Result<usize>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    Put,
    Get,
    PutAtOnce,
    GetAtOnce,
    Watch,
}

impl What {
    pub const ALL: [(What, &'static str, &'static str); 5] = [
        (What::Put, "put", "put"),
        (What::Get, "get", "get"),
        (What::PutAtOnce, "puts", "put, 64 at once"),
        (What::GetAtOnce, "gets", "get, 64 at once"),
        (What::Watch, "watch", "watch"),
    ];

    fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|(_, short, _)| *short == name);
        found.map(|(what, ..)| what).ok_or_else(|| format!("`{name}` is none of put, get, puts, gets, watch").into())
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

    async fn run(self, contestant: &mut impl Contestant) -> Result<()> {
        let many = || (0..AT_ONCE).map(|number| format!("many/{number}")).collect::<Vec<_>>();
        match self {
            What::Put => {
                for number in 0..ONE_BY_ONE {
                    contestant.put(&format!("one/{number}"), "value").await?;
                }
            }
            What::Get => {
                for number in 0..ONE_BY_ONE * 4 {
                    contestant.get(&format!("one/{}", number % ONE_BY_ONE)).await?;
                }
            }
            What::PutAtOnce => {
                let keys = many();
                for _ in 0..ROUNDS {
                    try_join_all(keys.iter().map(|key| contestant.put(key, "value"))).await?;
                }
            }
            What::GetAtOnce => {
                let keys = many();
                for _ in 0..ROUNDS * 4 {
                    try_join_all(keys.iter().map(|key| contestant.get(key))).await?;
                }
            }
            What::Watch => watched(contestant).await?,
        }
        Ok(())
    }
}

/// Writes keys that are watched, and waits until all of them have been told.
async fn watched(contestant: &mut impl Contestant) -> Result<()> {
    let keys: Vec<String> = (0..WATCHED).map(|number| format!("watched/{number}")).collect();
    // another one each time, since what is as it was is not told by all
    let value = format!("{:?}", Instant::now());
    for some in keys.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|key| contestant.put(key, &value))).await?;
    }
    let mut told = 0;
    while told < WATCHED {
        told += contestant.told().await?;
    }
    Ok(())
}

/// What is asked of the program.
pub enum Task {
    /// One contestant alone, by its name, for so many blocks, on the server that is there.
    /// It is on one thread, or on as many as where they take turns.
    Alone { name: String, what: What, blocks: usize, at: String, threads: bool },
    /// All in turns, for so many blocks, in this process.
    InTurns(usize, What),
    /// The same in several processes, for so many blocks: all that is asked of them, or one of it.
    Compare(usize, Option<What>),
}

impl Task {
    pub fn of_args() -> Result<Self> {
        let args: Vec<String> = env::args().skip(1).collect();
        match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
            ["--alone", name, what, blocks, at, threads @ ..] if matches!(threads, [] | ["threads"]) => {
                let (what, blocks, threads) = (What::named(what)?, blocks.parse()?, !threads.is_empty());
                return Ok(Task::Alone { name: name.to_string(), what, blocks, at: at.to_string(), threads });
            }
            [PROCESS, blocks, what] => return Ok(Task::InTurns(blocks.parse()?, What::named(what)?)),
            _ => {}
        }
        let what = args.get(1).map(|name| What::named(name)).transpose()?;
        Ok(Task::Compare(args.first().map_or(Ok(1200), |count| count.parse())?, what))
    }
}

/// On one thread the instructions are those of the contestant alone.
pub fn run<T>(threads: bool, run: impl Future<Output = Result<T>>) -> Result<T> {
    let mut builder = if threads { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()?.block_on(run)
}

pub async fn alone(mut contestant: impl Contestant, what: What, blocks: usize) -> Result<()> {
    // a runtime in which there is any timer looks at it whenever it sleeps. A store has some, and so has an agent, whatever client it has: as where they take turns, the client alone is no exception
    let timer = tokio::spawn(sleep(Duration::from_secs(3600)));
    // there is something to be read
    What::Put.run(&mut contestant).await?;
    What::PutAtOnce.run(&mut contestant).await?;
    for _ in 0..blocks {
        what.run(&mut contestant).await?;
    }
    timer.abort();
    println!("{} operations", what.operations() * blocks);
    Ok(())
}

/// Has each do it in turns, and tells the process that has asked for it of each block.
pub async fn in_turns(mut contestants: Vec<impl Contestant>, blocks: usize, what: What) -> Result<()> {
    for contestant in &mut contestants {
        // there is something to be read
        What::Put.run(contestant).await?;
        What::PutAtOnce.run(contestant).await?;
    }
    for _ in 0..WARM_UP {
        for contestant in &mut contestants {
            what.run(contestant).await?;
        }
    }
    let mut taken = Blocks::of(contestants.len());
    for _ in 0..blocks {
        let mut block = vec![Default::default(); contestants.len()];
        for at in taken.order() {
            block[at] = time(what.run(&mut contestants[at])).await?;
        }
        println!("{}", told(&block));
        taken.add(block);
    }
    Ok(())
}
