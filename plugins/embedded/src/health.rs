//! [`Health`]: how a store is.

/// How a store is. What it can not do is told to who asks for it, too.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Health {
    /// It reads and writes.
    Well,
    /// The disk is full: reads and deletes go on.
    Full,
    /// It reads and writes, but old revisions can not be thrown away, since the file is damaged there: so it becomes larger. With the path, and what can be done. It is tried again from time to time.
    Damaged(String),
    /// The last write has failed; why. It is tried again with the next one. Where the file can not be opened again, nothing is read either, and that is tried each second, too.
    Failed(String),
}
