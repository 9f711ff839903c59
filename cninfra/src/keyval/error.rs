//! [`KvError`]: what went wrong, where, and whether something was changed.

use super::{KeyRange, LeaseId, Revision};
use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

/// The result of an operation on a store.
pub type Result<T, E = KvError> = std::result::Result<T, E>;

/// Whether an operation that failed was applied nevertheless.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// It was not applied, and may be tried again.
    No,
    /// It is not known: the answer was lost, or came too late. An operation that is not idempotent must not be tried
    /// again without checking.
    Unknown,
}

/// Why an operation failed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// The store cannot be reached, or has no leader.
    Unavailable,
    /// No answer came within this time.
    TimedOut(Duration),
    /// The store does not know the user, or the user lacks the permission.
    Denied,
    /// The store does not support this; the text says what.
    Unsupported(&'static str),
    /// That revision is no longer kept. The value is the oldest one that is.
    Compacted(Option<Revision>),
    /// That revision does not exist yet.
    Future,
    /// A key, a value, a transaction or an answer is larger than the store allows.
    TooLarge,
    /// The store has no space left.
    Full,
    /// The lease is gone.
    NoLease(LeaseId),
    /// The request is not valid.
    Invalid,
    /// Others have changed it at every attempt; the value is the number of attempts.
    Contended(usize),
    /// The codec cannot decode a value.
    Malformed,
    /// The store was closed.
    Closed,
    /// Something else.
    Other,
}

impl Reason {
    /// The config does not say where the store is. Its plugin is off until the agent is restarted.
    pub const NOT_CONFIGURED: Reason = Reason::Unsupported("endpoints");

    /// Whether the cause may pass by itself, so that a later attempt can succeed.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Reason::Unavailable | Reason::TimedOut(_))
    }
}

/// An operation on a store has failed: which one, on which key, at which endpoint, why, and whether it was applied.
///
/// ```
/// use cninfra::keyval::{Applied, KeyRange, KvError, Reason};
/// use std::time::Duration;
///
/// let error = KvError::new("put", Reason::TimedOut(Duration::from_secs(3)))
///     .on(KeyRange::key("contacts/alice"))
///     .at("http://127.0.0.1:2379");
/// assert_eq!((error.applied(), error.is_transient()), (Applied::Unknown, false));
/// assert_eq!(
///     error.to_string(),
///     "put of `contacts/alice` at http://127.0.0.1:2379: no answer within 3s; it may have been applied"
/// );
/// ```
pub struct KvError(Box<Inner>);

struct Inner {
    op: &'static str,
    range: Option<KeyRange>,
    endpoint: Option<Arc<str>>,
    reason: Reason,
    applied: Applied,
    source: Option<Box<dyn StdError + Send + Sync>>,
    help: Option<String>,
}

impl KvError {
    /// An operation that has failed and may have been applied. If it is known that it was not, call
    /// [`not_applied`](Self::not_applied).
    #[must_use]
    pub fn new(op: &'static str, reason: Reason) -> Self {
        let (range, endpoint, source, help) = (None, None, None, None);
        KvError(Box::new(Inner { op, range, endpoint, reason, applied: Applied::Unknown, source, help }))
    }

    /// Sets the key or the range.
    #[must_use]
    pub fn on(mut self, range: KeyRange) -> Self {
        self.0.range = Some(range);
        self
    }

    /// Sets the endpoint of the store, without secrets.
    #[must_use]
    pub fn at(mut self, endpoint: impl Into<Arc<str>>) -> Self {
        self.0.endpoint = Some(endpoint.into());
        self
    }

    /// Sets the error that caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Sets what can be done about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// States that it was not applied: it only reads, was never sent, or the store has said so.
    #[must_use]
    pub fn not_applied(mut self) -> Self {
        self.0.applied = Applied::No;
        self
    }

    /// Whether it was applied nevertheless.
    #[must_use]
    pub fn applied(&self) -> Applied {
        self.0.applied
    }

