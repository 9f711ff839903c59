//! [`Blocks`]: the times of contestants that take turns, and their ratios.

use rustix::time::{ClockId, clock_gettime};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// The elapsed time, and the CPU time of this process in it.
pub type Taken = (Duration, Duration);

/// The times of contestants in one process, block by block. The others are compared with the first one.
pub struct Blocks {
    /// The number of contestants.
    count: usize,
    /// The times of each block, by contestant.
    taken: Vec<Vec<Taken>>,
}

/// The ratio of one contestant to the first one: the median over all blocks, or all processes, with its 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ratio {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Blocks {
    /// For this number of contestants.
    pub fn of(count: usize) -> Self {
        Blocks { count, taken: Vec::new() }
    }

    /// The order of the contestants in the next block. Each comes first equally often, and follows each of the others
    /// equally often, since work that one leaves behind slows down the next.
    pub fn order(&self) -> Vec<usize> {
        let (count, block) = (self.count, self.taken.len());
        // Alternating from both ends: 0, 3, 1, 2 for four.
        let from_both_ends = |at: usize| if at.is_multiple_of(2) { at / 2 } else { count - at.div_ceil(2) };
        let mut order: Vec<usize> = (0..count).map(|at| (from_both_ends(at) + block) % count).collect();
        // If their number is odd, the reversed orders are needed, too.
        if block / count % 2 == 1 {
            order.reverse();
        }
        order
    }

    /// Adds a block, with the times in the order of the contestants.
    pub fn add(&mut self, taken: Vec<Taken>) {
        self.taken.push(taken);
    }

    /// The ratio of a contestant's time to that of the first one, for each block.
    pub fn times(&self, at: usize) -> impl Iterator<Item = f64> {
        self.ratios(at, |(time, _)| *time)
    }

    /// The same for the CPU time.
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
    /// From the ratios of all blocks, or of all processes. The interval is that of the median by ranks, which holds for
    /// any distribution of the ratios: it is what repeated sampling from them would give.
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

/// The elapsed time and the CPU time of some work.
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
