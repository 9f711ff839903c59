//! [`compare`]: measures contestants in several processes, one after the other.
//!
//! The memory layout of a process, and which thread wakes which, make one contestant a few percent faster or slower for
//! as long as the process lives. So the blocks of one process, however many, only describe this process; the medians of
//! several processes are needed for a general statement.

use crate::{
    blocks::{Blocks, Ratio, Taken},
    work::{NAMES, Operation, Result},
};
use std::{env, process::Command, time::Duration};

/// The number of blocks of one process, in which each contestant follows each other one equally often.
const BLOCKS_EACH: usize = 60;

/// The argument that runs this program as such a process, with a server of its own, for this many blocks.
pub const PROCESS: &str = "--process";

/// Runs the processes one after the other, and prints the ratio of each contestant to the first one: over all blocks,
/// and over the processes.
pub fn compare(blocks: usize, only: Option<Operation>) -> Result<()> {
    let processes = blocks.div_ceil(BLOCKS_EACH).max(1);
    let names = || Operation::ALL.into_iter().filter(|(operation, ..)| only.is_none_or(|only| only == *operation));
    let mut all: Vec<Vec<Blocks>> = names().map(|_| Vec::new()).collect();
    for _ in 0..processes {
        for (taken, (_, short, _)) in all.iter_mut().zip(names()) {
            taken.push(measured(short)?);
        }
    }
    println!(
        "time by the client's: the median of {} blocks (95 % interval), and that of the medians of {processes} processes (95 % interval; least to most)\n",
        processes * BLOCKS_EACH
    );
    for (taken, (.., name)) in all.iter().zip(names()) {
        print(name, taken);
    }
    Ok(())
}

/// The blocks of one process.
fn measured(operation: &str) -> Result<Blocks> {
    let done = Command::new(env::current_exe()?).args([PROCESS, &BLOCKS_EACH.to_string(), operation]).output()?;
    let (said, wrong) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let mut blocks = Blocks::of(NAMES.len());
    for line in said.lines() {
        blocks.add(parsed(line).ok_or_else(|| format!("a process says `{line}` {wrong}"))?);
    }
    match said.lines().count() {
        BLOCKS_EACH if done.status.success() => Ok(blocks),
        count => Err(format!("a process has ended after {count} blocks ({}): {wrong}", done.status).into()),
    }
}

/// A block as a line, which the process prints for its parent.
pub fn line_of_block(block: &[Taken]) -> String {
    block.iter().map(|(time, cpu)| format!("{} {}", time.as_nanos(), cpu.as_nanos())).collect::<Vec<_>>().join(" ")
}

fn parsed(line: &str) -> Option<Vec<Taken>> {
    let nanos: Vec<Duration> = line
        .split(' ')
        .map(|word| word.parse().map(Duration::from_nanos))
        .collect::<std::result::Result<_, _>>()
        .ok()?;
    let block: Vec<Taken> = nanos.chunks_exact(2).map(|taken| (taken[0], taken[1])).collect();
    (block.len() == NAMES.len() && nanos.len() == 2 * NAMES.len()).then_some(block)
}

/// Prints a line for each contestant except the first.
fn print(operation: &str, processes: &[Blocks]) {
    for (at, name) in NAMES.iter().enumerate().skip(1) {
        let of_blocks = Ratio::of(processes.iter().flat_map(|blocks| blocks.times(at)));
        let cpu = Ratio::of(processes.iter().flat_map(|blocks| blocks.computed(at))).median;
        let medians: Vec<f64> = processes.iter().map(|blocks| Ratio::of(blocks.times(at)).median).collect();
        let (least, most) =
            medians.iter().fold((f64::NAN, f64::NAN), |(least, most), of| (of.min(least), of.max(most)));
        println!(
            "{operation:16} {name:7} blocks {of_blocks}   processes {} {least:.3} to {most:.3}   cpu {cpu:5.2}",
            Ratio::of(medians.into_iter())
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_understands_the_other() {
        let block: Vec<Taken> =
            (1..=NAMES.len() as u64).map(|at| (Duration::from_micros(at), Duration::from_nanos(at))).collect();
        assert_eq!(parsed(&line_of_block(&block)), Some(block.clone()));
        assert_eq!((parsed(&line_of_block(&block[1..])), parsed("1 2 3"), parsed("")), (None, None, None));
    }
}
