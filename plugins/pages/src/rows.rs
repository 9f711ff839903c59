//! [`Rows`]: a graph in rows, such that every edge leads from one row to the next. A longer edge has a lane in each row
//! between.

use std::collections::BTreeMap;

/// An item of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Item {
    /// A plugin, by its index.
    Node(usize),
    /// A way through a row to a plugin above it, shared by all of its dependents.
    Lane(usize),
}

/// A part of an edge, between two adjacent rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    /// The row of the upper end, and the indexes of both ends in their rows.
    pub(crate) row: usize,
    pub(crate) upper: usize,
    pub(crate) lower: usize,
    /// The plugin that it leads to.
    pub(crate) target: usize,
    /// The dependents whose edges take this way.
    pub(crate) sources: Vec<usize>,
    /// The dependency is optional for all of them.
    pub(crate) optional: bool,
}

/// A plugin depends on another one, on a lower level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) source: usize,
    pub(crate) target: usize,
    pub(crate) optional: bool,
}

/// A graph in rows.
pub(crate) struct Rows {
    /// The plugins that start first are in the first row.
    pub(crate) rows: Vec<Vec<Item>>,
    /// The level of each row.
    pub(crate) levels: Vec<usize>,
    edges: Vec<Edge>,
    row_of: Vec<usize>,
}

/// How often the order is improved, alternating down and up.
const ORDERING_SWEEPS: usize = 12;

impl Rows {
    /// `levels` must be in ascending order. Each level has as many rows as it needs for at most `most` plugins in a
    /// row.
    pub(crate) fn of(levels: &[usize], edges: Vec<Edge>, most: usize) -> Self {
        let mut rows: Vec<Vec<Item>> = Vec::new();
        let mut row_levels = Vec::new();
        let mut row_of = vec![0; levels.len()];
        for (level, nodes) in by_level(levels) {
            // Plugins with dependents are nearer to these.
            let is_needed = |node: &usize| edges.iter().any(|edge| edge.target == *node);
            let (needed, others): (Vec<_>, Vec<_>) = nodes.partition(is_needed);
            let nodes = [others, needed].concat();
            // The rows of a level have about the same length.
            let length = nodes.len().div_ceil(nodes.len().div_ceil(most));
            for row in nodes.chunks(length) {
                row.iter().for_each(|node| row_of[*node] = rows.len());
                rows.push(row.iter().map(|node| Item::Node(*node)).collect());
                row_levels.push(level);
            }
        }
        let mut this = Rows { rows, levels: row_levels, edges, row_of };
        this.add_lanes();
        this.order();
        this
    }

    fn add_lanes(&mut self) {
        for (target, last) in self.last_rows() {
            for row in self.row_of[target] + 1..last {
                self.rows[row].push(Item::Lane(target));
            }
        }
    }

    /// For each plugin with dependents, the last row that has one of these.
    fn last_rows(&self) -> BTreeMap<usize, usize> {
        let mut last = BTreeMap::new();
        for edge in &self.edges {
            let row: &mut usize = last.entry(edge.target).or_default();
            *row = self.row_of[edge.source].max(*row);
        }
        last
    }

    /// All edges, split into parts from row to row.
    pub(crate) fn links(&self) -> Vec<Link> {
        let places: Vec<BTreeMap<Item, usize>> =
            self.rows.iter().map(|row| row.iter().enumerate().map(|(place, item)| (*item, place)).collect()).collect();
        let mut links: BTreeMap<(usize, Item, Item), Link> = BTreeMap::new();
        for Edge { source, target, optional } in &self.edges {
            let (first, last) = (self.row_of[*target], self.row_of[*source]);
            for row in first..last {
                let upper = if row == first { Item::Node(*target) } else { Item::Lane(*target) };
                let lower = if row + 1 == last { Item::Node(*source) } else { Item::Lane(*target) };
                let link = links.entry((row, upper, lower)).or_insert_with(|| Link {
                    row,
                    upper: places[row][&upper],
                    lower: places[row + 1][&lower],
                    target: *target,
                    sources: Vec::new(),
                    optional: true,
                });
                link.sources.push(*source);
                link.optional &= *optional;
            }
        }
        links.into_values().collect()
    }

