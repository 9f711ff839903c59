//! [`Wrong`]: what is wrong about a history.

use std::{error::Error, fmt};

/// What is wrong about a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The kind.
    pub fault: Fault,
    /// The number of the first event that is wrong, from 0; `None` where it is what is missing at the end.
    pub event: Option<usize>,
    /// The same in words.
    pub what: String,
}

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A change was not told.
    Lost,
    /// A change was told twice.
    Repeated,
    /// A change was told after a later one.
    Reordered,
    /// What was overwritten or deleted was told as what is there.
    Stale,
    /// What never was, was told: a value, or a delete.
    Phantom,
    /// Events that can not be in this order: the item of no snapshot.
    Malformed,
    /// The store itself has lost what it had acknowledged.
    Store,
}

/// How much was told, in a history that is right: a test that checks nothing is seen by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// So many changes.
    pub changes: usize,
    /// So many whole snapshots.
    pub snapshots: usize,
    /// So many keys of snapshots.
    pub items: usize,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.event {
            Some(event) => write!(f, "event {event}: ")?,
            None => write!(f, "at the end: ")?,
        }
        let fault = match self.fault {
            Fault::Lost => "lost",
            Fault::Repeated => "repeated",
            Fault::Reordered => "reordered",
            Fault::Stale => "stale",
            Fault::Phantom => "phantom",
            Fault::Malformed => "malformed",
            Fault::Store => "lost by the store",
        };
        write!(f, "{fault}: {}", self.what)
    }
}

impl Error for Wrong {}

/// A fault that is not yet known to be of an event.
pub(super) type Found<T = ()> = Result<T, (Fault, String)>;

pub(super) fn found<T>(fault: Fault, what: impl Into<String>) -> Found<T> {
    Err((fault, what.into()))
}
