//! [`Health`]: how a store is.

/// How a store is. What it can not do is told to who asks for it, too.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Health {
    /// It reads and writes.
    Well,
    /// The disk is full: reads and deletes go on.
    Full,
    /// The last write has failed; why. It is tried again with the next one.
    Failed(String),
}
