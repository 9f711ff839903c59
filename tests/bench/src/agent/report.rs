//! Prints the figures, and whether they reach their goals.

use crate::spread::Spread;

/// An upper or lower bound of a figure.
#[derive(Clone, Copy)]
pub enum Bound {
    Most(f64),
    Least(f64),
}

/// A figure that must not exceed, or fall below, a bound.
pub struct Goal {
    pub what: &'static str,
    pub bound: Bound,
    pub figure: f64,
    pub unit: &'static str,
}

impl Goal {
    /// An unknown figure (NaN) misses its goal.
    fn is_reached(&self) -> bool {
        match self.bound {
            Bound::Most(most) => self.figure <= most,
            Bound::Least(least) => self.figure >= least,
        }
    }

    pub fn line(&self) -> String {
        let (word, bound) = match self.bound {
            Bound::Most(most) => ("at most", most),
            Bound::Least(least) => ("at least", least),
        };
        let verdict = if self.is_reached() { "reached" } else { "missed" };
        format!("{:8} {:34} {:6.3}{} ({word} {bound}{})\n", verdict, self.what, self.figure, self.unit, self.unit)
    }
}

/// The lines for one figure of all programs. The others are compared with the first one, round by round.
pub fn line(what: &str, unit: &str, programs: &[(&str, Vec<f64>)]) -> String {
    let mut text = format!("{what}, {unit}\n");
    let Some((_, base)) = programs.first() else { return text };
    for (name, figures) in programs {
        let (all, ratios) = (Spread::of(figures.iter().copied()), ratio(figures, base));
        text += &format!(
            "  {name:14} {:8.3} ({:.3} to {:.3})   {:6.3} ({:.3} to {:.3})\n",
            all.median, all.p10, all.p90, ratios.median, ratios.p10, ratios.p90
        );
    }
    text
}

/// The ratios of two programs' figures, round by round.
pub fn ratio(figures: &[f64], base: &[f64]) -> Spread {
    Spread::of(figures.iter().zip(base).map(|(figure, base)| figure / base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_missed() {
        let line = |bound, figure| Goal { what: "size", bound, figure, unit: " MB" }.line();
        assert!(line(Bound::Most(4.0), 4.0).starts_with("reached"));
        assert!(line(Bound::Most(4.0), 4.1).starts_with("missed"));
        assert!(line(Bound::Least(0.98), 0.99).starts_with("reached"));
        assert!(line(Bound::Least(0.98), 0.97).starts_with("missed"));
        assert!(line(Bound::Most(4.0), f64::NAN).starts_with("missed"));
        assert!(line(Bound::Least(4.0), 3.5).ends_with(" 3.500 MB (at least 4 MB)\n"));
    }

    #[test]
    fn figures_are_compared_within_their_round() {
        let programs = [("bare", vec![1.0, 10.0, 100.0]), ("agent", vec![2.0, 20.0, 100.0])];
        assert_eq!(ratio(&programs[1].1, &programs[0].1).median, 2.0);
        let text = line("start", "ms", &programs);
        assert!(text.contains("bare             10.000 (1.000 to 100.000)    1.000"), "{text}");
        assert!(text.contains("agent            20.000 (2.000 to 100.000)    2.000 (1.000 to 2.000)"), "{text}");
    }
}
