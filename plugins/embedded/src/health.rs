//! [`Health`]: the health of a store.

/// The health of a store. Calls that fail because of it also return an error.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Health {
    /// It reads and writes.
    Well,
    /// The disk is full. Reads and deletes continue to work.
    Full,
    /// It reads and writes, but the file is damaged where old revisions should be discarded, so it grows. The text has
    /// the path, and what can be done. It is tried again from time to time.
    Damaged(String),
    /// The last write has failed; the text says why. The next write tries again. If the file cannot be opened again,
    /// reads fail too, and opening it is tried again every second.
    Failed(String),
}
