//! The graph of the fault matrices: ten plugins on five levels.

/// Calls `$plugins!` with the ten plugins: for each a type, its number, a field, and its dependencies.
#[macro_export]
macro_rules! with_ten_plugins {
    ($plugins:ident) => {
        $plugins! {
            P0 0 p0 ();
            P1 1 p1 ();
            P2 2 p2 (P0);
            P3 3 p3 (P0, P1);
            P4 4 p4 (P1);
            P5 5 p5 (P2, P3);
            P6 6 p6 (P3, P4);
            P7 7 p7 (P5);
            P8 8 p8 (P5, P6);
            P9 9 p9 (P7, P8);
        }
    };
}

/// The dependencies: each pair is a plugin and one that it depends on.
pub const TEN_EDGES: [(usize, usize); 13] =
    [(2, 0), (3, 0), (3, 1), (4, 1), (5, 2), (5, 3), (6, 3), (6, 4), (7, 5), (8, 5), (8, 6), (9, 7), (9, 8)];

/// The plugins by level, in the graph's order, worked out by hand.
pub const TEN_LEVELS: [&[usize]; 5] = [&[0, 1], &[2, 3, 4], &[5, 6], &[7, 8], &[9]];

/// The level of a plugin; the number of levels if there is no such plugin.
#[must_use]
pub fn level_of_ten(plugin: usize) -> usize {
    TEN_LEVELS.iter().take_while(|level| !level.contains(&plugin)).count()
}
