//! The analysis of a flavor's declarations, in time O(plugins + edges), in const evaluation: flatten, resolve, find
//! what is wrong. Levels and order: `levels.rs`. The messages: `check.rs`.

use super::{Binding, DepMeta, Field, Item, KeyMeta, Need, Node, PluginMeta, Store, Tree, text};

/// No plugin, no binding.
pub(super) const NONE: u16 = u16::MAX;

/// The bits of an id that its type-level digits have: seven of four bits each. So it is with what is not generic. A generic plugin's
/// digits are its own, then those of its parameters, and its id is mixed of all: equal low bits say nothing of them. They are taken for
/// one identity all the same, which is as unlikely, and has the same mend.
const DIGITS: u64 = (1 << 28) - 1;

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
    let most = NONE as usize;
    if c.plugins >= most || c.edges >= most || c.bindings >= most {
        panic!("CN028: a flavor holds at most 65534 plugins, 65534 edges and 65534 bindings")
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
}

/// A binding, in the list of those of its interface.
#[derive(Clone, Copy)]
struct Bound {
    binding: Binding,
    spot: u16,
    next: u16,
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
///
/// A *spot* is one declaration of a plugin; a flavor reached twice declares its plugins twice. What is known of spots is kept in arrays
/// of their own, and the loops over plugins and dependencies call nothing in the usual case: const evaluation is an interpreter
/// to which calls and copies of structs are dear.
#[doc(hidden)]
pub struct Work<const N: usize, const E: usize, const B: usize, const T: usize> {
    pub(super) tree: &'static Tree,
    pub(super) n: usize,
    e: usize,
    b: usize,
    pub(super) unique: usize,
    pub(super) broken: bool,
    pub(super) plugins: [&'static PluginMeta; N],
    pub(super) fields: [&'static Field; N],
    pub(super) flavors: [&'static KeyMeta; N],
    /// May it be switched off?
    pub(super) optional: [bool; N],
    /// The root's field that brings it in.
    pub(super) top: [u16; N],
    /// The first declaration of this plugin.
    pub(super) first: [u16; N],
    pub(super) fault: [Fault; N],
    /// The other declaration, or the other provider.
    pub(super) other: [u16; N],
    /// Is it the first plugin of a cycle that is reported?
    pub(super) cycle: [bool; N],
    /// The next plugin of that cycle, for each of its plugins.
    pub(super) after: [u16; N],
    pub(super) level: [u16; N],
    /// Where its edges begin and end.
    pub(super) from: [u16; N],
    pub(super) to: [u16; N],
    pub(super) edge: [u16; E],
    bound: [Bound; B],
    /// Hash table: what keys stand for, a plugin or the first binding. An id of 0 is a free row.
    ids: [u64; T],
    plugin: [u16; T],
    binding: [u16; T],
    /// Hash table: spots by their instance names.
    instances: [u16; T],
    /// By place in the start order.
    pub(super) order: [u16; N],
    /// The place of each spot in it.
    pub(super) place: [u16; N],
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
            plugins: [PluginMeta::NONE; N],
            fields: [Field::NONE; N],
            flavors: [KeyMeta::NONE; N],
            optional: [false; N],
            top: [0; N],
            first: [0; N],
            fault: [Fault::None; N],
            other: [NONE; N],
            cycle: [false; N],
            after: [NONE; N],
            level: [0; N],
            from: [0; N],
            to: [0; N],
            edge: [0; E],
            bound: [unbound; B],
            ids: [0; T],
            plugin: [NONE; T],
            binding: [NONE; T],
            instances: [NONE; T],
            order: [0; N],
            place: [0; N],
        };
        work.walk(tree, NONE);
        work.link();
        work.find_levels();
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
        let mut r = (id as usize) & (T - 1);
        while self.ids[r] != id && self.ids[r] != 0 {
            r = (r + 1) & (T - 1);
        }
        r
    }

    /// Every declaration becomes a spot. `top`: the root's field above, none at the root itself.
    const fn walk(&mut self, tree: &'static Tree, top: u16) {
        let mut left = tree.fields;
        let mut place = 0;
        while let [field, rest @ ..] = left {
            left = rest;
            let top = if top == NONE { place } else { top };
            place += 1;
            let plugin = match field.item {
                Item::Plugin(plugin) => plugin,
                Item::Optional(plugin) => {
                    self.optional[self.n] = true;
                    plugin
                }
                Item::Flavor(nested) => {
                    self.walk(nested, top);
                    continue;
                }
            };
            let me = self.n;
            self.n += 1;
            self.plugins[me] = plugin;
            self.fields[me] = field;
            self.flavors[me] = tree.key;
            self.top[me] = top;
            self.first[me] = me as u16;
            let key = plugin.key;
            let mut r = (key.id as usize) & (T - 1);
            while self.ids[r] != key.id && self.ids[r] != 0 {
                // the lookup by type knows the low bits only
                if (self.ids[r] ^ key.id) & DIGITS == 0 && self.plugin[r] != NONE {
                    self.fail(me, Fault::Identity, self.plugin[r]);
                }
                r = (r + 1) & (T - 1);
            }
            if self.plugin[r] != NONE {
                self.again(me, self.plugin[r]);
                continue;
            }
            self.ids[r] = key.id;
            self.plugin[r] = me as u16;
            // instance names are unique in a flavor
            let mut i = (key.instance_id as usize) & (T - 1);
            while self.instances[i] != NONE && !self.clash(me, self.instances[i]) {
                i = (i + 1) & (T - 1);
            }
            if self.instances[i] == NONE {
                self.instances[i] = me as u16;
            }
            if !field.provides.is_empty() {
                self.bind(me, field);
            }
        }
    }

    const fn fail(&mut self, spot: usize, fault: Fault, other: u16) {
        self.fault[spot] = fault;
        self.other[spot] = other;
        self.broken = true;
    }

    /// A spot of an id that has been declared: by the same flavor, reached twice, or by mistake.
    const fn again(&mut self, me: usize, first: u16) {
        self.first[me] = first;
        self.other[me] = first;
        let there = first as usize;
        let (old, new) = (self.plugins[there].key, self.plugins[me].key);
        if !text::same(old.module, new.module) || !text::same(old.name, new.name) {
            self.fail(me, Fault::Identity, first);
        } else if self.flavors[there].id != self.flavors[me].id
            || !text::same(self.fields[there].name, self.fields[me].name)
        {
            self.fail(me, Fault::Duplicate, first);
        }
    }

    /// Have the two one instance name? (If so it is a fault of the second.)
    const fn clash(&mut self, me: usize, other: u16) -> bool {
        let (old, new) = (self.plugins[other as usize].key, self.plugins[me].key);
        let same = old.instance_id == new.instance_id && text::same(old.instance, new.instance);
        if same {
            self.fail(me, Fault::Instance, other);
        }
        same
    }

    const fn bind(&mut self, me: usize, field: &'static Field) {
        let mut left = field.provides;
        while let [binding, rest @ ..] = left {
            left = rest;
            let r = self.row(binding.key.id);
            self.bound[self.b] = Bound { binding: *binding, spot: me as u16, next: NONE };
            self.ids[r] = binding.key.id;
            if self.binding[r] == NONE {
                self.binding[r] = self.b as u16;
            } else {
                let mut last = self.binding[r] as usize;
                if !binding.many && matches!(self.fault[me], Fault::None) {
                    self.fail(me, Fault::Ambiguous, self.bound[last].spot);
                }
                while self.bound[last].next != NONE {
                    last = self.bound[last].next as usize;
                }
                self.bound[last].next = self.b as u16;
            }
            self.b += 1;
        }
    }

    /// Turns dependencies into edges.
    const fn link(&mut self) {
        let mut i = 0;
        while i < self.n {
            self.from[i] = self.e as u16;
            if self.first[i] as usize == i {
                let mut left = self.plugins[i].deps;
                while let [dep, rest @ ..] = left {
                    left = rest;
                    let id = dep.key.id;
                    let mut r = (id as usize) & (T - 1);
                    while self.ids[r] != id && self.ids[r] != 0 {
                        r = (r + 1) & (T - 1);
                    }
                    let provider = self.plugin[r];
                    if provider == NONE {
                        self.link_rest(dep);
                        continue;
                    }
                    if self.optional[provider as usize] {
                        self.broken |= matches!(dep.need, Need::One);
                    }
                    self.edge[self.e] = provider;
                    self.e += 1;
                }
            }
            self.to[i] = self.e as u16;
            i += 1;
        }
    }

    /// A dependency that is no plugin of the flavor: an interface, or missing.
    const fn link_rest(&mut self, dep: &DepMeta) {
        if matches!(dep.need, Need::All) {
            let mut b = self.binding[self.row(dep.key.id)];
            while b != NONE {
                self.put_edge(self.bound[b as usize].spot);
                b = self.bound[b as usize].next;
            }
            return;
        }
        match self.provided(dep) {
            Provided::By(spot) => {
                self.broken |= matches!(dep.need, Need::One) && self.optional[spot as usize];
                self.put_edge(spot);
            }
            Provided::Several(..) => self.broken = true,
            Provided::No => self.broken |= matches!(dep.need, Need::One),
        }
    }

    const fn put_edge(&mut self, target: u16) {
        self.edge[self.e] = target;
        self.e += 1;
    }

    /// Who satisfies a dependency on one plugin or on one provider of an interface.
    pub(super) const fn provided(&self, dep: &DepMeta) -> Provided {
        let r = self.row(dep.key.id);
        if self.plugin[r] != NONE {
            return Provided::By(self.plugin[r]);
        }
        if self.binding[r] == NONE {
            return Provided::No;
        }
        let first = self.bound[self.binding[r] as usize];
        // two providers of a single interface are reported once, at the second of them
        if first.next == NONE || !first.binding.many {
            return Provided::By(first.spot);
        }
        Provided::Several(first.spot, self.bound[first.next as usize].spot)
    }

    /// The interface that this spot and its `other` both provide, as each of them names it.
    pub(super) const fn ambiguous_keys(&self, spot: usize) -> [&'static KeyMeta; 2] {
        let mut left = self.fields[spot].provides;
        while let [binding, rest @ ..] = left {
            left = rest;
            let first = self.binding[self.row(binding.key.id)];
            if first != NONE && !binding.many && self.bound[first as usize].spot == self.other[spot] {
                return [binding.key, self.bound[first as usize].binding.key];
            }
        }
        [KeyMeta::NONE; 2]
    }

    /// The graph's data: in start order, edges renumbered. (Of a broken flavor, what is known: so that what is asserted of it is not
    /// told of beside the mistake itself.)
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
