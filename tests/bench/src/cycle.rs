//! Measures the time of one start and close, which the generated programs print.

use std::path::Path;
use std::process::Command;

use crate::error::{During, Error, Result};

/// What one run of a generated program printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    /// The time of one start and close.
    pub microseconds: f64,
    /// The number that the last plugin computed.
    pub value: u64,
}

/// Runs a generated program.
pub fn run(binary: &Path) -> Result<Cycle> {
    let output = Command::new(binary).output().during(|| format!("running {}", binary.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("{} failed, {}: {error}", binary.display(), output.status)));
    }
    parsed(&text).ok_or_else(|| Error::new(format!("{} printed no time: {text}", binary.display())))
}

/// Reads `12.34µs per start+close, v=56`.
fn parsed(line: &str) -> Option<Cycle> {
    let (time, value) = line.trim().split_once(" per start+close, v=")?;
    let unit = time.find(|c: char| c.is_alphabetic())?;
    let factor = match &time[unit..] {
        "ns" => 1e-3,
        "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    let number: f64 = time[..unit].parse().ok()?;
    Some(Cycle { microseconds: number * factor, value: value.parse().ok()? })
}

/// The median of `times`, which must not be empty.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::{Cycle, median, parsed};

    #[test]
    fn times_are_read_in_any_unit() {
        let cycle = |microseconds| Some(Cycle { microseconds, value: 7 });
        assert_eq!(parsed("12.5µs per start+close, v=7\n"), cycle(12.5));
        assert_eq!(parsed("500ns per start+close, v=7"), cycle(0.5));
        assert_eq!(parsed("1.5ms per start+close, v=7"), cycle(1500.0));
        assert_eq!(parsed("nothing"), None);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
