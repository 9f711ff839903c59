//! [`Work`]: what the committer is asked to do.

use cninfra::keyval::{Asked, KvError, LeaseId, Op, Result, Txn, TxnOutcome};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What is asked for.
pub(crate) enum Work {
    Commit(Txn),
    Grant(Duration),
    KeepAlive(LeaseId),
    Revoke(LeaseId),
    /// Ends all that ends with the client.
    EndClient,
    Compact(u64),
}

/// What came of it.
pub(crate) enum Done {
    Committed(TxnOutcome),
    Granted(LeaseId, Duration),
    /// So much is left of a lease.
    Left(Duration),
    Nothing,
}

/// It was refused, and has changed nothing.
pub(crate) type Refused = KvError;

/// What has become of a lease.
pub(crate) enum LeaseChange {
    Lives(i64, Duration),
    Ended(i64),
}

impl Work {
    /// Does it make the store larger? The rest goes on while there is no room.
    pub(crate) fn needs_room(&self) -> bool {
        match self {
            Work::Commit(txn) => txn.then.iter().chain(&txn.otherwise).any(|op| matches!(op, Op::Put(_))),
            Work::Grant(_) => true,
            Work::KeepAlive(_) | Work::Revoke(_) | Work::EndClient | Work::Compact(_) => false,
        }
    }

    /// For the errors of it.
    pub(crate) fn asked(&self) -> Asked {
        match self {
            Work::Commit(txn) => Asked::of_txn(txn.op(), txn),
            Work::Grant(_) => Asked::to_write("grant", None),
            Work::KeepAlive(lease) => Asked::to_repeat("keep alive", None).with_lease(Some(*lease)),
            Work::Revoke(lease) => Asked::to_repeat("revoke", None).with_lease(Some(*lease)),
            Work::EndClient => Asked::to_repeat("close", None),
            Work::Compact(_) => Asked::to_repeat("compact", None),
        }
    }
}

/// Work, and who waits for it.
pub(crate) struct Job {
    pub(crate) work: Work,
    /// Nobody, if the store wants it by itself.
    pub(crate) answer: Option<oneshot::Sender<Result<Done>>>,
    /// Its place in the queue.
    pub(crate) _place: Option<OwnedSemaphorePermit>,
}

impl Job {
    /// The store's own.
    pub(crate) fn own(work: Work) -> Self {
        Job { work, answer: None, _place: None }
    }

    /// Nobody waits for it any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.answer.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    pub(crate) fn answer(self, result: Result<Done>) {
        if let Some(answer) = self.answer {
            // who has given up is answered no more
            let _ = answer.send(result);
        }
    }
}
