//! Finds errors that are reported elsewhere. A closed flavor without parameters reports its errors itself, and the same
//! errors are found again in each flavor that contains it. What a flavor that the macro has refused contains is not
//! known. Only used for messages, so a correct flavor pays nothing for it.

use super::{Item, Told, Tree, analyse::Work};

/// The longest cycle that is checked for being reported elsewhere.
const LONGEST: usize = 32;

/// What other flavors report, for a flavor with at most `N` plugins.
pub(super) struct Elsewhere<const N: usize> {
    /// Whether this spot is in a nested flavor that is checked by itself.
    pub(super) inside: [bool; N],
    /// Whether a flavor was refused by the macro, so that nobody knows what it contains.
    pub(super) is_unknown: bool,
}

impl<const N: usize> Elsewhere<N> {
    pub(super) const fn of(tree: &'static Tree) -> Self {
        let mut elsewhere = Elsewhere { inside: [false; N], is_unknown: matches!(tree.told, Told::Already) };
        elsewhere.walk(tree, false, 0);
        elsewhere
    }

    /// Walks in the order of [`Work`]. Returns the number of the next spot.
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

/// Declarations that are wrong together: for each one the flavor's id and the field.
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

    /// All plugins of a cycle, beginning with this spot.
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

    /// Whether a nested flavor contains all of them, and reports the error itself.
    pub(super) const fn reported_in(&self, tree: &Tree) -> bool {
        let mut left = tree.fields;
        while let [field, rest @ ..] = left {
            left = rest;
            if let Item::Flavor(nested) = field.item
                && ((matches!(nested.told, Told::Itself) && self.is_all_in(nested)) || self.reported_in(nested))
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

/// Whether the flavor contains this declaration.
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
