//! [`Layout`]: the positions of everything in a drawing, in pixels.

use crate::{
    place::{Wish, placed, room},
    rows::{Edge, Item, Link, Rows},
};
use std::collections::BTreeMap;

/// The size of a plugin's box.
pub(crate) const WIDTH: f64 = 172.0;
pub(crate) const HEIGHT: f64 = 46.0;
/// The space for the levels' names, left of the rows.
pub(crate) const LEVEL_LABELS: f64 = 60.0;
/// The width of a lane, which is an edge's way through a row.
const LANE: f64 = 4.0;
/// The gap between the items of a row; and the additional space on both sides of a plugin.
const GAP: f64 = 8.0;
const BESIDE: f64 = 4.0;
/// The distance between two rows, which grows with the number of edges between them.
const BETWEEN: f64 = 40.0;
/// The margin around the whole drawing.
const PADDING: f64 = 12.0;
/// The number of plugins in a row, unless there are very many.
const IN_A_ROW: usize = 5;
const PLACEMENT_SWEEPS: usize = 8;

/// The positions of everything in a drawing.
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The upper left corner of each plugin, by index.
    pub(crate) nodes: Vec<(f64, f64)>,
    pub(crate) levels: Vec<Band>,
    pub(crate) paths: Vec<Path>,
}

/// The rows of a level.
pub(crate) struct Band {
    pub(crate) level: usize,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// A part of one or several edges, drawn upwards: from one row to the next, or straight through a row.
pub(crate) struct Path {
    pub(crate) from: (f64, f64),
    pub(crate) to: (f64, f64),
    /// Whether it ends at a plugin.
    pub(crate) arrives: bool,
    /// The plugin that it leads to, and the dependents whose edges take this way.
    pub(crate) target: usize,
    pub(crate) sources: Vec<usize>,
    /// The dependency is optional for all of them.
    pub(crate) optional: bool,
}

impl Layout {
    /// `levels` must be in ascending order.
    pub(crate) fn of(levels: &[usize], edges: Vec<Edge>) -> Self {
        // The square root makes a drawing about as high as it is wide.
        let most = IN_A_ROW.max((levels.len() as f64).sqrt() as usize);
        let rows = Rows::of(levels, edges, most);
        let links = rows.links();
        let middles = middles(&rows, &links);
        let middles: Vec<Vec<f64>> = middles
            .into_iter()
            .map(|row| row.into_iter().map(|x| (x + LEVEL_LABELS + PADDING).round()).collect())
            .collect();
        let tops = tops(&rows, &links);
        let mut nodes = vec![(0.0, 0.0); levels.len()];
        let mut right: f64 = 0.0;
        for ((row, middles), top) in rows.rows.iter().zip(&middles).zip(&tops) {
            for (item, x) in row.iter().zip(middles) {
                right = right.max(x + width(item) / 2.0);
                if let Item::Node(node) = item {
                    nodes[*node] = (x - WIDTH / 2.0, *top);
                }
            }
        }
        let paths = paths(&rows, links, &middles, &tops);
        let height = tops.last().map_or(0.0, |top| top + HEIGHT + PADDING);
        Layout { width: right + PADDING, height, nodes, levels: bands(&rows, &tops), paths }
    }
}

fn width(item: &Item) -> f64 {
    match item {
        Item::Node(_) => WIDTH + 2.0 * BESIDE,
        Item::Lane(_) => LANE,
    }
}

/// The middles of the items of each row, near to those of the items they are linked to.
fn middles(rows: &Rows, links: &[Link]) -> Vec<Vec<f64>> {
    let mut linked: Vec<Vec<Vec<(usize, usize)>>> = rows.rows.iter().map(|row| vec![Vec::new(); row.len()]).collect();
    for link in links {
        linked[link.row][link.upper].push((link.row + 1, link.lower));
        linked[link.row + 1][link.lower].push((link.row, link.upper));
    }
    let most = rows.rows.iter().map(|row| room(row.iter().map(width), GAP)).fold(0.0, f64::max);
    let place = |row: &[Item], wanted: &dyn Fn(usize) -> f64| {
        let wishes: Vec<_> =
            row.iter().enumerate().map(|(at, item)| Wish { width: width(item), middle: wanted(at) }).collect();
        placed(&wishes, GAP, most)
    };
    let mut middles: Vec<Vec<f64>> = rows.rows.iter().map(|row| place(row, &|_| most / 2.0)).collect();
    for sweep in 0..PLACEMENT_SWEEPS {
        let order: Vec<usize> =
            if sweep % 2 == 0 { (0..rows.rows.len()).collect() } else { (0..rows.rows.len()).rev().collect() };
        for row in order {
            let wanted = |at: usize| {
                let linked = &linked[row][at];
                if linked.is_empty() {
                    return middles[row][at];
                }
                linked.iter().map(|(row, at)| middles[*row][*at]).sum::<f64>() / linked.len() as f64
            };
            middles[row] = place(&rows.rows[row], &wanted);
        }
    }
    middles
}

/// The upper ends of the rows.
fn tops(rows: &Rows, links: &[Link]) -> Vec<f64> {
    let mut passing = vec![0_usize; rows.rows.len()];
    for link in links {
        passing[link.row] += 1;
    }
    let mut top = PADDING;
    let mut tops = Vec::with_capacity(rows.rows.len());
    for passing in passing {
        tops.push(top);
        top += HEIGHT + BETWEEN + (2.0 * passing as f64).min(40.0);
    }
    tops
}

fn bands(rows: &Rows, tops: &[f64]) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    for (level, top) in rows.levels.iter().zip(tops) {
        let bottom = top + HEIGHT;
        match bands.last_mut().filter(|band| band.level == *level) {
            Some(band) => band.bottom = bottom,
            None => bands.push(Band { level: *level, top: *top, bottom }),
        }
    }
    bands
}

