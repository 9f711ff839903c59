//! The graph of a flavor: its plugins, their edges, levels and start order, as const data of exact size.
//!
//! A flavor declares a [`Tree`]. Const evaluation flattens it, resolves every dependency, finds all mistakes
//! ([`analyse`](self)), and keeps the result as a [`Graph`]. The same data is used for the compile errors, for the
//! start of the agent, and for drawing the graph.
//!
//! ```
//! use cninfra::prelude::*;
//!
//! #[plugin]
//! struct Store;
//!
//! #[plugin]
//! struct Api {
//!     store: Dep<Store>,
//! }
//!
//! #[derive(Flavor)]
//! struct Phonebook {
//!     api: Dep<Api>,
//!     store: Dep<Store>,
//! }
//!
//! const _: () = assert!(Phonebook::GRAPH.before("Store", "Api"));
//!
//! assert_eq!(Phonebook::GRAPH.names(), ["Store", "Api"]);
//! assert_eq!(Phonebook::GRAPH.edges(), [("Api", "Store")]);
//! assert_eq!(Phonebook::GRAPH.order(), [1, 0]); // the fields' places, in start order
//! assert_eq!(Phonebook::GRAPH.levels().collect::<Vec<_>>(), [["Store"], ["Api"]]);
//! ```

mod analyse;
mod check;
mod counts;
mod draw;
mod edges;
mod elsewhere;
mod instance;
mod levels;
mod meta;
mod missing;
mod names;
#[cfg(test)]
mod oracle;
mod resolve;
mod store;
pub(crate) mod text;
mod unknown;

pub use analyse::Work;
pub(crate) use check::AGENT_FLAGS;
pub use check::Checks;
pub use counts::{Counts, counts};
pub use draw::Format;
pub use edges::Edges;
pub use meta::{Binding, DepMeta, Field, Item, KeyMeta, Need, PluginMeta, Told, Tree};
pub use names::Names;
pub use store::{Sizes, Store};
#[doc(hidden)]
pub use text::{HASH_START, Text, generic_instance, generic_name, hash, mix};

/// One plugin of a flavor's graph.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Node {
    /// What the plugin declares.
    pub plugin: &'static PluginMeta,
    /// The length of the longest path down to a plugin without dependencies. Plugins of one level start together.
    pub level: u16,
    /// Whether it can be switched off in its config section.
    pub optional: bool,
    declared: &'static Field,
    home: &'static KeyMeta,
    /// The plugin's index in the wiring: its place among the declarations, where a shared flavor counts each time.
    pub(crate) index: u16,
    first_edge: u16,
    edges: u16,
}

impl Node {
    const NONE: Node = Node {
        plugin: PluginMeta::NONE,
        declared: Field::NONE,
        home: KeyMeta::NONE,
        level: 0,
        optional: false,
        index: 0,
        first_edge: 0,
        edges: 0,
    };

    /// The plugin's instance name: the name of its config section, logger and status.
    #[must_use]
    pub const fn instance(&self) -> &'static str {
        self.plugin.key.instance
    }

    /// The field that declares it.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.declared.name
    }

    /// The flavor that has that field.
    #[must_use]
    pub const fn flavor(&self) -> &'static KeyMeta {
        self.home
    }

    /// The interfaces it is bound to.
    #[must_use]
    pub const fn provides(&self) -> &'static [Binding] {
        self.declared.provides
    }

    /// The plugin's type name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.plugin.key.name
    }

    /// Both of its names, for display.
    #[must_use]
    pub const fn names(&self) -> Names {
        Names { plugin: self.name(), instance: self.instance() }
    }
}

/// The plugins of a flavor in start order (level by level, and within a level as declared), and the edges between them.
///
/// It is const data: every method that is `const` can be used in a `const _: () = assert!(..)`. For a flavor with a
/// mistake the graph contains what is known, and all questions about names and order are answered with `true`, so that
/// such assertions add no further errors.
#[derive(Debug)]
pub struct Graph {
    nodes: &'static [Node],
    names: &'static [&'static str],
    order: &'static [u16],
    /// The places of the dependencies: the edges of each node follow those of the node before.
    targets: &'static [u16],
    tree: &'static Tree,
    broken: bool,
}

