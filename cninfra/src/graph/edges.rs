//! [`Edges`]: the dependencies between plugins, by name.

use super::Node;
use std::fmt;

/// Pairs of type names (the plugin, its dependency), in the start order of the plugins. They can be compared with
/// arrays of pairs.
///
/// Two plugins have one edge, even if several fields declare the dependency.
///
/// ```
/// use cninfra::prelude::*;
///
/// #[plugin]
/// struct Store;
///
/// #[plugin]
/// struct Api {
///     store: Dep<Store>,
/// }
///
/// #[derive(Flavor)]
/// struct Phonebook {
///     api: Dep<Api>,
///     store: Dep<Store>,
/// }
///
/// assert_eq!(Phonebook::GRAPH.edges(), [("Api", "Store")]);
/// const _: () = assert!(Phonebook::GRAPH.edges().len() == 1);
/// ```
// Made from the graph's numbers on demand: each text in const data would cost the compiler a check.
#[derive(Clone, Copy)]
pub struct Edges {
    pub(super) nodes: &'static [Node],
    pub(super) targets: &'static [u16],
}

impl Edges {
    /// The number of edges.
    #[must_use]
    pub const fn len(&self) -> usize {
        let (mut count, mut i) = (0, 0);
        while i < self.nodes.len() {
            let first = self.nodes[i].first_edge as usize;
            let mut k = first;
            while k < first + self.nodes[i].edges as usize {
                count += self.is_new(first, k) as usize;
                k += 1;
            }
            i += 1;
        }
        count
    }

    /// Whether this is the first edge of its node to this target.
    const fn is_new(&self, first: usize, edge: usize) -> bool {
        let mut k = first;
        while k < edge {
            if self.targets[k] == self.targets[edge] {
                return false;
            }
            k += 1;
        }
        true
    }

    /// Whether no plugin depends on another.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// All edges.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let this = *self;
        this.nodes.iter().flat_map(move |node| {
            let first = usize::from(node.first_edge);
            let mine = (first..first + usize::from(node.edges)).filter(move |edge| this.is_new(first, *edge));
            mine.map(move |edge| (node.name(), this.nodes[usize::from(this.targets[edge])].name()))
        })
    }

    /// Whether the plugin depends on the other one.
    #[must_use]
    pub fn contains(&self, edge: &(&str, &str)) -> bool {
        self.iter().any(|mine| mine.0 == edge.0 && mine.1 == edge.1)
    }
}

impl fmt::Debug for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<const N: usize> PartialEq<[(&str, &str); N]> for Edges {
    fn eq(&self, other: &[(&str, &str); N]) -> bool {
        self.len() == N && self.iter().zip(other).all(|(mine, (a, b))| mine.0 == *a && mine.1 == *b)
    }
}