    /// Why it failed.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// The key or the range, as the store has it, if the operation concerns one.
    #[must_use]
    pub fn range(&self) -> Option<&KeyRange> {
        self.0.range.as_ref()
    }

    /// The endpoint of the store, if it has one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.0.endpoint.as_deref()
    }

    /// What can be done about it, if that was given.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Whether it may be retried unchanged: it was not applied, and the reason is temporary.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.applied == Applied::No && self.0.reason.may_pass()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Unavailable => f.write_str("the store cannot be reached"),
            Reason::TimedOut(after) => write!(f, "no answer within {after:?}"),
            Reason::Denied => f.write_str("the store does not permit it"),
            &Reason::NOT_CONFIGURED => f.write_str("the store is not configured"),
            Reason::Unsupported(what) => write!(f, "the store has no {what}"),
            Reason::Compacted(Some(oldest)) => write!(f, "that revision is compacted, the oldest is {oldest}"),
            Reason::Compacted(None) => f.write_str("that revision is compacted"),
            Reason::Future => f.write_str("that revision is not there yet"),
            Reason::TooLarge => f.write_str("it is larger than the store takes"),
            Reason::Full => f.write_str("the store has no room left"),
            Reason::NoLease(lease) => write!(f, "lease {lease} is gone"),
            Reason::Invalid => f.write_str("it is not valid"),
            Reason::Contended(times) => write!(f, "others have changed it meanwhile, {times} times in a row"),
            Reason::Malformed => f.write_str("the value is malformed"),
            Reason::Closed => f.write_str("the store is closed"),
            Reason::Other => f.write_str("it failed"),
        }
    }
}

impl fmt::Display for KvError {
    /// Without the causes, which are its sources; `{error:#}` includes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { op, range, endpoint, reason, applied, .. } = &*self.0;
        f.write_str(op)?;
        if let Some(range) = range {
            write!(f, " of `{range}`")?;
        }
        if let Some(endpoint) = endpoint {
            write!(f, " at {endpoint}")?;
        }
        write!(f, ": {reason}")?;
        if *applied == Applied::Unknown {
            f.write_str("; it may have been applied")?;
        }
        if f.alternate() {
            let mut cause = self.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error = f.debug_struct("KvError");
        error.field("error", &self.to_string()).field("source", &self.0.source).field("help", &self.0.help).finish()
    }
}

impl StdError for KvError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_applied_is_not_tried_again() {
        let lost = KvError::new("put", Reason::TimedOut(Duration::from_secs(1)));
        assert_eq!((lost.applied(), lost.is_transient()), (Applied::Unknown, false));
        assert!(KvError::new("put", Reason::Unavailable).not_applied().is_transient());
        assert!(!KvError::new("put", Reason::Denied).not_applied().is_transient());
    }

    #[test]
    fn a_store_that_nobody_configured_is_not_one_that_cannot() {
        let text = |reason: Reason| KvError::new("get", reason).not_applied().to_string();
        assert_eq!(text(Reason::NOT_CONFIGURED), "get: the store is not configured");
        assert_eq!(text(Reason::Unsupported("revisions")), "get: the store has no revisions");
    }

    #[test]
    fn the_causes_are_told_where_they_are_wanted() {
        let error = KvError::new("decode", Reason::Malformed).not_applied().because("expected a number");
        assert_eq!(error.to_string(), "decode: the value is malformed");
        assert_eq!(format!("{error:#}"), "decode: the value is malformed: expected a number");
    }

    #[test]
    fn what_can_be_done_goes_with_it() {
        let failed = || -> crate::Result<()> {
            Err(KvError::new("put", Reason::Full).not_applied().with_help("make room"))?;
            Ok(())
        };
        let error = failed().unwrap_err().context("the greeting is not kept");
        assert_eq!(error.help(), Some("make room"));
        assert_eq!(error.with_help("call somebody").help(), Some("call somebody"));
    }
}
