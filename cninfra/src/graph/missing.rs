//! Finds the plugins and interfaces that a flavor lacks: each once, however many plugins need it. Only used for
//! messages, so a correct flavor pays nothing for it.

use super::{
    DepMeta, Need,
    analyse::{NONE, Work},
    elsewhere::Elsewhere,
    resolve::Provided,
};

/// How many plugins a message names at most beside the first one.
const NAMED: usize = 3;
/// A power of two, large enough for short lists even if a flavor lacks hundreds of things.
const LISTS: usize = 256;

/// A plugin or an interface that is needed but missing.
#[derive(Clone, Copy)]
pub(super) struct Lack {
    id: u64,
    /// The first plugin that needs it, and the index of that dependency.
    spot: u16,
    dep: u16,
    /// The next plugins that need it, and the number of all of them.
    pub(super) others: [u16; NAMED],
    pub(super) count: u16,
    /// Whether a plugin that needs it is in a flavor that reports the error itself.
    is_reported: bool,
    /// The last plugin that was counted, since a plugin may depend on it twice.
    last: u16,
    /// The next entry in the same list.
    next: u16,
}

impl Lack {
    const NO: Lack = Lack {
        id: 0,
        spot: NONE,
        dep: NONE,
        others: [NONE; NAMED],
        count: 0,
        is_reported: false,
        last: NONE,
        next: NONE,
    };
}

/// Everything that is missing in a flavor with at most `E` dependencies.
pub(super) struct Missing<const E: usize> {
    all: [Lack; E],
    count: usize,
    /// The first entry of each list, by the low bits of the ids.
    lists: [u16; LISTS],
}

impl<const E: usize> Missing<E> {
    pub(super) const fn of<const N: usize, const B: usize, const T: usize>(
        work: &Work<N, E, B, T>,
        elsewhere: &Elsewhere<N>,
    ) -> Self {
        let mut missing = Missing { all: [Lack::NO; E], count: 0, lists: [NONE; LISTS] };
        let mut i = 0;
        while i < work.n {
            if work.first[i] as usize == i {
                let deps = work.plugins[i].deps;
                let mut k = 0;
                while k < deps.len() {
                    if is_missing(work, &deps[k]) {
                        let is_reported = elsewhere.is_unknown || elsewhere.inside[i];
                        missing.note(deps[k].key.id, i as u16, k as u16, is_reported);
                    }
                    k += 1;
                }
            }
            i += 1;
        }
        missing
    }

    const fn note(&mut self, id: u64, spot: u16, dep: u16, is_reported: bool) {
        let list = id as usize & (LISTS - 1);
        let at = self.place(id);
        if at == NONE {
            let next = self.lists[list];
            self.all[self.count] = Lack { id, spot, dep, is_reported, last: spot, next, ..Lack::NO };
            self.lists[list] = self.count as u16;
            self.count += 1;
            return;
        }
        let lack = &mut self.all[at as usize];
        lack.is_reported |= is_reported;
        if lack.last != spot {
            lack.last = spot;
            if (lack.count as usize) < NAMED {
                lack.others[lack.count as usize] = spot;
            }
            lack.count += 1;
        }
    }

    /// The index of the entry in `all`, or `NONE`.
    const fn place(&self, id: u64) -> u16 {
        let mut at = self.lists[id as usize & (LISTS - 1)];
        while at != NONE && self.all[at as usize].id != id {
            at = self.all[at as usize].next;
        }
        at
    }

    /// The missing thing, if this is where it is reported: the first dependency on it of the first plugin that needs
    /// it.
    pub(super) const fn reported_at(&self, id: u64, spot: usize, dep: usize) -> Option<&Lack> {
        let at = self.place(id);
        if at == NONE {
            return None;
        }
        let lack = &self.all[at as usize];
        let here = lack.spot as usize == spot && lack.dep as usize == dep && !lack.is_reported;
        if here { Some(lack) } else { None }
    }
}

/// Whether the dependency is required but missing.
const fn is_missing<const N: usize, const E: usize, const B: usize, const T: usize>(
    work: &Work<N, E, B, T>,
    dep: &DepMeta,
) -> bool {
    matches!(dep.need, Need::One) && matches!(work.provided(dep), Provided::No)
}
