//! Counts what a flavor declares before it is analysed, for the sizes of the analysis.

use super::{Item, Need, Tree, analyse::NONE};

/// Upper bounds, computed from the declarations alone. They are the sizes of the analysis' arrays.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// The declarations of plugins. Those of a shared flavor count each time.
    pub plugins: usize,
    /// The dependencies. A collection counts as all bindings.
    pub edges: usize,
    /// Bindings.
    pub bindings: usize,
    /// The size of the hash tables: a power of two.
    pub table: usize,
}

impl Counts {
    /// Whether they fit in arrays for that many plugins and edges, and for twice as many bindings as plugins.
    pub(super) const fn fits(&self, plugins: usize, edges: usize) -> bool {
        self.plugins <= plugins && self.bindings <= 2 * plugins && self.edges <= edges
    }
}

/// Counts what a flavor declares.
#[doc(hidden)]
#[must_use]
pub const fn counts(tree: &Tree) -> Counts {
    const fn add(tree: &Tree, c: &mut Counts, collections: &mut usize) {
        let mut i = 0;
        while i < tree.fields.len() {
            let field = &tree.fields[i];
            c.bindings += field.provides.len();
            match field.item {
                Item::Flavor(nested) => add(nested, c, collections),
                Item::Plugin(plugin) | Item::Optional(plugin) => {
                    c.plugins += 1;
                    let mut k = 0;
                    while k < plugin.deps.len() {
                        if matches!(plugin.deps[k].need, Need::All) {
                            *collections += 1;
                        } else {
                            c.edges += 1;
                        }
                        k += 1;
                    }
                }
            }
            i += 1;
        }
    }
    let mut c = Counts { plugins: 0, edges: 0, bindings: 0, table: 0 };
    let mut collections = 0;
    add(tree, &mut c, &mut collections);
    c.edges += collections * c.bindings;
    c.table = (2 * (c.plugins + c.bindings) + 1).next_power_of_two();
    let most = NONE as usize;
    if c.plugins >= most || c.edges >= most || c.bindings >= most {
        panic!("CN028: a flavor holds at most 65534 plugins, 65534 edges and 65534 bindings")
    }
    c
}
