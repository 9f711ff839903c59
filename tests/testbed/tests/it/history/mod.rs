//! Tests of the history checker. A model of a store and a watcher generates correct histories from a seed, and the
//! checker must find each fault that is put into one.

mod convergence;
mod given;
mod model;
mod revisions;

use cninfra_testbed::history::{Fault, Wrong};

/// The number of histories, each from its own seed.
const SEEDS: u64 = 300;

/// Asserts that the fault is found; failures name the seed.
fn assert_found(seed: u64, made: &str, wrong: Option<Wrong>, fault: Fault, event: Option<usize>) {
    let Some(wrong) = wrong else { panic!("seed {seed}: {made}: not found") };
    assert_eq!(wrong.fault, fault, "seed {seed}: {made}: {wrong}");
    assert!(event.is_none() || wrong.event == event, "seed {seed}: {made}: {wrong}, and not event {event:?}");
}
