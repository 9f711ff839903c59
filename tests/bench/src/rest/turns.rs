//! Measures servers that take turns, with one client each.

use crate::{
    load::{Figures, Load},
    running::{Kind, Running},
    spread::Spread,
};
use std::{io, iter, ops::Range, path::Path, time::Duration};

/// The number of rounds, the number of connections, and the length of a turn.
#[derive(Clone, Copy)]
pub struct Turns {
    pub rounds: u64,
    pub connections: usize,
    pub turn: Duration,
}

/// The figures of a kind of server: medians, and medians of the ratios to the first kind in the same round.
pub struct Line {
    pub rate: (f64, f64),
    pub p99: (f64, f64),
    pub cpu: (f64, f64),
}

/// After this many rounds all servers are restarted: the memory layout of a process makes it a few percent faster or
/// slower for as long as it lives.
const ROUNDS_EACH: u64 = 10;

/// Measures these kinds of servers; `program` is the path of the benchmark `rest`.
pub fn measure(program: &Path, kinds: &[Kind], turns: Turns) -> io::Result<Vec<Line>> {
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); kinds.len()];
    for begun in (0..turns.rounds).step_by(ROUNDS_EACH as usize) {
        measure_some(program, kinds, turns, begun..turns.rounds.min(begun + ROUNDS_EACH), &mut all)?;
    }
    let line = |figures: &Vec<Figures>| {
        let of = |figure: fn(&Figures) -> f64| {
            let ratios = figures.iter().zip(&all[0]).map(|(ours, bare)| figure(ours) / figure(bare));
            (Spread::of(figures.iter().map(figure)).median, Spread::of(ratios).median)
        };
        Line { rate: of(|f| f.rate), p99: of(|f| f.p99), cpu: of(|f| f.cpu) }
    };
    Ok(all.iter().map(line).collect())
}

/// Measures some of the rounds, with newly started servers.
fn measure_some(
    program: &Path,
    kinds: &[Kind],
    turns: Turns,
    rounds: Range<u64>,
    all: &mut [Vec<Figures>],
) -> io::Result<()> {
    let servers: Vec<Running> =
        kinds.iter().map(|kind| Running::start(program, kind.name)).collect::<Result<_, _>>()?;
    let mut loads: Vec<Load> =
        servers.iter().map(|server| Load::new(server.addr(), turns.connections)).collect::<Result<_, _>>()?;
    // The first round is a warm-up.
    for (round, counts) in iter::once((rounds.start, false)).chain(rounds.map(|round| (round, true))) {
        for at in 0..kinds.len() {
            // The first server rotates.
            let at = (at + round as usize) % kinds.len();
            let before = servers[at].cpu();
            let mut figures = loads[at].run(turns.turn)?;
            figures.cpu = (servers[at].cpu() - before) as f64 / figures.requests;
            if counts {
                all[at].push(figures);
            }
        }
    }
    Ok(())
}

/// The figures as a table.
pub fn table(kinds: &[Kind], turns: Turns, lines: &[Line]) -> String {
    let Turns { rounds, connections, turn } = turns;
    let mut text = format!("{rounds} rounds of {turn:?}, {connections} connections; ratios to the first line\n");
    text += &format!("{:34} {:>10} {:>7} {:>9} {:>7} {:>9} {:>7}\n", "", "requests/s", "", "p99 us", "", "cpu us", "");
    for (kind, Line { rate, p99, cpu }) in kinds.iter().zip(lines) {
        text += &format!(
            "{:34} {:10.0} {:7.3} {:9.0} {:7.3} {:9.2} {:7.3}\n",
            kind.what,
            rate.0,
            rate.1,
            p99.0 / 1000.0,
            p99.1,
            cpu.0 / 1000.0,
            cpu.1
        );
    }
    text
}