impl Graph {
    /// The flavor's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.tree.key.name
    }

    /// What the flavor declares.
    #[must_use]
    pub const fn tree(&self) -> &'static Tree {
        self.tree
    }

    /// The number of plugins.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the flavor has no plugin at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The plugins, in start order.
    #[must_use]
    pub const fn nodes(&self) -> &'static [Node] {
        self.nodes
    }

    /// The plugins' type names, in start order.
    #[must_use]
    pub const fn names(&self) -> &'static [&'static str] {
        self.names
    }

    /// The start order: for each place in it, the plugin's place among the declarations of the flavor. The declarations
    /// of a nested flavor stand at the place of its field.
    #[must_use]
    pub const fn order(&self) -> &'static [u16] {
        self.order
    }

    /// Pairs of type names (the plugin, its dependency), in the start order of the plugins.
    #[must_use]
    pub const fn edges(&self) -> Edges {
        Edges { nodes: self.nodes, targets: self.targets }
    }

    /// The places, in start order, of the dependencies of the plugin at `place`. There is one for each declared
    /// dependency, in the order of declaration, so that a plugin declared twice is there twice.
    ///
    /// # Panics
    /// The graph has no such place.
    #[must_use]
    pub const fn deps_of(&self, place: usize) -> &'static [u16] {
        let node = &self.nodes[place];
        self.targets.split_at(node.first_edge as usize).1.split_at(node.edges as usize).0
    }

    /// The dependencies of the plugin at `place`, by place, each once even if several fields declare it, and how it is
    /// declared. If any of the fields requires it, that is [`Need::One`].
    ///
    /// # Panics
    /// The graph has no such place.
    pub fn dependencies(&self, place: usize) -> impl Iterator<Item = (usize, Need)> {
        let all = self.deps_of(place);
        let once = all.iter().enumerate().filter(|(k, target)| !all[..*k].contains(target));
        once.map(move |(_, target)| {
            let (target, node) = (usize::from(*target), &self.nodes[usize::from(*target)]);
            let is_it = |key: &KeyMeta| {
                key.id == node.plugin.key.id || node.provides().iter().any(|binding| binding.key.id == key.id)
            };
            let asked = self.nodes[place].plugin.deps.iter().filter(|dep| is_it(dep.key)).map(|dep| dep.need);
            let strongest = asked.reduce(|a, b| match (a, b) {
                (Need::One, _) | (_, Need::One) => Need::One,
                (Need::All, _) | (_, Need::All) => Need::All,
                (Need::Optional, Need::Optional) => Need::Optional,
            });
            (target, strongest.unwrap_or(Need::One))
        })
    }

    /// The number of levels.
    #[must_use]
    pub const fn depth(&self) -> usize {
        match self.nodes.last() {
            Some(last) => last.level as usize + 1,
            None => 0,
        }
    }

    /// The type names of the plugins on level `level`; empty above the highest level.
    #[must_use]
    pub const fn level(&self, level: usize) -> &'static [&'static str] {
        let mut from = 0;
        while from < self.nodes.len() && (self.nodes[from].level as usize) < level {
            from += 1;
        }
        let mut to = from;
        while to < self.nodes.len() && self.nodes[to].level as usize == level {
            to += 1;
        }
        self.names.split_at(to).0.split_at(from).1
    }

    /// The levels, lowest first. The plugins of one level start together, after all of the level below.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = &'static [&'static str]> + use<> {
        let (nodes, names) = (self.nodes, self.names);
        let mut from = 0;
        (0..self.depth()).map(move |level| {
            let count = nodes[from..].iter().take_while(|node| usize::from(node.level) == level).count();
            from += count;
            &names[from - count..from]
        })
    }

    /// The place of a plugin in the start order, by its type name.
    ///
    /// # Panics
    /// The flavor has no plugin, or more than one, of that name (`CN024`). In a const, this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn position(&self, name: &str) -> usize {
        let mut found = None;
        let mut i = 0;
        while i < self.names.len() {
            if text::same(self.names[i], name) {
                if found.is_some() && !self.broken {
                    unknown::fail(self, name, true);
                }
                found = Some(i);
            }
            i += 1;
        }
        match found {
            Some(place) => place,
            // The error itself is reported, so there is no second one that may follow from it.
            None if self.broken => 0,
            None => unknown::fail(self, name, false),
        }
    }

    /// Whether plugin `a` starts before plugin `b` (is on a lower level), and so closes after it.
    ///
    /// # Panics
    /// The flavor has no plugin, or more than one, of one of these names (`CN024`). In a const, this is a compile
    /// error.
    #[must_use]
    #[track_caller]
    pub const fn before(&self, a: &str, b: &str) -> bool {
        self.broken || self.nodes[self.position(a)].level < self.nodes[self.position(b)].level
    }
}
