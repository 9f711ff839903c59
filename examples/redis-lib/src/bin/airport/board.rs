//! The board: how many planes are in each part, from a watch of the whole airport.

use crate::field::{ARRIVAL, Airfield, DEPARTURE, HANGAR, RUNWAY};
use cninfra::{
    Error, Result,
    keyval::{Update, WatchOptions},
};
use redis_lib::say;
use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _, Write as _, stdout},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// The parts that are shown, in the order in which a plane passes them.
pub const PARTS: [&str; 4] = [ARRIVAL, RUNWAY, HANGAR, DEPARTURE];

/// Runs until the airport closes. On a terminal it updates one line, otherwise it prints a line for each change.
pub async fn run(field: Airfield) -> Result<()> {
    let mut watch = field.kv.watch(PARTS, WatchOptions::default()).await?.diffed();
    let mut keys = BTreeSet::new();
    let mut last = String::new();
    let mut look = interval(Duration::from_millis(200));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = field.closed() => return Ok(()),
            update = watch.next() => match update {
                Some(Update::Put(entry)) => drop(keys.insert(entry.key)),
                Some(Update::Deleted { key, .. }) => drop(keys.remove(&key)),
                Some(_) => {}
                None => return Err(Error::msg("the watch of the board has ended")),
            },
            _ = look.tick() => {
                let counted = PARTS.map(|part| keys.iter().filter(|key| key.starts_with(part.as_bytes())).count());
                let line = format!("{} | {}", shown(counted), field.counts.shown());
                if line != last {
                    // If nobody reads the output any more, the airport closes.
                    if !print(&line)? {
                        return Ok(());
                    }
                    last = line;
                }
            }
        }
    }
}

/// How many are in each part.
pub fn shown<N: std::fmt::Display>(counted: [N; 4]) -> String {
    let [arrival, runway, hangar, departure] = counted;
    format!("arrival {arrival}, runway {runway}, hangar {hangar}, departure {departure}")
}

/// Returns whether anybody reads.
fn print(line: &str) -> io::Result<bool> {
    let mut out = stdout();
    if out.is_terminal() {
        return write!(out, "\r\x1b[K{line}").and_then(|()| out.flush()).map(|()| true);
    }
    say(line)
}
