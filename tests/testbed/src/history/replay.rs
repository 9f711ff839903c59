//! [`rounds`] and [`seed`]: how long a random test goes on, and how it is repeated.

use std::{env, str::FromStr};

/// How often something is broken, unless `HISTORY_ROUNDS` says how often.
const ROUNDS: usize = 20;

/// How often a test breaks something by each of its faults: `HISTORY_ROUNDS`, or 20.
#[must_use]
pub fn rounds() -> usize {
    of_environment("HISTORY_ROUNDS").unwrap_or(ROUNDS)
}

/// The seed of a test's random numbers, which is printed: `HISTORY_SEED`, or another one each time.
#[must_use]
pub fn seed() -> u64 {
    let seed = of_environment("HISTORY_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("HISTORY_SEED={seed}");
    seed
}

fn of_environment<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}
