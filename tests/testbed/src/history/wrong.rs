//! [`Wrong`]: what is wrong with a history.

use std::{error::Error, fmt};

/// What is wrong with a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The kind.
    pub fault: Fault,
    /// The index of the first wrong event, from 0; `None` if something is wrong with the final state.
    pub event: Option<usize>,
    /// The description.
    pub what: String,
}

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A change was not reported.
    Lost,
    /// A change was reported twice.
    Repeated,
    /// A change was reported after a later one.
    Reordered,
    /// A value that was overwritten or deleted was reported as the current one.
    Stale,
    /// A value or a delete was reported that never existed.
    Phantom,
    /// Events that cannot be in this order, such as an item outside of a snapshot.
    Malformed,
    /// The store itself has lost acknowledged data.
    Store,
}

/// How much was reported in a correct history, so that a test notices if it has checked nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReportCounts {
    /// The number of changes.
    pub changes: usize,
    /// The number of complete snapshots.
    pub snapshots: usize,
    /// The number of keys in snapshots.
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

/// A fault that is not yet assigned to an event.
pub(super) type CheckResult<T = ()> = Result<T, (Fault, String)>;

pub(super) fn fail<T>(fault: Fault, what: impl Into<String>) -> CheckResult<T> {
    Err((fault, what.into()))
}
