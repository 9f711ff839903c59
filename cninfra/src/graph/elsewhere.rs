//! What is told elsewhere. A flavor that is closed and has no parameters tells of its mistakes itself; they are still there in each flavor that holds it. And
//! what one holds that the macro has refused is not known. For the messages only, so a flavor that is right pays nothing for it.

use super::{Item, Told, Tree, analyse::Work};

/// The longest cycle of which it is asked whether it is told elsewhere.
const LONGEST: usize = 32;

/// What another flavor tells, of a flavor with at most `N` plugins.
pub(super) struct Elsewhere<const N: usize> {
    /// Is this spot in a flavor that is checked by itself?
    pub(super) inside: [bool; N],
    /// Nobody knows what may be in a flavor that the macro has refused.
    pub(super) is_unknown: bool,
}

impl<const N: usize> Elsewhere<N> {
    pub(super) const fn of(tree: &'static Tree) -> Self {
        let mut elsewhere = Elsewhere { inside: [false; N], is_unknown: matches!(tree.told, Told::Already) };
        elsewhere.walk(tree, false, 0);
        elsewhere
    }

    /// In the order of [`Work`]. Gives the number of the next spot.
    const fn walk(&mut self, tree: &'static Tree, inside: bool, mut spot: usize) -> usize {
        let mut left = tree.fields;
        while let [field, rest @ ..] = left {
            left = rest;
            if let Item::Flavor(nested) = field.item {
                self.is_unknown |= matches!(nested.told, Told::Already);
                spot = self.walk(nested, inside || matches!(nested.told, Told::Itself), spot);
            } else {
                self.inside[spot] = inside;
                spot += 1;
            }
        }
        spot
    }
}

/// Declarations that are a mistake together: of each the flavor's id and the field.
pub(super) struct Group {
    all: [(u64, &'static str); LONGEST],
    count: usize,
}

impl Group {
    pub(super) const fn new() -> Self {
        Group { all: [(0, ""); LONGEST], count: 0 }
    }

    pub(super) const fn with(mut self, flavor: u64, field: &'static str) -> Self {
        if self.count < LONGEST {
            self.all[self.count] = (flavor, field);
        }
        self.count += 1;
        self
    }

    pub(super) const fn spot<const N: usize, const E: usize, const B: usize, const T: usize>(
        self,
        work: &Work<N, E, B, T>,
        spot: usize,
    ) -> Self {
        self.with(work.flavors[spot].id, work.fields[spot].name)
    }

    /// All of a cycle, from this spot on.
    pub(super) const fn cycle<const N: usize, const E: usize, const B: usize, const T: usize>(
        work: &Work<N, E, B, T>,
        spot: usize,
    ) -> Self {
        let mut group = Group::new().spot(work, spot);
        let mut at = work.after[spot] as usize;
        while at != spot && group.count <= LONGEST {
            group = group.spot(work, at);
            at = work.after[at] as usize;
        }
        group
    }

    /// Does a flavor that this one holds have all of them, and tell of them itself?
    pub(super) const fn is_told_in(&self, tree: &Tree) -> bool {
        let mut left = tree.fields;
        while let [field, rest @ ..] = left {
            left = rest;
            if let Item::Flavor(nested) = field.item
                && ((matches!(nested.told, Told::Itself) && self.is_all_in(nested)) || self.is_told_in(nested))
            {
                return true;
            }
        }
        false
    }

    const fn is_all_in(&self, tree: &Tree) -> bool {
        let mut i = 0;
        while i < self.count {
            if i >= LONGEST || !has(tree, self.all[i]) {
                return false;
            }
            i += 1;
        }
        true
    }
}

/// Is this declaration in the flavor?
const fn has(tree: &Tree, what: (u64, &str)) -> bool {
    let mut left = tree.fields;
    while let [field, rest @ ..] = left {
        left = rest;
        let found = match field.item {
            Item::Flavor(nested) => has(nested, what),
            _ => tree.key.id == what.0 && super::text::same(field.name, what.1),
        };
        if found {
            return true;
        }
    }
    false
}
