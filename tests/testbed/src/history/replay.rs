//! [`rounds`] and [`seed`]: how long a random test runs, and how it is repeated.

use std::{env, str::FromStr};

/// The number of rounds, unless `HISTORY_ROUNDS` is set.
const ROUNDS: usize = 20;

/// How often a test injects each of its faults: `HISTORY_ROUNDS`, or 20.
#[must_use]
pub fn rounds() -> usize {
    of_environment("HISTORY_ROUNDS").unwrap_or(ROUNDS)
}

/// The seed of a test's random numbers, which is printed: `HISTORY_SEED`, or a new one each time.
#[must_use]
pub fn seed() -> u64 {
    let seed = of_environment("HISTORY_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("HISTORY_SEED={seed}");
    seed
}

fn of_environment<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}
