//! [`Checked`]: what came of reading a section and asking its own check.

use crate::config::{find::extract::Outcome, read::named::Named, said::entry::Entries, wrong::mistake::Mistake};

/// Reads a section and checks it; its type forgotten.
pub(super) type Check = fn(ToRead<'_>) -> Checked;

/// A section that is to be read.
#[derive(Clone, Copy)]
pub struct ToRead<'a> {
    pub(super) section: Named<'a>,
    pub(super) entries: &'a Entries<'a>,
}

/// The result of reading and checking a section.
pub struct Checked {
    pub(super) outcome: Box<Outcome>,
    /// What the check says. It is not asked of what can not be read.
    pub(super) invalid: Vec<Mistake>,
}
