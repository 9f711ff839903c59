//! The targets that the report judges.

use std::ops::RangeInclusive;

use crate::design::Design;
use crate::record::Row;

/// From this number of plugins up the cost of an empty program no longer hides that of the wiring.
pub const FROM: usize = 50;

/// Instructions per plugin at the greatest size may be this many times those at the smallest.
pub const LINEAR: f64 = 1.1;

/// The most that a figure of a design may be, as a multiple of the baseline's.
pub struct Target {
    /// The name of the figure.
    pub what: &'static str,
    /// The figure.
    pub figure: fn(&Row) -> Option<f64>,
    /// The design.
    pub design: Design,
    /// The numbers of plugins at which it counts.
    pub sizes: RangeInclusive<usize>,
    /// The most that it may be.
    pub most: f64,
}

/// All targets.
pub const TARGETS: [Target; 4] = [
    Target {
        what: "check",
        figure: |row| row.check.map(|instructions| instructions as f64),
        design: Design::Ours,
        sizes: FROM..=usize::MAX,
        most: 1.3,
    },
    Target {
        what: "debug",
        figure: |row| row.debug.map(|instructions| instructions as f64),
        design: Design::Ours,
        sizes: 1..=usize::MAX,
        most: 1.5,
    },
    Target { what: "start+close", figure: |row| row.start_close, design: Design::Ours, sizes: 100..=100, most: 2.0 },
    Target {
        what: "start+close",
        figure: |row| row.start_close,
        design: Design::OursEvents,
        sizes: 100..=100,
        most: 3.0,
    },
];
