//! [`Asked`]: what is asked of a server, for the errors of it.

use super::{Applied, KeyRange, KvError, LeaseId, Reason};

/// For authors of stores: what is asked of a server, for the errors of it.
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
    /// What it is about.
    pub range: Option<KeyRange>,
    /// The lease that it needs.
    pub lease: Option<LeaseId>,
    /// It changes something.
    pub writes: bool,
}

impl Asked {
    /// Something that is read.
    #[must_use]
    pub fn to_read(op: &'static str, range: Option<KeyRange>) -> Self {
        Asked { op, range, lease: None, writes: false }
    }

    /// Something that is written.
    #[must_use]
    pub fn to_write(op: &'static str, range: Option<KeyRange>) -> Self {
        Asked { op, range, lease: None, writes: true }
    }

    /// The same with a lease that it needs.
    #[must_use]
    pub fn with_lease(mut self, lease: Option<LeaseId>) -> Self {
        self.lease = lease;
        self
    }

    /// The error of this.
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
