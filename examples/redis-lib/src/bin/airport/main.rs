//! An airport whose modules know nothing of each other. A plane is a key in Redis. It moves on when a watch reports it,
//! or when its key in the hangar expires.
//!
//! ```sh
//! cargo run -p redis-lib --bin airport -- --redis-config examples/redis-lib/node-client.yaml    # until Ctrl-C
//! ```

mod arrival;
mod board;
mod field;
mod flight;
mod gate;
mod hangar;
mod runway;

use board::PARTS;
use cninfra::{Error, Result};
use field::{Airfield, DEPARTURE};
use redis_lib::{arguments, command, connect, logger, say};
use std::sync::Arc;
use tokio::{signal::ctrl_c, sync::watch, task::JoinSet};

const DIAGRAM: &str = r"
    Arrival ----> Runway ----> Hangar
                  ^    |         |  when its time there is over
                  |    v         v
                  |   away   Departure
                  +--------------+
";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = arguments(command("airport", "an airport whose modules meet in Redis alone", "{airport}/"));
    let log = logger(&arguments)?;
    let kv = connect(&arguments).await?;
    // Removes what an interrupted run has left.
    kv.delete_prefix("").await?;
    say(DIAGRAM)?;
    let (close, closing) = watch::channel(false);
    let store = kv.store().clone();
    let field = Airfield { kv, counts: Arc::default(), log, closing };
    let mut modules = JoinSet::new();
    modules.spawn(board::run(field.clone()));
    modules.spawn(hangar::run(field.clone()));
    modules.spawn(runway::run(field.clone()));
    modules.spawn(gate::run(field.clone(), DEPARTURE));
    modules.spawn(arrival::run(field.clone()));
    let ended = tokio::select! {
        stopped = ctrl_c() => stopped.map_err(Error::from),
        Some(ended) = modules.join_next() => ended.map_err(Error::from).flatten(),
    };
    let ended = ended.and(say("\nStop requested ...").map(drop).map_err(Error::from));
    close.send_replace(true);
    // Modules end by themselves, so that no move is interrupted.
    while modules.join_next().await.is_some() {}
    clear(&field).await?;
    store.close().await?;
    ended
}

/// Removes the keys that are left, and prints a summary.
async fn clear(field: &Airfield) -> Result<()> {
    let mut left = [0; 4];
    for (count, part) in left.iter_mut().zip(PARTS) {
        *count = field.kv.delete_prefix(part).await?;
    }
    field.kv.delete_prefix("").await?;
    say(format_args!("Planes: {}", field.counts.shown()))?;
    say(format_args!("Removed {}: {}", left.iter().sum::<u64>(), board::shown(left)))?;
    Ok(())
}
