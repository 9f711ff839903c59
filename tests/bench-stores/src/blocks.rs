//! [`Blocks`]: contestants that take turns, and the ratios of what they take.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// What contestants took, block by block. The first one is what the others are compared with.
pub struct Blocks {
    names: Vec<&'static str>,
    /// Of each block the time of each contestant, and what of it this process has computed.
    taken: Vec<Vec<(Duration, Duration)>>,
}

/// The ratio of one contestant to the first one: the median over all blocks, and where that lies with 95 of 100.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ratio {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Blocks {
    pub fn of(names: impl IntoIterator<Item = &'static str>) -> Self {
        Blocks { names: names.into_iter().collect(), taken: Vec::new() }
    }

    /// The order of the contestants in the next block: each comes first as often as the others.
    pub fn order(&self) -> Vec<usize> {
        let count = self.names.len();
        (0..count).map(|at| (at + self.taken.len()) % count).collect()
    }

    /// A block, with what each contestant took, in the order of their names.
    pub fn add(&mut self, taken: Vec<(Duration, Duration)>) {
        self.taken.push(taken);
    }

    /// A line for each contestant but the first.
    pub fn print(&self, what: &str) {
        for (at, name) in self.names.iter().enumerate().skip(1) {
            let of = |part: fn(&(Duration, Duration)) -> Duration| {
                self.taken.iter().map(move |block| part(&block[at]).as_secs_f64() / part(&block[0]).as_secs_f64())
            };
            let Ratio { low, median, high } = Ratio::of(of(|(time, _)| *time));
            let cpu = Ratio::of(of(|(_, cpu)| *cpu)).median;
            println!("{what:24} {name:8} {median:6.3} ({low:.3} to {high:.3})   cpu {cpu:5.2}");
        }
    }
}

impl Ratio {
    /// Of the ratios of all blocks. The interval is that of the median by ranks, whatever the ratios' distribution is.
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
pub async fn time<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<(Duration, Duration), E> {
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
    fn each_comes_first_as_often_and_the_median_is_between_its_bounds() {
        let mut blocks = Blocks::of(["raw", "ours", "dyn"]);
        let mut first = [0; 3];
        for _ in 0..9 {
            first[blocks.order()[0]] += 1;
            blocks.add(vec![(Duration::from_secs(1), Duration::from_secs(1)); 3]);
        }
        assert_eq!(first, [3, 3, 3]);
        let ratio = Ratio::of((0..100).map(f64::from));
        assert_eq!((ratio.low, ratio.median, ratio.high), (40.0, 50.0, 60.0));
        assert!(Ratio::of(std::iter::empty()).median.is_nan());
    }
}
