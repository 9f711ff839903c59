//! [`Asked`]: describes a request to a server, so that its errors can be made.

use super::{Applied, KeyRange, KvError, LeaseId, Op, Reason, Txn};

/// For authors of stores: describes a request to a server, so that its errors can be made.
///
/// ```
/// use cninfra::keyval::{Applied, Asked, KeyRange, Reason};
///
/// let read = Asked::to_read("get", Some(KeyRange::key("a")));
/// // what only reads is never applied
/// assert_eq!(read.error(Reason::Unavailable, Applied::Unknown).applied(), Applied::No);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// The name of the call.
    pub op: &'static str,
    /// The key or range it concerns.
    pub range: Option<KeyRange>,
    /// The lease it needs.
    pub lease: Option<LeaseId>,
    /// Whether it changes something.
    pub writes: bool,
    /// Whether it is idempotent.
    pub repeats: bool,
}

impl Asked {
    /// A read.
    #[must_use]
    pub fn to_read(op: &'static str, range: Option<KeyRange>) -> Self {
        Asked { op, range, lease: None, writes: false, repeats: true }
    }

    /// A write that is not idempotent.
    #[must_use]
    pub fn to_write(op: &'static str, range: Option<KeyRange>) -> Self {
        Asked { op, range, lease: None, writes: true, repeats: false }
    }

    /// A write that is idempotent.
    #[must_use]
    pub fn to_repeat(op: &'static str, range: Option<KeyRange>) -> Self {
        Asked { repeats: true, ..Asked::to_write(op, range) }
    }

    /// A transaction, which may only read.
    #[must_use]
    pub fn of_txn(op: &'static str, txn: &Txn) -> Self {
        let reads = txn.then.iter().chain(&txn.otherwise).all(|op| matches!(op, Op::Get(_)));
        if reads { Asked::to_read(op, txn.subject()) } else { Asked::to_write(op, txn.subject()) }
    }

    /// Whether the request may be retried after this failure: the store was unavailable, and the request was not
    /// applied or is idempotent.
    #[must_use]
    pub fn may_pass(&self, reason: &Reason, applied: Applied) -> bool {
        *reason == Reason::Unavailable && (applied == Applied::No || self.repeats)
    }

    /// Adds a lease that it needs.
    #[must_use]
    pub fn with_lease(mut self, lease: Option<LeaseId>) -> Self {
        self.lease = lease;
        self
    }

    /// Makes the error of this operation.
    #[must_use]
    pub fn error(&self, reason: Reason, applied: Applied) -> KvError {
        let error = KvError::new(self.op, reason);
        let error = if applied == Applied::No || !self.writes { error.not_applied() } else { error };
        match &self.range {
            Some(range) => error.on(range.clone()),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_may_have_been_applied_also_where_it_is_asked_again() {
        let lost = |asked: &Asked| {
            let applied = asked.error(Reason::Unavailable, Applied::Unknown).applied();
            (applied, asked.may_pass(&Reason::Unavailable, Applied::Unknown))
        };
        assert_eq!(lost(&Asked::to_read("get", None)), (Applied::No, true));
        assert_eq!(lost(&Asked::to_write("put", None)), (Applied::Unknown, false));
        assert_eq!(lost(&Asked::to_repeat("revoke", None)), (Applied::Unknown, true));
        assert_eq!(lost(&Asked::of_txn("transaction", &Txn::new().get("k"))), (Applied::No, true));
        assert_eq!(lost(&Asked::of_txn("transaction", &Txn::new().get("k").put("l", ""))), (Applied::Unknown, false));
        assert!(Asked::to_write("put", None).may_pass(&Reason::Unavailable, Applied::No));
        assert!(!Asked::to_read("get", None).may_pass(&Reason::Denied, Applied::No));
    }
}
