//! The analysis of a flavor's declarations, in time O(plugins + edges), in const evaluation: flatten, resolve, find
//! what is wrong. Levels and order: `levels.rs`. The messages: `check.rs`.

use super::{Binding, DepMeta, Field, Item, KeyMeta, Need, Node, PluginMeta, Store, Tree, text};

/// No plugin, no binding.
pub(super) const NONE: u16 = u16::MAX;

/// Upper bounds, from the declarations alone: they size the arrays of the analysis.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Declarations of plugins, those of a shared flavor counted each time.
    pub plugins: usize,
    /// Dependencies, a collection counted as all bindings.
    pub edges: usize,
    /// Bindings.
    pub bindings: usize,
    /// The size of the hash tables: a power of two.
    pub table: usize,
}

impl Counts {
    /// Do they fit in arrays for so many plugins and edges, and twice as many bindings as plugins?
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
    if c.plugins >= NONE as usize || c.edges >= NONE as usize {
        panic!("CN028: a flavor holds at most 65534 plugins and 65534 edges")
    }
    c
}

/// What is wrong with a declaration by itself. What is wrong with a dependency is found again when it is explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    None,
    /// The same plugin in two fields.
    Duplicate,
    /// Two plugins with one id.
    Identity,
    /// Two plugins with one instance name.
    Instance,
    /// Two plugins bound to a single interface.
    Ambiguous,
    Cycle,
}

/// One declaration of a plugin; a flavor reached twice declares its plugins twice.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) node: Node,
    /// The root's field that brings it in.
    pub(super) top: u16,
    /// The first declaration of this plugin.
    pub(super) first: u16,
    pub(super) fault: Fault,
    /// The other declaration, the other provider, or the next plugin of the cycle.
    pub(super) other: u16,
}

#[derive(Clone, Copy)]
struct Bound {
    binding: Binding,
    spot: u16,
    next: u16,
}

/// What a key stands for: a plugin, or its first binding.
#[derive(Clone, Copy)]
struct Row {
    id: u64,
    plugin: u16,
    binding: u16,
}

/// How a dependency is satisfied.
pub(super) enum Provided {
    No,
    /// By this spot.
    By(u16),
    /// By more than one plugin of a collection, the first two of them.
    Several(u16, u16),
}

/// The analysis, with room for `N` plugins, `E` edges, `B` bindings, and hash tables of `T` rows.
#[doc(hidden)]
pub struct Work<const N: usize, const E: usize, const B: usize, const T: usize> {
    pub(super) tree: &'static Tree,
    pub(super) spots: [Spot; N],
    pub(super) n: usize,
    pub(super) edge: [u16; E],
    pub(super) e: usize,
    bound: [Bound; B],
    b: usize,
    rows: [Row; T],
    /// Spots by the hash of their instance name.
    instances: [u16; T],
    pub(super) order: [u16; N],
    pub(super) unique: usize,
    pub(super) broken: bool,
}

impl<const N: usize, const E: usize, const B: usize, const T: usize> std::fmt::Debug for Work<N, E, B, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").field("flavor", &self.tree.key.name).finish_non_exhaustive()
    }
}

impl<const N: usize, const E: usize, const B: usize, const T: usize> Work<N, E, B, T> {
    /// Analyses a flavor.
    #[must_use]
    pub const fn analyse(tree: &'static Tree) -> Self {
        let unbound = Bound { binding: Binding { key: KeyMeta::NONE, many: false }, spot: NONE, next: NONE };
        let mut work = Work {
            tree,
            n: 0,
            e: 0,
            b: 0,
            unique: 0,
            broken: false,
            spots: [Spot { node: Node::NONE, top: 0, first: 0, fault: Fault::None, other: NONE }; N],
            edge: [0; E],
            bound: [unbound; B],
            rows: [Row { id: 0, plugin: NONE, binding: NONE }; T],
            instances: [NONE; T],
            order: [0; N],
        };
        work.walk(tree, 0, 0);
        work.link();
        work.level();
        work.sort();
        work
    }

