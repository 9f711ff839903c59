//! [`Seen`]: what a watcher is told.

/// What a watcher was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A snapshot begins.
    SnapshotBegin(Cause),
    /// A key of it.
    Item(Item),
    /// The snapshot is whole: it is the state of this revision, in a store that has them.
    SnapshotEnd(Option<u64>),
    /// The changes of one transaction: the keys with their values; `None` for a delete.
    Changes {
        /// In a store that has them.
        revision: Option<u64>,
        /// Of each key one.
        changes: Vec<(String, Option<String>)>,
    },
    /// The connection is lost: nothing is told until it is back.
    Lost,
    /// It is back.
    Resumed,
}

impl Seen {
    /// Changes.
    #[must_use]
    pub fn changes<'a>(revision: Option<u64>, changes: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Seen {
        let owned = |(key, value): (&str, Option<&str>)| (key.to_string(), value.map(str::to_string));
        Seen::Changes { revision, changes: changes.into_iter().map(owned).collect() }
    }
}

/// A key as it is in the store, or in a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// When it was written, in a store that has revisions.
    pub revision: Option<u64>,
}

impl Item {
    /// A key with its value.
    #[must_use]
    pub fn new(key: &str, value: &str, revision: Option<u64>) -> Item {
        Item { key: key.to_string(), value: value.to_string(), revision }
    }
}

/// Why there is a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The watch begins, or its range was added.
    Start,
    /// The history was thrown away.
    Compacted,
    /// The revisions begin again.
    Regressed,
    /// The store is another one.
    Replaced,
    /// Changes may have been missed.
    Lost,
    /// The watcher was slow.
    Overflow,
    /// The watcher has asked for it.
    Requested,
}
