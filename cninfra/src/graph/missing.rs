//! What a flavor lacks: each thing once, however many plugins need it. For the messages only, so a flavor that is right pays nothing for it.

use super::{
    DepMeta, Need,
    analyse::{NONE, Work},
    elsewhere::Elsewhere,
    resolve::Provided,
};

/// The most users that a message names beside the first one.
const NAMED: usize = 3;
/// A power of two: the lists of a flavor that lacks hundreds of things stay short.
const LISTS: usize = 256;

/// A plugin or an interface that is needed and not there.
#[derive(Clone, Copy)]
pub(super) struct Lack {
    id: u64,
    /// The first plugin that needs it, and which of its dependencies that is.
    spot: u16,
    dep: u16,
    /// The next ones, and how many they are in all.
    pub(super) others: [u16; NAMED],
    pub(super) count: u16,
    /// A plugin that needs it is in a flavor that tells of it.
    is_told: bool,
    /// The latest plugin that was seen to need it: one may ask for it twice.
    last: u16,
    /// The next one in the list.
    next: u16,
}

impl Lack {
    const NO: Lack =
        Lack { id: 0, spot: NONE, dep: NONE, others: [NONE; NAMED], count: 0, is_told: false, last: NONE, next: NONE };
}

/// All that is missing, of a flavor of at most `E` dependencies.
pub(super) struct Missing<const E: usize> {
    all: [Lack; E],
    count: usize,
    /// By the low bits of the ids: the first of each list.
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
                        let is_told = elsewhere.is_unknown || elsewhere.inside[i];
                        missing.note(deps[k].key.id, i as u16, k as u16, is_told);
                    }
                    k += 1;
                }
            }
            i += 1;
        }
        missing
    }

    const fn note(&mut self, id: u64, spot: u16, dep: u16, is_told: bool) {
        let list = id as usize & (LISTS - 1);
        let at = self.place(id);
        if at == NONE {
            let next = self.lists[list];
            self.all[self.count] = Lack { id, spot, dep, is_told, last: spot, next, ..Lack::NO };
            self.lists[list] = self.count as u16;
            self.count += 1;
            return;
        }
        let lack = &mut self.all[at as usize];
        lack.is_told |= is_told;
        if lack.last != spot {
            lack.last = spot;
            if (lack.count as usize) < NAMED {
                lack.others[lack.count as usize] = spot;
            }
            lack.count += 1;
        }
    }

    /// Where it is among all, or `NONE`.
    const fn place(&self, id: u64) -> u16 {
        let mut at = self.lists[id as usize & (LISTS - 1)];
        while at != NONE && self.all[at as usize].id != id {
            at = self.all[at as usize].next;
        }
        at
    }

    /// What is missing, where it is told of: at the first dependency on it of the first plugin that needs it.
    pub(super) const fn told_at(&self, id: u64, spot: usize, dep: usize) -> Option<&Lack> {
        let at = self.place(id);
        if at == NONE {
            return None;
        }
        let lack = &self.all[at as usize];
        let here = lack.spot as usize == spot && lack.dep as usize == dep && !lack.is_told;
        if here { Some(lack) } else { None }
    }
}

/// Must it be there, and is it not?
const fn is_missing<const N: usize, const E: usize, const B: usize, const T: usize>(
    work: &Work<N, E, B, T>,
    dep: &DepMeta,
) -> bool {
    matches!(dep.need, Need::One) && matches!(work.provided(dep), Provided::No)
}
