//! [`Checked`]: the result of reading a section and asking its own check.

use crate::config::{find::extract::Outcome, read::named::Named, said::entry::Entries, wrong::mistake::Mistake};

/// Reads a section and checks it. A function pointer, so that the section's type need not be known.
pub(super) type Check = fn(ToRead<'_>) -> Checked;

/// A section to be read.
#[derive(Clone, Copy)]
pub struct ToRead<'a> {
    pub(super) section: Named<'a>,
    pub(super) entries: &'a Entries<'a>,
}

/// The result of reading and checking a section.
pub struct Checked {
    pub(super) outcome: Box<Outcome>,
    /// What the section's check says. It is not called for a section that cannot be read.
    pub(super) invalid: Vec<Mistake>,
}
