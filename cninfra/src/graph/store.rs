//! Stores the graph's data: in arrays of exact size for a concrete flavor, and of one of three sizes for a generic one.

use super::{Counts, Graph, Node, Tree, Work, counts};
use std::marker::PhantomData;

/// The data of a graph with up to `N` plugins and `E` edges.
#[doc(hidden)]
#[derive(Debug)]
pub struct Store<const N: usize, const E: usize> {
    pub(super) nodes: [Node; N],
    pub(super) names: [&'static str; N],
    pub(super) order: [u16; N],
    pub(super) targets: [u16; E],
    pub(super) tree: &'static Tree,
    pub(super) broken: bool,
    /// How much of the arrays is used.
    pub(super) n: usize,
    pub(super) e: usize,
}

impl<const N: usize, const E: usize> Store<N, E> {
    pub(super) const fn empty(tree: &'static Tree, broken: bool) -> Self {
        Store { nodes: [Node::NONE; N], names: [""; N], order: [0; N], targets: [0; E], tree, broken, n: 0, e: 0 }
    }

    /// The graph, without the unused tails of the arrays.
    #[must_use]
    pub const fn graph(&'static self) -> Graph {
        Graph {
            nodes: self.nodes.split_at(self.n).0,
            names: self.names.split_at(self.n).0,
            order: self.order.split_at(self.n).0,
            targets: self.targets.split_at(self.e).0,
            tree: self.tree,
            broken: self.broken,
        }
    }
}

impl<const N: usize, const E: usize, const B: usize, const T: usize> Work<N, E, B, T> {
    /// The graph's data in start order, with renumbered edges. For a broken flavor it contains what is known, so that
    /// assertions about it add no errors to the one that is reported.
    #[must_use]
    pub const fn store(&self) -> Store<N, E> {
        let mut store = Store::empty(self.tree, self.broken);
        let mut i = 0;
        let mut e = 0;
        while i < self.unique {
            let spot = self.order[i] as usize;
            let first_edge = e as u16;
            let mut k = self.from[spot] as usize;
            let to = self.to[spot] as usize;
            while k < to {
                store.targets[e] = self.place[self.edge[k] as usize];
                e += 1;
                k += 1;
            }
            store.nodes[i] = Node {
                plugin: self.plugins[spot],
                declared: self.fields[spot],
                home: self.flavors[spot],
                level: self.level[spot],
                optional: self.optional[spot],
                index: spot as u16,
                first_edge,
                edges: e as u16 - first_edge,
            };
            store.names[i] = self.plugins[spot].key.name;
            i += 1;
        }
        store.order = self.order;
        store.n = self.unique;
        store.e = e;
        store
    }
}

/// The graph of a concrete flavor, by its tree and its counts.
///
/// The compiler checks the value of every const, and all that it refers to, each time it is used. So the analysis is
/// not a const, and its result is a static, which these checks do not enter.
#[doc(hidden)]
#[macro_export]
macro_rules! __graph {
    ($tree:expr, $counts:ident) => {{
        static STORE: $crate::graph::Store<{ $counts.plugins }, { $counts.edges }> = {
            // A local variable: otherwise it would be a constant of its own.
            type Work =
                $crate::graph::Work<{ $counts.plugins }, { $counts.edges }, { $counts.bindings }, { $counts.table }>;
            let work = Work::analyse($tree);
            work.store()
        };
        &STORE.graph()
    }};
}

/// The maximum number of plugins and edges of a generic flavor.
pub(super) const LARGEST: (usize, usize) = (1024, 8192);

/// The graph of a generic flavor. The size of an array cannot depend on a type parameter, so the smallest of three
/// sizes is used.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sizes<F>(PhantomData<F>);

impl<F: crate::inject::Nested> Sizes<F> {
    const COUNTS: Counts = counts(F::TREE);
    const IS_SMALL: bool = Self::COUNTS.fits(32, 160);
    const IS_MEDIUM: bool = !Self::IS_SMALL && Self::COUNTS.fits(128, 640);
    const SMALL: Store<32, 160> =
        if Self::IS_SMALL { Work::<32, 160, 64, 128>::analyse(F::TREE).store() } else { Store::empty(F::TREE, false) };
    const MEDIUM: Store<128, 640> = if Self::IS_MEDIUM {
        Work::<128, 640, 256, 512>::analyse(F::TREE).store()
    } else {
        Store::empty(F::TREE, false)
    };
    const LARGE: Store<{ LARGEST.0 }, { LARGEST.1 }> = if Self::IS_SMALL || Self::IS_MEDIUM {
        Store::empty(F::TREE, false)
    } else if Self::COUNTS.fits(LARGEST.0, LARGEST.1) {
        Work::<{ LARGEST.0 }, { LARGEST.1 }, 2048, 4096>::analyse(F::TREE).store()
    } else {
        // Reported by `Graph::check`, at the place where the graph is used.
        Store::empty(F::TREE, true)
    };

    /// The graph.
    pub const GRAPH: &'static Graph = if Self::IS_SMALL {
        &Self::SMALL.graph()
    } else if Self::IS_MEDIUM {
        &Self::MEDIUM.graph()
    } else {
        &Self::LARGE.graph()
    };
}