fn paths(rows: &Rows, links: Vec<Link>, middles: &[Vec<f64>], tops: &[f64]) -> Vec<Path> {
    // Edges that begin at the same plugin begin side by side, in the order of their targets.
    let mut begins: Vec<Vec<Vec<usize>>> = rows.rows.iter().map(|row| vec![Vec::new(); row.len()]).collect();
    for link in &links {
        begins[link.row + 1][link.lower].push(link.upper);
    }
    begins.iter_mut().flatten().for_each(|uppers| uppers.sort_unstable());
    let mut paths: Vec<Path> = Vec::with_capacity(2 * links.len());
    // Edges that share a lane go through its row as one path.
    let mut through: BTreeMap<(usize, usize), Path> = BTreeMap::new();
    for Link { row, upper, lower, target, sources, optional } in links {
        let x = middles[row + 1][lower];
        let beside = match rows.rows[row + 1][lower] {
            Item::Node(_) => {
                let uppers = &begins[row + 1][lower];
                let at = uppers.iter().position(|begin| *begin == upper).unwrap_or_default();
                let step = (0.6 * WIDTH / uppers.len() as f64).min(18.0);
                step * (at as f64 - (uppers.len() as f64 - 1.0) / 2.0)
            }
            Item::Lane(_) => 0.0,
        };
        let (from, to) = ((x + beside, tops[row + 1]), (middles[row][upper], tops[row] + HEIGHT));
        let arrives = matches!(rows.rows[row][upper], Item::Node(_));
        if !arrives {
            let straight = through.entry((row, upper)).or_insert_with(|| Path {
                from: to,
                to: (to.0, tops[row]),
                arrives: false,
                target,
                sources: Vec::new(),
                optional: true,
            });
            straight.sources.extend(&sources);
            straight.optional &= optional;
        }
        paths.push(Path { from, to, arrives, target, sources, optional });
    }
    paths.extend(through.into_values());
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A random graph that could be that of a flavor: each plugin depends on some of those before it.
    fn random(count: usize, seed: u64) -> (Vec<usize>, Vec<Edge>) {
        let mut state = seed;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below.max(1)
        };
        let mut levels: Vec<usize> = (0..count).map(|_| random(6)).collect();
        levels.sort_unstable();
        let mut edges = Vec::new();
        for source in 0..count {
            let below = levels.partition_point(|level| *level < levels[source]);
            let mut targets: Vec<usize> = (0..random(4)).filter(|_| below > 0).map(|_| random(below)).collect();
            targets.sort_unstable();
            targets.dedup();
            edges.extend(targets.into_iter().map(|target| Edge { source, target, optional: random(3) == 0 }));
        }
        (levels, edges)
    }

    #[test]
    fn no_plugin_is_over_another_and_none_over_a_way() {
        for seed in 0..60 {
            let (levels, edges) = random(1 + seed as usize * 2, seed);
            let layout = Layout::of(&levels, edges);
            for (i, (x, y)) in layout.nodes.iter().enumerate() {
                assert!(*x >= LEVEL_LABELS && x + WIDTH <= layout.width && y + HEIGHT <= layout.height, "{seed}: {i}");
                for (other_x, other_y) in &layout.nodes[..i] {
                    assert!(
                        (x - other_x).abs() >= WIDTH + GAP + 2.0 * BESIDE - 1.0
                            || (y - other_y).abs() >= HEIGHT + BETWEEN,
                        "{seed}: {i}"
                    );
                }
                // A lane through its row.
                for path in layout.paths.iter().filter(|path| path.to.1 == *y) {
                    assert!(path.to.0 < x - 2.0 || path.to.0 > x + WIDTH + 2.0, "{seed}: {i}");
                }
            }
            for path in layout.paths.iter().filter(|path| path.arrives) {
                let (x, y) = layout.nodes[path.target];
                assert_eq!(path.to, (x + WIDTH / 2.0, y + HEIGHT), "{seed}");
            }
        }
    }

    #[test]
    fn what_needs_one_only_is_below_it() {
        let edge = |source, target| Edge { source, target, optional: false };
        let layout = Layout::of(&[0, 0, 1, 1], vec![edge(2, 1), edge(3, 0)]);
        assert_eq!((layout.nodes[2].0, layout.nodes[3].0), (layout.nodes[1].0, layout.nodes[0].0));
    }

    #[test]
    fn many_plugins_are_laid_out_in_little_time() {
        let (levels, edges) = random(1000, 7);
        let began = std::time::Instant::now();
        let layout = Layout::of(&levels, edges);
        assert!(layout.width < 40_000.0 && began.elapsed().as_secs() < 30, "{} {:?}", layout.width, began.elapsed());
    }
}
