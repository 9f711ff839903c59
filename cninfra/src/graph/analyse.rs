//! Analyses a flavor's declarations in const evaluation, in time O(plugins + edges). Here are the arrays of the
//! analysis, and the walk that fills them with the declarations. `resolve.rs` resolves dependencies, `levels.rs` finds
//! levels, cycles and the order, `check.rs` writes the messages.

use super::{Binding, Field, Item, KeyMeta, PluginMeta, Told, Tree, text};

/// Stands for no plugin and no binding.
pub(super) const NONE: u16 = u16::MAX;

/// The bits of an id that are also type-level digits: seven digits of four bits. For a key that is not generic, these
/// are the low bits of its id. The digits of a generic plugin are its own, followed by those of its parameters, while
/// its id is mixed from all of them: so equal low bits do not prove equal digits. They are treated as one identity all
/// the same: that is just as unlikely, and is fixed in the same way.
const DIGITS: u64 = (1 << 28) - 1;

/// An error in a declaration by itself. Errors in dependencies are found again when the message is written.
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

/// A binding, linked to the next one of its interface.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub(super) binding: Binding,
    pub(super) spot: u16,
    pub(super) next: u16,
}

/// The analysis, with room for `N` plugins, `E` edges, `B` bindings, and hash tables of `T` rows.
///
/// A *spot* is one declaration of a plugin; a flavor that is reached twice declares its plugins twice. The data about
/// spots is kept in separate arrays, and the loops over plugins and dependencies usually call no function: const
/// evaluation is an interpreter in which calls and copies of structs are expensive.
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
    /// Whether the plugin can be switched off.
    pub(super) optional: [bool; N],
    /// The field of the root flavor through which the plugin is reached.
    pub(super) top: [u16; N],
    /// The first declaration of the same plugin.
    pub(super) first: [u16; N],
    pub(super) fault: [Fault; N],
    /// The other declaration, or the other provider, of the fault.
    pub(super) other: [u16; N],
    /// Whether this is the first plugin of a reported cycle.
    pub(super) cycle: [bool; N],
    /// For each plugin of a reported cycle, the next one.
    pub(super) after: [u16; N],
    pub(super) level: [u16; N],
    /// Where its edges begin and end in `edge`.
    pub(super) from: [u16; N],
    pub(super) to: [u16; N],
    pub(super) edge: [u16; E],
    pub(super) bound: [Bound; B],
    /// Hash table from ids to a plugin or a first binding. An id of 0 marks a free row.
    pub(super) ids: [u64; T],
    pub(super) plugin: [u16; T],
    pub(super) binding: [u16; T],
    /// Hash table of spots by their instance names.
    instances: [u16; T],
    /// The spots in start order.
    pub(super) order: [u16; N],
    /// The place of each spot in the start order.
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

    /// Whether the flavor has no plugin.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of edges.
    #[must_use]
    pub const fn edges(&self) -> usize {
        self.e
    }

    /// Adds a spot for each declaration. `top` is the root's field through which this flavor is reached, `NONE` for the
    /// root itself.
    const fn walk(&mut self, tree: &'static Tree, top: u16) {
        let mut remaining = tree.fields;
        let mut place = 0;
        while let [field, rest @ ..] = remaining {
            remaining = rest;
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
                // The lookup by type uses only the low bits.
                if (self.ids[r] ^ key.id) & DIGITS == 0 && self.plugin[r] != NONE {
                    self.fail(me, Fault::Identity, self.plugin[r]);
                }
                r = (r + 1) & (T - 1);
            }
            if self.plugin[r] != NONE {
                self.redeclare(me, self.plugin[r]);
                continue;
            }
            self.ids[r] = key.id;
            self.plugin[r] = me as u16;
            // Instance names have to be unique in a flavor.
            let mut i = (key.instance_id as usize) & (T - 1);
            while self.instances[i] != NONE && !self.note_clash(me, self.instances[i]) {
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

    /// A spot whose id has been declared before: because a flavor is reached twice, or by mistake.
    const fn redeclare(&mut self, me: usize, first: u16) {
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

    /// Whether the two have the same instance name, which is then a fault of the second.
    const fn note_clash(&mut self, me: usize, other: u16) -> bool {
        let (old, new) = (self.plugins[other as usize].key, self.plugins[me].key);
        let same = old.instance_id == new.instance_id && text::same(old.instance, new.instance);
        if same {
            self.fail(me, Fault::Instance, other);
        }
        same
    }
}