    /// The number of plugins.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.unique
    }

    /// Has it no plugin?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of edges.
    #[must_use]
    pub const fn edges(&self) -> usize {
        self.e
    }

    /// The row of a key, or the free row where it belongs.
    const fn row(&self, id: u64) -> usize {
        let mut i = (id as usize) & (T - 1);
        while self.rows[i].id != id && (self.rows[i].plugin != NONE || self.rows[i].binding != NONE) {
            i = (i + 1) & (T - 1);
        }
        i
    }

    const fn walk(&mut self, tree: &'static Tree, depth: usize, outer: u16) {
        let mut i = 0;
        while i < tree.fields.len() {
            let top = if depth == 0 { i as u16 } else { outer };
            let field = &tree.fields[i];
            match field.item {
                Item::Flavor(nested) => self.walk(nested, depth + 1, top),
                Item::Plugin(plugin) => self.declare(tree.key, field, plugin, top, false),
                Item::Optional(plugin) => self.declare(tree.key, field, plugin, top, true),
            }
            i += 1;
        }
    }

    const fn declare(
        &mut self,
        flavor: &'static KeyMeta,
        field: &'static Field,
        plugin: &'static PluginMeta,
        top: u16,
        optional: bool,
    ) {
        let me = self.n as u16;
        let node =
            Node { plugin, field: field.name, flavor, provides: field.provides, optional, index: me, ..Node::NONE };
        let mut spot = Spot { node, top, first: me, fault: Fault::None, other: NONE };
        let r = self.row(plugin.key.id);
        if self.rows[r].plugin == NONE {
            self.rows[r] = Row { id: plugin.key.id, plugin: me, binding: NONE };
            self.name(&mut spot);
            self.bind(&mut spot, field);
        } else {
            spot.first = self.rows[r].plugin;
            spot.other = spot.first;
            let first = &self.spots[spot.first as usize].node;
            if !text::same(first.plugin.key.module, plugin.key.module)
                || !text::same(first.plugin.key.name, plugin.key.name)
            {
                spot.fault = Fault::Identity;
            } else if first.flavor.id != flavor.id || !text::same(first.field, field.name) {
                spot.fault = Fault::Duplicate;
            }
        }
        if !matches!(spot.fault, Fault::None) {
            self.broken = true;
        }
        self.spots[self.n] = spot;
        self.n += 1;
    }

    /// Instance names are unique in a flavor.
    const fn name(&mut self, spot: &mut Spot) {
        let key = spot.node.plugin.key;
        let mut i = (key.instance_id as usize) & (T - 1);
        while self.instances[i] != NONE {
            let other = self.spots[self.instances[i] as usize].node.plugin.key;
            if other.instance_id == key.instance_id && text::same(other.instance, key.instance) {
                spot.fault = Fault::Instance;
                spot.other = self.instances[i];
                return;
            }
            i = (i + 1) & (T - 1);
        }
        self.instances[i] = self.n as u16;
    }

    const fn bind(&mut self, spot: &mut Spot, field: &'static Field) {
        let mut k = 0;
        while k < field.provides.len() {
            let binding = field.provides[k];
            let r = self.row(binding.key.id);
            self.bound[self.b] = Bound { binding, spot: self.n as u16, next: NONE };
            if self.rows[r].binding == NONE {
                self.rows[r] = Row { id: binding.key.id, plugin: NONE, binding: self.b as u16 };
            } else {
                let mut last = self.rows[r].binding as usize;
                if !binding.many && matches!(spot.fault, Fault::None) {
                    spot.fault = Fault::Ambiguous;
                    spot.other = self.bound[last].spot;
                }
                while self.bound[last].next != NONE {
                    last = self.bound[last].next as usize;
                }
                self.bound[last].next = self.b as u16;
            }
            self.b += 1;
            k += 1;
        }
    }

    /// Turns dependencies into edges.
    const fn link(&mut self) {
        let mut i = 0;
        while i < self.n {
            self.spots[i].node.first_edge = self.e as u16;
            if self.spots[i].first as usize == i {
                let deps = self.spots[i].node.plugin.deps;
                let mut k = 0;
                while k < deps.len() {
                    self.link_one(&deps[k]);
                    k += 1;
                }
            }
            self.spots[i].node.edges = self.e as u16 - self.spots[i].node.first_edge;
            i += 1;
        }
    }

    const fn link_one(&mut self, dep: &DepMeta) {
        if matches!(dep.need, Need::All) {
            let mut b = self.rows[self.row(dep.key.id)].binding;
            while b != NONE {
                self.put_edge(self.bound[b as usize].spot);
                b = self.bound[b as usize].next;
            }
            return;
        }
        match self.provided(dep) {
            Provided::By(spot) => {
                if matches!(dep.need, Need::One) && self.spots[spot as usize].node.optional {
                    self.broken = true;
                }
                self.put_edge(spot);
            }
            Provided::Several(..) => self.broken = true,
            Provided::No => {
                if matches!(dep.need, Need::One) {
                    self.broken = true;
                }
            }
        }
    }

    const fn put_edge(&mut self, target: u16) {
        self.edge[self.e] = target;
        self.e += 1;
    }

    /// Who satisfies a dependency on one plugin or on one provider of an interface.
    pub(super) const fn provided(&self, dep: &DepMeta) -> Provided {
        let row = self.rows[self.row(dep.key.id)];
        if row.plugin != NONE {
            return Provided::By(row.plugin);
        }
        if row.binding == NONE {
            return Provided::No;
        }
        let first = self.bound[row.binding as usize];
        // two providers of a single interface are reported once, at the second of them
        if first.next == NONE || !first.binding.many {
            return Provided::By(first.spot);
        }
        Provided::Several(first.spot, self.bound[first.next as usize].spot)
    }

    /// The interface that this spot and its `other` both provide.
    pub(super) const fn ambiguous_key(&self, spot: &Spot) -> &'static KeyMeta {
        let mut k = 0;
        while k < spot.node.provides.len() {
            let key = spot.node.provides[k].key;
            let first = self.rows[self.row(key.id)].binding;
            if first != NONE && !spot.node.provides[k].many && self.bound[first as usize].spot == spot.other {
                return key;
            }
            k += 1;
        }
        KeyMeta::NONE
    }

    /// The graph's data: in start order, edges renumbered. (Of a broken flavor, what is known: so that what is asserted of it is not
    /// told of beside the mistake itself.)
    #[must_use]
    pub const fn store<const M: usize, const F: usize>(&self) -> Store<M, F> {
        let mut store = Store::empty(self.tree, self.broken);
        let mut place = [0u16; N];
        let mut i = 0;
        while i < self.unique {
            place[self.order[i] as usize] = i as u16;
            i += 1;
        }
        i = 0;
        while i < self.unique {
            let node = self.spots[self.order[i] as usize].node;
            store.nodes[i] = Node { first_edge: store.e as u16, ..node };
            store.names[i] = node.plugin.key.name;
            store.order[i] = self.order[i];
            let mut k = 0;
            while k < node.edges {
                let target = self.edge[(node.first_edge + k) as usize] as usize;
                store.targets[store.e] = place[target];
                store.edges[store.e] = (node.plugin.key.name, self.spots[target].node.plugin.key.name);
                store.e += 1;
                k += 1;
            }
            i += 1;
        }
        store.n = self.unique;
        store
    }
}
