//! The fault matrix: a fault in every step of every plugin, and a stop at every stage, in one process.
//!
//! 687 cells: 300 with an error, a panic or a step that is never ready, and 150 more of these with plugins one by one;
//! 100 with a step that blocks its thread beyond its limit and then returns; 100 with a stop in a step, and 37 with one
//! at a moment of the start. 338 more are separate processes (`tests/fixtures/faulty/tests/ten.rs`) with real signals,
//! exit codes, and steps that never return.
//!
//! The expected results are derived from levels that are written down by hand, without the agent's own code.

mod cell;
mod ten;

use cell::Seen;
use cninfra::{Phase, agent::Order};
use cninfra_testbed::{TEN_LEVELS as LEVELS, level_of_ten as level};
use std::{future::Future, thread, time::Duration};
use ten::{Fault, Script, Spot};

const PHASES: [Phase; 5] = [Phase::Create, Phase::Init, Phase::AfterInit, Phase::Drain, Phase::Close];
/// Steps that are done at once, and steps that wait first.
const PACES: [Option<Duration>; 2] = [None, Some(Duration::from_millis(1))];

/// Every plugin in every phase, at both paces.
fn spots() -> Vec<(Spot, Option<Duration>)> {
    let of_phase = |phase| (0..10).map(move |plugin| (plugin, phase));
    let spots = PHASES.into_iter().flat_map(of_phase);
    spots.flat_map(|spot| PACES.map(|pace| (spot, pace))).collect()
}

/// Runs with a paused clock.
fn paused<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(run)
}

/// Runs with the real clock: blocking takes no time on a paused one.
fn real<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run)
}

/// The plugins up to and including this number of levels.
fn up_to(levels: usize) -> Vec<usize> {
    LEVELS[..levels].concat()
}

const ALL: usize = LEVELS.len();

/// Checks a cell with a fault that ends the start, or despite which the stop continues.
fn check((spot, pace): (Spot, Option<Duration>), fault: Fault, seen: &Seen) {
    let ((plugin, phase), what) = (spot, format!("{fault:?} in {} of P{}, pace {pace:?}", spot.1, spot.0));
    let at = level(plugin);
    seen.holds(&what);
    seen.tells(spot, fault, &what);
    let (created, begun, serving) = match phase {
        Phase::Create => (at + 1, at, 0),
        Phase::Init => (at + 1, at + 1, 0),
        Phase::AfterInit => (ALL, ALL, at + 1),
        _ => (ALL, ALL, ALL),
    };
    assert_eq!(seen.set(Phase::Create), up_to(created), "{what}");
    assert_eq!(seen.set(Phase::Init), up_to(begun), "{what}");
    assert_eq!(seen.set(Phase::AfterInit), up_to(serving), "{what}");
    let stopping = matches!(phase, Phase::Drain | Phase::Close);
    assert_eq!((seen.started, seen.code), (stopping, if stopping { 3 } else { 1 }), "{what}");
}

#[test]
fn every_fault_in_every_step() {
    let mut cells = 0;
    for (spot, pace) in spots() {
        for fault in [Fault::Error, Fault::Panic, Fault::Pending] {
            check((spot, pace), fault, &paused(cell::with(spot, fault, pace)));
            cells += 1;
        }
    }
    println!("{cells} cells");
    assert_eq!(cells, 10 * 5 * 3 * 2);
}

#[test]
fn every_fault_in_every_step_one_by_one() {
    let mut cells = 0;
    let pace = PACES[1];
    for phase in PHASES {
        for plugin in 0..10 {
            for fault in [Fault::Error, Fault::Panic, Fault::Pending] {
                let (spot, what) = ((plugin, phase), format!("{fault:?} in {phase} of P{plugin}, one by one"));
                let seen = paused(cell::with_order(spot, fault, pace, Order::OneByOne));
                seen.holds(&what);
                seen.tells(spot, fault, &what);
                // The graph's order is that of the plugins' numbers.
                let first = |count: usize| (0..count).collect::<Vec<_>>();
                let (created, begun, serving) = match phase {
                    Phase::Create => (plugin + 1, plugin, 0),
                    Phase::Init => (plugin + 1, plugin + 1, 0),
                    Phase::AfterInit => (10, 10, plugin + 1),
                    _ => (10, 10, 10),
                };
                assert_eq!(seen.began(Phase::Create), first(created), "{what}");
                assert_eq!(seen.began(Phase::Init), first(begun), "{what}");
                assert_eq!(seen.began(Phase::AfterInit), first(serving), "{what}");
                let backwards: Vec<_> = first(begun).into_iter().rev().collect();
                assert_eq!(seen.began(Phase::Close), backwards, "{what}");
                cells += 1;
            }
        }
    }
    println!("{cells} cells");
    assert_eq!(cells, 10 * 5 * 3);
}

