//! [`Written`]: the result of a put.

use super::{KvError, LeaseId, OpResult, Reason, Result, Revision, TxnOutcome};
use std::time::Duration;

/// The result of a put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Written {
    /// The revision that it led to; `None` in a store without revisions.
    pub revision: Option<Revision>,
    /// The time to live that was granted, which may be longer than requested; `None` if the key does not expire.
    pub ttl: Option<Duration>,
    /// The lease it is bound to.
    pub lease: Option<LeaseId>,
}

impl Written {
    /// For stores: makes a result.
    #[must_use]
    pub fn new(revision: Option<Revision>, ttl: Option<Duration>, lease: Option<LeaseId>) -> Self {
        Written { revision, ttl, lease }
    }

    /// The result of a transaction with a single put.
    ///
    /// # Errors
    /// The outcome contains no put: the store has broken its contract.
    pub fn of(outcome: &TxnOutcome) -> Result<Self> {
        match outcome.results.first() {
            Some(OpResult::Put { ttl, lease }) => Ok(Written::new(outcome.revision, *ttl, *lease)),
            _ => Err(no_result("put")),
        }
    }
}

/// The error for a store that has broken its contract: it returned no result for the operation.
pub(super) fn no_result(op: &'static str) -> KvError {
    KvError::new(op, Reason::Other).because("the store has told nothing of the operation")
}