    /// Moves each item to the mean position of its neighbours in the row above, then below, and keeps the order with
    /// the fewest crossings.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..ORDERING_SWEEPS {
            if best.0 == 0 {
                break;
            }
            let links = self.neighbours();
            let is_down = sweep % 2 == 0;
            let rows: Vec<usize> =
                if is_down { (1..self.rows.len()).collect() } else { (0..self.rows.len()).rev().skip(1).collect() };
            for row in rows {
                let beside = if is_down { row - 1 } else { row + 1 };
                let mut places = BTreeMap::new();
                places.extend(self.rows[beside].iter().enumerate().map(|(place, item)| (*item, place)));
                let mut keyed: Vec<(f64, Item)> = Vec::with_capacity(self.rows[row].len());
                for (place, item) in self.rows[row].iter().enumerate() {
                    let next = links.get(&(row, *item)).into_iter().flatten();
                    let next: Vec<f64> =
                        next.filter(|(at, _)| *at == beside).map(|(_, item)| places[item] as f64).collect();
                    // An item without neighbours keeps its position.
                    let mean =
                        if next.is_empty() { place as f64 } else { next.iter().sum::<f64>() / next.len() as f64 };
                    keyed.push((mean, *item));
                }
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.rows[row] = keyed.into_iter().map(|(_, item)| item).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    /// For each item, by row, the items it is linked to, with their rows.
    fn neighbours(&self) -> BTreeMap<(usize, Item), Vec<(usize, Item)>> {
        let mut all: BTreeMap<(usize, Item), Vec<(usize, Item)>> = BTreeMap::new();
        for link in self.links() {
            let (upper, lower) =
                ((link.row, self.rows[link.row][link.upper]), (link.row + 1, self.rows[link.row + 1][link.lower]));
            all.entry(upper).or_default().push(lower);
            all.entry(lower).or_default().push(upper);
        }
        all
    }

    /// The number of pairs of links that cross.
    pub(crate) fn crossings(&self) -> usize {
        let mut of_row: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for link in self.links() {
            of_row.entry(link.row).or_default().push((link.upper, link.lower));
        }
        let mut crossings = 0;
        for (row, mut links) in of_row {
            links.sort_unstable();
            // For each position below, how many of the links so far end there: a Fenwick tree.
            let mut seen = vec![0; self.rows[row + 1].len() + 1];
            for (count, (_, lower)) in links.iter().enumerate() {
                let (mut at, mut not_right) = (lower + 1, 0);
                while at > 0 {
                    not_right += seen[at];
                    at &= at - 1;
                }
                crossings += count - not_right;
                let mut at = lower + 1;
                while at < seen.len() {
                    seen[at] += 1;
                    at += at & at.wrapping_neg();
                }
            }
        }
        crossings
    }
}

/// Each level with the indexes of its plugins.
fn by_level(levels: &[usize]) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + '_ {
    let mut from = 0;
    levels.chunk_by(|a, b| a == b).map(move |chunk| {
        let nodes = from..from + chunk.len();
        from = nodes.end;
        (chunk[0], nodes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge((source, target): (usize, usize)) -> Edge {
        Edge { source, target, optional: false }
    }

    #[test]
    fn a_level_has_as_many_rows_as_it_needs() {
        let rows = Rows::of(&[0, 0, 0, 0, 0, 1], vec![edge((5, 0))], 3);
        assert_eq!(rows.levels, [0, 0, 1]);
        assert_eq!(rows.rows.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 1]);
        // A plugin with dependents is next to these.
        assert!(rows.rows[1].contains(&Item::Node(0)));
    }

    #[test]
    fn what_goes_further_has_one_lane_for_all() {
        let edges = [(1, 0), (2, 1), (2, 0), (3, 2), (3, 0)];
        let rows = Rows::of(&[0, 1, 2, 3], edges.map(edge).to_vec(), 5);
        let lanes: Vec<_> = rows.rows.iter().map(|row| row.contains(&Item::Lane(0))).collect();
        assert_eq!(lanes, [false, true, true, false]);
        let first: Vec<_> =
            rows.links().into_iter().filter(|link| link.row == 0).map(|link| (link.target, link.sources)).collect();
        assert_eq!(first, [(0, vec![1]), (0, vec![2, 3])]);
    }

    #[test]
    fn a_link_is_optional_where_all_that_use_it_are() {
        let optional = |source, optional| Edge { source, target: 0, optional };
        let rows = Rows::of(&[0, 1, 1], vec![optional(1, true), optional(2, false)], 5);
        assert_eq!(rows.links().iter().map(|link| link.optional).collect::<Vec<_>>(), [true, false]);
        let rows = Rows::of(&[0, 1, 2, 2], vec![edge((1, 0)), edge((2, 1)), optional(2, true), optional(3, false)], 5);
        let shared = rows.links().into_iter().find(|link| link.row == 0 && link.sources.len() == 2).unwrap();
        assert!(!shared.optional);
    }

    #[test]
    fn crossings_are_counted_and_undone() {
        let crossed = vec![edge((2, 1)), edge((3, 0))];
        let mut rows = Rows::of(&[0, 0, 1, 1], crossed, 5);
        assert_eq!(rows.crossings(), 0);
        rows.rows[0].reverse();
        assert_eq!(rows.crossings(), 1);
        let all: Vec<_> = [(3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2)].map(edge).to_vec();
        assert_eq!(Rows::of(&[0, 0, 0, 1, 1], all, 5).crossings(), 3);
    }
}
