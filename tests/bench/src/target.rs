//! The targets of the report.

use std::ops::RangeInclusive;

use crate::design::Design;
use crate::record::Row;

/// From this number of plugins on, the cost of an empty program no longer hides that of the wiring.
pub const FROM: usize = 50;

/// Instructions per plugin at the largest size may be this many times those at the smallest.
pub const LINEAR: f64 = 1.1;

/// The maximum of a figure of a design, as a multiple of the baseline's.
pub struct Target {
    /// The name of the figure.
    pub what: &'static str,
    /// The figure.
    pub figure: fn(&Row) -> Option<f64>,
    /// The design.
    pub design: Design,
    /// The numbers of plugins to which it applies.
    pub sizes: RangeInclusive<usize>,
    /// The maximum.
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
