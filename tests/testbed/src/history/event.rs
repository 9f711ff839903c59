//! [`Seen`]: an event of a watch.

/// An event of a watch, as the watcher received it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A snapshot begins.
    SnapshotBegin(Cause),
    /// A key of the snapshot.
    Item(Item),
    /// The snapshot is complete: it is the state at this revision, in a store that has revisions.
    SnapshotEnd(Option<u64>),
    /// The changes of one transaction.
    Changes {
        /// Its revision, in a store that has revisions.
        revision: Option<u64>,
        /// The keys, each once, with their values; `None` for a delete.
        changes: Vec<(String, Option<String>)>,
    },
    /// The connection is lost: nothing is reported until it is restored.
    Lost,
    /// The connection is restored.
    Resumed,
}

impl Seen {
    /// Makes the changes of one transaction.
    #[must_use]
    pub fn changes<'a>(revision: Option<u64>, changes: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Seen {
        let owned = |(key, value): (&str, Option<&str>)| (key.to_string(), value.map(str::to_string));
        Seen::Changes { revision, changes: changes.into_iter().map(owned).collect() }
    }
}

/// A key, as it is in the store or in a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The revision that wrote it, in a store that has revisions.
    pub revision: Option<u64>,
}

impl Item {
    /// A key with its value.
    #[must_use]
    pub fn new(key: &str, value: &str, revision: Option<u64>) -> Item {
        Item { key: key.to_string(), value: value.to_string(), revision }
    }
}

/// Why a snapshot is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The watch begins, or its range was added.
    Start,
    /// The history was compacted.
    Compacted,
    /// The revisions start again.
    Regressed,
    /// It is a different store.
    Replaced,
    /// Changes may have been missed.
    Lost,
    /// The watcher was too slow.
    Overflow,
    /// The watcher requested it.
    Requested,
}
