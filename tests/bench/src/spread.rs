//! [`Spread`]: the median and the outer tenths of many figures.

/// The median of many figures, and the bounds of the outer tenths.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    pub p10: f64,
    pub median: f64,
    pub p90: f64,
}

impl Spread {
    /// NaN if there are no figures.
    pub fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |tenths: usize| sorted.get(sorted.len() * tenths / 10).copied().unwrap_or(f64::NAN);
        Spread { p10: at(1), median: at(5), p90: at(9) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_figures_does_not_matter() {
        let spread = Spread::of([9, 3, 7, 1, 5, 4, 6, 2, 8, 0].into_iter().map(f64::from));
        assert_eq!(spread, Spread { p10: 1.0, median: 5.0, p90: 9.0 });
        assert_eq!(Spread::of([3.0, 1.0, 2.0].into_iter()), Spread { p10: 1.0, median: 2.0, p90: 3.0 });
        assert!(Spread::of(std::iter::empty()).median.is_nan());
    }
}
