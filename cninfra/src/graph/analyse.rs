//! The analysis of a flavor's declarations, in time O(plugins + edges), in const evaluation: its arrays, and the walk that fills them with
//! what is declared. Then `resolve.rs`: what dependencies stand for; `levels.rs`: levels, cycles and order. The messages: `check.rs`.

use super::{Binding, Field, Item, KeyMeta, PluginMeta, Told, Tree, text};

/// No plugin, no binding.
pub(super) const NONE: u16 = u16::MAX;

/// The bits of an id that its type-level digits have: seven of four bits each. So it is with what is not generic. A generic plugin's
/// digits are its own, then those of its parameters, and its id is mixed of all: equal low bits say nothing of them. They are taken for
/// one identity all the same, which is as unlikely, and has the same mend.
const DIGITS: u64 = (1 << 28) - 1;

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
pub(super) struct Bound {
    pub(super) binding: Binding,
    pub(super) spot: u16,
    pub(super) next: u16,
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
    pub(super) e: usize,
    pub(super) b: usize,
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
    pub(super) bound: [Bound; B],
    /// Hash table: what keys stand for, a plugin or the first binding. An id of 0 is a free row.
    pub(super) ids: [u64; T],
    pub(super) plugin: [u16; T],
    pub(super) binding: [u16; T],
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
            broken: matches!(tree.told, Told::Already),
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
                    self.broken |= matches!(nested.told, Told::Already);
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

    pub(super) const fn fail(&mut self, spot: usize, fault: Fault, other: u16) {
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
}
