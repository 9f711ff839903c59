//! [`Blocks`]: contestants that take turns, and the ratios of what they take.

use rustix::time::{ClockId, clock_gettime};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// The time that something took, and what of it this process has computed.
pub type Taken = (Duration, Duration);

/// What contestants took in one process, block by block. The first one is what the others are compared with.
pub struct Blocks {
    /// How many contestants there are.
    count: usize,
    /// Of each block what each contestant took.
    taken: Vec<Vec<Taken>>,
}

/// The ratio of one contestant to the first one: the median over all that is counted, blocks or processes, and where that lies with 95 of 100.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ratio {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Blocks {
    /// Of so many contestants.
    pub fn of(count: usize) -> Self {
        Blocks { count, taken: Vec::new() }
    }

    /// The order of the contestants in the next block: each comes first as often as the others, and after each of the others as often, since what one leaves to be done is taken by the next.
    pub fn order(&self) -> Vec<usize> {
        let (count, block) = (self.count, self.taken.len());
        // from both ends in turns: 0, 3, 1, 2 of four
        let from_both_ends = |at: usize| if at.is_multiple_of(2) { at / 2 } else { count - at.div_ceil(2) };
        let mut order: Vec<usize> = (0..count).map(|at| (from_both_ends(at) + block) % count).collect();
        // where their number is odd, it takes the same backwards, too
        if block / count % 2 == 1 {
            order.reverse();
        }
        order
    }

    /// A block, with what each contestant took, in their order.
    pub fn add(&mut self, taken: Vec<Taken>) {
        self.taken.push(taken);
    }

    /// Of each block the ratio of a contestant's time to that of the first one.
    pub fn times(&self, at: usize) -> impl Iterator<Item = f64> {
        self.ratios(at, |(time, _)| *time)
    }

    /// The same of what the process has computed.
    pub fn computed(&self, at: usize) -> impl Iterator<Item = f64> {
        self.ratios(at, |(_, cpu)| *cpu)
    }

    fn ratios(&self, at: usize, part: fn(&Taken) -> Duration) -> impl Iterator<Item = f64> {
        self.taken.iter().map(move |block| part(&block[at]).as_secs_f64() / part(&block[0]).as_secs_f64())
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ({:.3} to {:.3})", self.median, self.low, self.high)
    }
}

impl Ratio {
    /// Of the ratios of all blocks, or of all processes. The interval is that of the median by ranks, whatever the ratios' distribution is: what drawing from them again and again would give.
    pub fn of(ratios: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = ratios.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |rank: f64| {
            let last = sorted.len().saturating_sub(1) as f64;
            sorted.get(rank.clamp(0.0, last) as usize).copied().unwrap_or(f64::NAN)
        };
        let (middle, far) = (sorted.len() as f64 / 2.0, 0.98 * (sorted.len() as f64).sqrt());
        Ratio { low: at((middle - far).floor()), median: at(middle.floor()), high: at((middle + far).ceil()) }
    }
}

/// How long something takes, and how much of it this process computes.
pub async fn time<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<Taken, E> {
    let (began, cpu) = (Instant::now(), computed());
    work.await?;
    Ok((began.elapsed(), computed().saturating_sub(cpu)))
}

fn computed() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_first_and_after_each_other_one_as_often_and_the_median_is_between_its_bounds() {
        for count in [4, 3] {
            let mut blocks = Blocks::of(count);
            let (mut first, mut after) = (vec![0; count], vec![0; count * count]);
            for _ in 0..count * 6 {
                let order = blocks.order();
                first[order[0]] += 1;
                order.windows(2).for_each(|pair| after[pair[0] * count + pair[1]] += 1);
                blocks.add(vec![(Duration::from_secs(1), Duration::from_secs(1)); count]);
            }
            assert_eq!(first, vec![6; count]);
            assert!(
                (0..count * count).all(|at| after[at] == if at / count == at % count { 0 } else { 6 }),
                "{after:?}"
            );
        }
        let ratio = Ratio::of((0..100).map(f64::from));
        assert_eq!((ratio.low, ratio.median, ratio.high), (40.0, 50.0, 60.0));
        assert!(Ratio::of(std::iter::empty()).median.is_nan());
    }
}
