//! [`Failure`]: what an error of the client means.

pub(crate) use cninfra::keyval::Asked;
use cninfra::keyval::{Applied, KvError, LeaseId, Reason};
use etcd_client::Error;
use std::{error::Error as StdError, sync::Arc};
use tonic::{Code, ConnectError, Status};

pub(crate) struct Failure {
    pub(crate) reason: Reason,
    pub(crate) applied: Applied,
    /// The connection failed: the error does not come from the server itself.
    pub(crate) is_connection_lost: bool,
    source: Error,
}

impl Failure {
    pub(crate) fn of(source: Error, lease: Option<LeaseId>) -> Self {
        let (reason, applied, is_connection_lost) = match &source {
            Error::GRpcStatus(status) => of_status(status, lease),
            // An invalid endpoint or argument: nothing was sent.
            Error::TransportError(_)
            | Error::InvalidArgs(_)
            | Error::InvalidUri(_)
            | Error::EndpointError(_)
            | Error::InvalidMetadataValue(_) => (Reason::Invalid, Applied::No, false),
            Error::LeaseKeepAliveError(text) if text.contains("not found") => {
                (lease.map_or(Reason::Other, Reason::NoLease), Applied::No, false)
            }
            Error::WatchError(_) | Error::LeaseKeepAliveError(_) | Error::IoError(_) => {
                (Reason::Unavailable, Applied::Unknown, true)
            }
            _ => (Reason::Other, Applied::Unknown, false),
        };
        Failure { reason, applied, is_connection_lost, source }
    }

    /// The failure of a step before the request, so that the request itself was not sent.
    pub(crate) fn before(self) -> Self {
        Failure { applied: Applied::No, ..self }
    }

    /// Whether the request may be retried: see [`KvError::is_transient`].
    pub(crate) fn is_retryable(&self, asked: &Asked) -> bool {
        asked.may_pass(&self.reason, self.applied)
    }

    pub(crate) fn into_error(self, asked: &Asked, endpoint: &Arc<str>) -> KvError {
        let Failure { reason, applied, source, .. } = self;
        let help = help(&reason, &source);
        let error = asked.error(reason, applied).at(endpoint.clone()).because(cause_text(&source));
        match help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }
}

/// The cause for messages: what the server said, or what happened to the connection, without the wrapping error types.
fn cause_text(source: &Error) -> String {
    let Error::GRpcStatus(status) = source else { return source.to_string() };
    let mut innermost = status.source();
    while let Some(next) = innermost.and_then(StdError::source) {
        innermost = Some(next);
    }
    let text = status.message();
    match innermost.map(ToString::to_string).filter(|innermost| innermost != text) {
        Some(innermost) => format!("{text}: {innermost}"),
        None => text.to_string(),
    }
}

/// Advice for the user.
fn help(reason: &Reason, source: &Error) -> Option<&'static str> {
    let says = |text: &str| source.to_string().contains(text);
    match reason {
        Reason::Unavailable if says("no leader") => Some("most members of the cluster must run, and reach each other"),
        Reason::Unavailable => Some(REACH),
        Reason::Denied if says("authentication failed") => Some("look at `username` and `password`"),
        Reason::Denied if says("user name is empty") => {
            Some("the cluster asks who you are: set `username` and `password`")
        }
        Reason::Denied if says("not enabled") => Some("the cluster knows no users: take out `username` and `password`"),
        Reason::Denied => Some("look at the roles of the user in etcd"),
        Reason::Full => Some("compact and defragment etcd, or raise its quota, and disarm the alarm"),
        _ => None,
    }
}

pub(crate) const REACH: &str = "check that etcd runs there, and check `endpoints` and the TLS files in etcd.conf";

/// etcd's text if the user is known, but has no permission for these keys.
pub(crate) const NO_RIGHT: &str = "permission denied";

/// Whether an answer is that error.
pub(crate) fn is_permission_denied(error: &Error) -> bool {
    matches!(error, Error::GRpcStatus(status) if status.code() == Code::PermissionDenied && status.message().contains(NO_RIGHT))
}

/// Whether the user is known, but has no permission for these keys. A failed authentication does not count.
pub(crate) fn lacks_right(error: &KvError) -> bool {
    let says_so = |source: &dyn StdError| source.to_string().contains(NO_RIGHT);
    *error.reason() == Reason::Denied && error.source().is_some_and(says_so)
}

