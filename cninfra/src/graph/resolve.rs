//! Resolves dependencies to plugins: bindings are collected while the declarations are walked, then dependencies become
//! edges.

use super::{
    DepMeta, Field, KeyMeta, Need,
    analyse::{Bound, Fault, NONE, Work},
};

/// How a dependency is satisfied.
pub(super) enum Provided {
    No,
    /// By the plugin at this spot.
    By(u16),
    /// By more than one plugin of a collection. These are the first two.
    Several(u16, u16),
}

impl<const N: usize, const E: usize, const B: usize, const T: usize> Work<N, E, B, T> {
    /// The row of a key in the hash table, or the free row where it belongs.
    const fn row(&self, id: u64) -> usize {
        let mut r = (id as usize) & (T - 1);
        while self.ids[r] != id && self.ids[r] != 0 {
            r = (r + 1) & (T - 1);
        }
        r
    }

    /// Adds the bindings of a plugin.
    pub(super) const fn bind(&mut self, me: usize, field: &'static Field) {
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
    pub(super) const fn link(&mut self) {
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

    /// Links a dependency that is not a plugin of the flavor: an interface, or something missing.
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

    /// Finds what satisfies a dependency on one plugin, or on one provider of an interface.
    pub(super) const fn provided(&self, dep: &DepMeta) -> Provided {
        let r = self.row(dep.key.id);
        if self.plugin[r] != NONE {
            return Provided::By(self.plugin[r]);
        }
        if self.binding[r] == NONE {
            return Provided::No;
        }
        let first = self.bound[self.binding[r] as usize];
        // Two providers of a single interface are reported once, at the second one.
        if first.next == NONE || !first.binding.many {
            return Provided::By(first.spot);
        }
        Provided::Several(first.spot, self.bound[first.next as usize].spot)
    }

    /// The interface that this spot and its `other` both provide, as each of them names it.
    pub(super) const fn ambiguous_keys(&self, spot: usize) -> [&'static KeyMeta; 2] {
        let mut found = [KeyMeta::NONE; 2];
        let mut left = self.fields[spot].provides;
        while let [binding, rest @ ..] = left {
            left = rest;
            let first = self.binding[self.row(binding.key.id)];
            if first != NONE
                && !binding.many
                && self.bound[first as usize].spot == self.other[spot]
                && self.bound[first as usize].next != NONE
            {
                found = [binding.key, self.bound[first as usize].binding.key];
                // If one field binds the plugin twice, the first binding is found before the second.
                if self.other[spot] as usize != spot {
                    break;
                }
            }
        }
        found
    }
}
