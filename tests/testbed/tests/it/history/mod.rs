//! The checker of histories, on histories that a model of a store and a watcher makes of a seed: those are right, and what is made wrong of them is found.

mod convergence;
mod given;
mod model;
mod revisions;

use cninfra_testbed::history::{Fault, Wrong};

/// So many histories, each of its own seed.
const SEEDS: u64 = 300;

/// What is wrong, told with its seed.
fn assert_found(seed: u64, made: &str, wrong: Option<Wrong>, fault: Fault, event: Option<usize>) {
    let Some(wrong) = wrong else { panic!("seed {seed}: {made}: not found") };
    assert_eq!(wrong.fault, fault, "seed {seed}: {made}: {wrong}");
    assert!(event.is_none() || wrong.event == event, "seed {seed}: {made}: {wrong}, and not event {event:?}");
}
