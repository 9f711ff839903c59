//! Requests per second through the server of `cninfra-rest`, compared with axum's own, in one run.
//!
//! ```text
//! cargo run --release -p cninfra-bench --bin rest [-- ROUNDS [CONNECTIONS [MILLISECONDS [KIND,..]]]]
//! ```
//!
//! Each server is a process of its own, which is restarted every ten rounds. They take turns of this many milliseconds,
//! with a client that keeps this many connections busy. The figures are medians over the rounds, of ratios to bare axum
//! in the same round, so that other load on the machine affects few of them. CPU is the time that the server's threads
//! use per request. The server in an agent should reach 0.98 of bare axum's requests, and its 99th percentile should be
//! at most 1.05 of axum's. A missed target is a line of the report, and exit code 1.
#![forbid(unsafe_code)]

#[path = "rest/load.rs"]
mod load;
#[path = "rest/running.rs"]
mod running;
#[path = "rest/servers.rs"]
mod servers;
mod spread;
#[path = "rest/turns.rs"]
mod turns;

use running::{KINDS, Kind};
use std::{env, process::ExitCode, time::Duration};
use turns::Turns;

/// The targets, for the last of the kinds, which is the one that users run.
const FEWEST: f64 = 0.98;
const MOST: f64 = 1.05;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [serve, kind] = &args[..]
        && serve == "serve"
    {
        return servers::serve(kind);
    }
    let number = |at: usize, default: u64| args.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let turn = Duration::from_millis(number(2, 250));
    // The others are compared with the first one.
    let kinds: Vec<Kind> = match args.get(3) {
        Some(names) => names.split(',').filter_map(|name| KINDS.into_iter().find(|kind| kind.name == name)).collect(),
        None => KINDS.to_vec(),
    };
    if args.get(3).is_some_and(|names| names.split(',').count() != kinds.len()) {
        eprintln!("the kinds are {}, parted by commas", KINDS.map(|kind| kind.name).join(", "));
        return ExitCode::FAILURE;
    }
    match measure(&kinds, Turns { rounds: number(0, 40), connections: number(1, 32) as usize, turn }) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(kinds: &[Kind], turns: Turns) -> std::io::Result<bool> {
    let lines = turns::measure(&env::current_exe()?, kinds, turns)?;
    print!("{}", turns::table(kinds, turns, &lines));
    let mut kept = true;
    let (rate, p99) = lines.last().map_or((f64::NAN, f64::NAN), |line| (line.rate.1, line.p99.1));
    for (what, is_well) in [("requests per second", rate >= FEWEST), ("p99", p99 <= MOST)] {
        if !is_well {
            println!("MISSED: {what}");
            kept = false;
        }
    }
    Ok(kept)
}