#[test]
fn every_step_blocks() {
    let spots = spots();
    let share = spots.len().div_ceil(4);
    let cells: usize = thread::scope(|scope| {
        let run = |part: &[(Spot, Option<Duration>)]| {
            for (spot, pace) in part {
                check((*spot, *pace), Fault::Block, &real(cell::with(*spot, Fault::Block, *pace)));
            }
            part.len()
        };
        let threads: Vec<_> = spots.chunks(share).map(|part| scope.spawn(move || run(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    println!("{cells} cells");
    assert_eq!(cells, 10 * 5 * 2);
}

#[test]
fn a_stop_in_every_step() {
    let mut cells = 0;
    for (spot, pace) in spots() {
        let ((plugin, phase), what) = (spot, format!("stop in {} of P{}, pace {pace:?}", spot.1, spot.0));
        let seen = paused(cell::with(spot, Fault::Stop, pace));
        seen.holds(&what);
        seen.others_are_done(spot, &what);
        let stopping = matches!(phase, Phase::Drain | Phase::Close);
        assert_eq!((seen.started, seen.code, seen.errors.len()), (stopping, 0, 0), "{what}: {}", seen.report);
        assert!(stopping || seen.report.starts_with("the start was interrupted after "), "{what}: {}", seen.report);
        let at = level(plugin);
        // On its own level, the plugins up to this one. If all of them wait first, the later ones have begun as well.
        let reached = |whole: bool| {
            let mut reached = up_to(at);
            reached.extend(LEVELS[at].iter().filter(|other| whole || **other <= plugin));
            reached
        };
        let (begun, serving) = match phase {
            Phase::Create => (up_to(at), Vec::new()),
            Phase::Init => (reached(pace.is_some()), Vec::new()),
            Phase::AfterInit => (up_to(ALL), reached(pace.is_some())),
            _ => (up_to(ALL), up_to(ALL)),
        };
        assert_eq!((seen.set(Phase::Init), seen.set(Phase::AfterInit)), (begun, serving), "{what}");
        cells += 1;
    }
    println!("{cells} cells");
    assert_eq!(cells, 10 * 5 * 2);
}

#[test]
fn a_stop_at_every_ten_milliseconds_of_a_start() {
    // The slowest plugin of each level, once for each of the three phases: (2 + 3 + 3 + 3 + 1) times 10 ms.
    const STARTS_IN: u64 = 3 * 120;
    let pace = Some(Duration::from_millis(10));
    let mut cells = 0;
    for millis in (0..=STARTS_IN).step_by(10) {
        let what = format!("stop after {millis} ms");
        let seen = paused(cell::run(Script { pace, ..Script::default() }, |builder| {
            let stop = builder.stop_handle();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                stop.stop();
            });
            builder
        }));
        seen.holds(&what);
        assert_eq!((seen.code, seen.errors.len()), (0, 0), "{what}: {}", seen.report);
        // At the last moment the agent may or may not have started.
        assert!(seen.started == (millis == STARTS_IN) || millis == STARTS_IN, "{what}: {}", seen.report);
        // The levels are created and initialised one after the other, so it is known which have begun.
        let mut begins = 0;
        for (at, level) in LEVELS.iter().enumerate() {
            let longest = level.iter().map(|plugin| 10 * (1 + plugin % 3)).max().unwrap() as u64;
            begins += longest;
            if millis != begins {
                let has_begun = seen.began(Phase::Init).contains(&level[0]);
                assert_eq!(has_begun, millis > begins, "{what}: level {at}");
            }
            begins += longest;
        }
        cells += 1;
    }
    println!("{cells} cells");
    assert_eq!(cells, 37);
}
