//! [`Edges`]: who depends on whom, by name.

use super::Node;
use std::fmt;

/// Pairs of type names: (the plugin, what it depends on), by start order of the plugin. It compares to arrays of pairs.
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
// (Made of the graph's numbers when they are asked for: texts in const data cost the compiler a check each.)
#[derive(Clone, Copy)]
pub struct Edges {
    pub(super) nodes: &'static [Node],
    pub(super) targets: &'static [u16],
}

impl Edges {
    /// The number of edges.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.targets.len()
    }

    /// Does no plugin depend on another?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let Edges { nodes, targets } = *self;
        nodes.iter().flat_map(move |node| {
            let first = usize::from(node.first_edge);
            let mine = &targets[first..first + usize::from(node.edges)];
            mine.iter().map(move |target| (node.name(), nodes[usize::from(*target)].name()))
        })
    }

    /// Does the plugin depend on the other one?
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
