//! [`Work`]: what the committer can be asked to do.

use cninfra::client::ThreadWork;
use cninfra::keyval::{Asked, LeaseId, Op, Result, Txn, TxnOutcome};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A request to the committer.
pub(crate) enum Work {
    Commit(Txn),
    Grant(Duration),
    KeepAlive(LeaseId),
    Revoke(LeaseId),
    /// Ends all keys that end with the client.
    EndClient,
    Compact(u64),
}

/// The result of a request.
pub(crate) enum Done {
    Committed(TxnOutcome),
    Granted(LeaseId, Duration),
    /// The time left of a lease.
    Left(Duration),
    Nothing,
}

/// A change of a lease.
pub(crate) enum LeaseChange {
    Lives(i64, Duration),
    Ended(i64),
}

impl Work {
    /// Whether it makes the store larger. Other work goes on while the disk is full.
    pub(crate) fn needs_room(&self) -> bool {
        match self {
            Work::Commit(txn) => txn.then.iter().chain(&txn.otherwise).any(|op| matches!(op, Op::Put(_))),
            Work::Grant(_) => true,
            Work::KeepAlive(_) | Work::Revoke(_) | Work::EndClient | Work::Compact(_) => false,
        }
    }

    /// The description for errors.
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

/// Work, with the caller that waits for it.
pub(crate) struct Job {
    pub(crate) work: Work,
    /// `None` if the store itself needs it.
    pub(crate) answer: Option<oneshot::Sender<Result<Done>>>,
    /// The permit for its place in the queue.
    pub(crate) _place: Option<OwnedSemaphorePermit>,
    /// Until the job is answered.
    pub(crate) _thread: ThreadWork,
}

impl Job {
    /// A job of the store itself.
    pub(crate) fn own(work: Work) -> Self {
        Job { work, answer: None, _place: None, _thread: ThreadWork::begin() }
    }

    /// Whether its caller waits no longer.
    pub(crate) fn is_given_up(&self) -> bool {
        self.answer.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    pub(crate) fn answer(self, result: Result<Done>) {
        if let Some(answer) = self.answer {
            // The caller may have given up.
            let _ = answer.send(result);
        }
    }
}
