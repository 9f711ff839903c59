//! Requests per second through the server of `cninfra-rest`, beside axum's own, in one run.
//!
//! ```text
//! cargo run --release -p cninfra-bench --bin rest [-- ROUNDS [CONNECTIONS [MILLISECONDS]]]
//! ```
//!
//! Each server is a process of its own; they take turns, each for so many milliseconds, under a client that keeps so many connections busy.
//! The figures are medians over the rounds, of ratios to bare axum in the same round, so that what else a machine does spoils few of them.
//! CPU is what the server's threads have used for a request. The server in an agent should have 0.98 of bare axum's
//! requests, and 1.05 of its 99th percentile at most; a missed target is a line of the report, and exit code 1.
#![forbid(unsafe_code)]

#[path = "rest/load.rs"]
mod load;
#[path = "rest/servers.rs"]
mod servers;

use load::{Figures, Load};
use servers::{KINDS, Running};
use std::{env, process::ExitCode, time::Duration};

/// The last of the kinds is what users run.
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
    let (rounds, connections, millis) = (number(0, 40), number(1, 32), number(2, 250));
    match measure(rounds, connections as usize, Duration::from_millis(millis)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(rounds: u64, connections: usize, turn: Duration) -> std::io::Result<bool> {
    let servers: Vec<Running> = KINDS.iter().map(|kind| Running::start(kind.name)).collect::<Result<_, _>>()?;
    let mut loads: Vec<Load> =
        servers.iter().map(|server| Load::new(server.addr(), connections)).collect::<Result<_, _>>()?;
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); KINDS.len()];
    for round in 0..=rounds {
        for at in 0..KINDS.len() {
            // who comes first changes
            let at = (at + round as usize) % KINDS.len();
            let before = servers[at].cpu();
            let mut figures = loads[at].run(turn)?;
            figures.cpu = (servers[at].cpu() - before) as f64 / figures.requests;
            // the first round warms up
            if round > 0 {
                all[at].push(figures);
            }
        }
    }
    println!("{rounds} rounds of {turn:?}, {connections} connections; ratios to the first line");
    println!("{:34} {:>10} {:>7} {:>9} {:>7} {:>9} {:>7}", "", "requests/s", "", "p99 us", "", "cpu us", "");
    let mut last = (1.0, 1.0);
    for (kind, figures) in KINDS.iter().zip(&all) {
        let of = |figure: fn(&Figures) -> f64| {
            let ratios = figures.iter().zip(&all[0]).map(|(ours, bare)| figure(ours) / figure(bare));
            (median(figures.iter().map(figure)), median(ratios))
        };
        let (rate, p99, cpu) = (of(|f| f.rate), of(|f| f.p99), of(|f| f.cpu));
        println!(
            "{:34} {:10.0} {:7.3} {:9.0} {:7.3} {:9.2} {:7.3}",
            kind.what,
            rate.0,
            rate.1,
            p99.0 / 1000.0,
            p99.1,
            cpu.0 / 1000.0,
            cpu.1
        );
        last = (rate.1, p99.1);
    }
    let mut kept = true;
    for (what, is_well) in [("requests per second", last.0 >= FEWEST), ("p99", last.1 <= MOST)] {
        if !is_well {
            println!("MISSED: {what}");
            kept = false;
        }
    }
    Ok(kept)
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
