//! [`Written`]: what a put has written.

use super::{KvError, LeaseId, OpResult, Reason, Result, Revision, TxnOutcome};
use std::time::Duration;

/// What a put has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Written {
    /// The state that it has made; `None` in a store without revisions.
    pub revision: Option<Revision>,
    /// The life that the key was granted, which may be longer than what was asked for; `None` if it does not end by itself.
    pub ttl: Option<Duration>,
    /// The lease that it ends with.
    pub lease: Option<LeaseId>,
}

impl Written {
    /// For a store.
    #[must_use]
    pub fn new(revision: Option<Revision>, ttl: Option<Duration>, lease: Option<LeaseId>) -> Self {
        Written { revision, ttl, lease }
    }

    /// What a transaction of a single put has written.
    ///
    /// # Errors
    /// It tells of no put: the store has broken its contract.
    pub fn of(outcome: &TxnOutcome) -> Result<Self> {
        match outcome.results.first() {
            Some(OpResult::Put { ttl, lease }) => Ok(Written::new(outcome.revision, *ttl, *lease)),
            _ => Err(untold("put")),
        }
    }
}

/// A store has broken its contract.
pub(super) fn untold(op: &'static str) -> KvError {
    KvError::new(op, Reason::Other).because("the store has told nothing of the operation")
}