fn of_status(status: &Status, lease: Option<LeaseId>) -> (Reason, Applied, bool) {
    use Applied::{No, Unknown};
    let text = status.message();
    if comes_from::<ConnectError>(status) {
        return (Reason::Unavailable, No, true);
    }
    // A status that the server sent has no source.
    let is_connection_lost = status.source().is_some();
    match status.code() {
        // This code stands for three different errors.
        Code::OutOfRange if text.contains("compacted") => (Reason::Compacted(None), No, false),
        Code::OutOfRange if text.contains("future revision") => (Reason::Future, No, false),
        // It is the answer that is too large, so the request was applied.
        Code::OutOfRange if text.contains("message length too large") => (Reason::TooLarge, Unknown, false),
        Code::ResourceExhausted if text.contains("space exceeded") => (Reason::Full, No, false),
        Code::ResourceExhausted if text.contains("larger than max") => (Reason::TooLarge, No, false),
        Code::ResourceExhausted if text.contains("too many requests") => (Reason::Unavailable, No, false),
        Code::ResourceExhausted if !is_connection_lost => (Reason::TooLarge, No, false),
        Code::InvalidArgument if text.contains("too large") || text.contains("too many operations") => {
            (Reason::TooLarge, No, false)
        }
        // The roles changed during the request.
        Code::InvalidArgument if text.contains("auth store is old") => (Reason::Unavailable, No, false),
        Code::InvalidArgument | Code::FailedPrecondition
            if ["authentication", "user name", "password"].iter().any(|word| text.contains(word)) =>
        {
            (Reason::Denied, No, false)
        }
        Code::FailedPrecondition if text.contains("not leader") => (Reason::Unavailable, No, false),
        Code::NotFound if text.contains("lease not found") => {
            (lease.map_or(Reason::Invalid, Reason::NoLease), No, false)
        }
        Code::InvalidArgument | Code::FailedPrecondition | Code::NotFound | Code::OutOfRange => {
            (Reason::Invalid, No, false)
        }
        Code::PermissionDenied | Code::Unauthenticated if !is_connection_lost => (Reason::Denied, No, false),
        // This is checked before anything is proposed to the cluster.
        Code::Unavailable if text.contains("no leader") => (Reason::Unavailable, No, false),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            (Reason::Unavailable, Unknown, is_connection_lost)
        }
        _ if is_connection_lost => (Reason::Unavailable, Unknown, true),
        _ => (Reason::Other, Unknown, false),
    }
}

fn comes_from<E: StdError + 'static>(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<E>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: Status) -> (Reason, Applied, bool) {
        let failure = Failure::of(Error::GRpcStatus(status), Some(LeaseId(7)));
        (failure.reason, failure.applied, failure.is_connection_lost)
    }

    #[test]
    fn one_code_means_three_things() {
        use Applied::{No, Unknown};
        let compacted = Status::out_of_range("etcdserver: mvcc: required revision has been compacted");
        assert_eq!(of(compacted), (Reason::Compacted(None), No, false));
        let future = Status::out_of_range("etcdserver: mvcc: required revision is a future revision");
        assert_eq!(of(future), (Reason::Future, No, false));
        let large =
            Status::out_of_range("Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes");
        assert_eq!(of(large), (Reason::TooLarge, Unknown, false));
    }

    #[test]
    fn only_what_was_never_sent_or_refused_was_not_applied() {
        use Applied::{No, Unknown};
        let connect = || {
            let mut status = Status::unavailable("tcp connect error");
            status.set_source(Arc::new(ConnectError("refused".into())));
            status
        };
        assert_eq!(of(connect()), (Reason::Unavailable, No, true));
        assert_eq!(of(Status::unavailable("etcdserver: no leader")), (Reason::Unavailable, No, false));
        assert_eq!(of(Status::unavailable("etcdserver: request timed out")), (Reason::Unavailable, Unknown, false));
        let mut broken = Status::unknown("h2 protocol error: error reading a body from connection");
        broken.set_source(Arc::new(std::io::Error::other("broken pipe")));
        assert_eq!(of(broken), (Reason::Unavailable, Unknown, true));
        assert_eq!(
            of(Status::not_found("etcdserver: requested lease not found")),
            (Reason::NoLease(LeaseId(7)), No, false)
        );
        assert_eq!(
            of(Status::resource_exhausted("etcdserver: mvcc: database space exceeded")),
            (Reason::Full, No, false)
        );
        assert_eq!(of(Status::permission_denied("etcdserver: permission denied")), (Reason::Denied, No, false));
    }
}
