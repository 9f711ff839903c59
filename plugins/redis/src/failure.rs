//! [`Failure`]: what an error of a connection or of the server means.

use crate::endpoint::endpoint;
pub(crate) use cninfra::keyval::Asked;
use cninfra::keyval::{Applied, KvError, Reason};
use fred::error::ErrorKind;
use std::{fmt, io, sync::Arc};

/// The prefix of an error that a script met after it had written something.
pub(crate) const PARTLY: &str = "PARTLY ";
/// The server's text if the user may not do what a script does: before Redis 7.2, and since.
const OF_SCRIPT: [&str; 2] = ["The user executing the script can't", "ACL failure in script"];

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// There is no connection: nothing was sent.
    NoConnection,
    /// The connection was lost.
    Lost,
    /// An error answer of the server.
    Answer,
    /// An error answer in the middle of a script that had already written something.
    Partly,
}

/// The server that has a key, according to a redirection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Elsewhere {
    Moved(Arc<str>),
    /// For this request only.
    Ask(Arc<str>),
}

impl Failure {
    pub(crate) fn no_connection(text: impl Into<String>) -> Self {
        Failure { kind: Kind::NoConnection, text: text.into() }
    }

    pub(crate) fn lost(text: impl Into<String>) -> Self {
        Failure { kind: Kind::Lost, text: text.into() }
    }

    pub(crate) fn answer(text: impl Into<String>) -> Self {
        Failure { kind: Kind::Answer, text: text.into() }
    }

    /// The failure of an attempt to connect.
    pub(crate) fn of_dial(error: &fred::error::Error) -> Self {
        let text = error_text(error);
        if is_answer(&text) { Failure::answer(text) } else { Failure::no_connection(text) }
    }

    /// The failure of a call.
    pub(crate) fn of_call(error: &fred::error::Error) -> Self {
        let text = error_text(error);
        if let Some(text) = text.strip_prefix(PARTLY) {
            return Failure { kind: Kind::Partly, text: text.to_string() };
        }
        if is_answer(&text) { Failure::answer(text) } else { Failure::lost(text) }
    }

    fn code(&self) -> &str {
        match self.kind {
            Kind::Answer | Kind::Partly => self.text.split(' ').next().unwrap_or_default(),
            Kind::NoConnection | Kind::Lost => "",
        }
    }

    /// Whether the connection has to be replaced.
    pub(crate) fn is_connection_lost(&self) -> bool {
        matches!(self.kind, Kind::NoConnection | Kind::Lost)
    }

    /// The server to which the one at `from` redirects. If that does not know the other one's host name, it leaves it
    /// out: then the host is its own.
    pub(crate) fn elsewhere(&self, from: &str) -> Option<Elsewhere> {
        let addr = || {
            let addr = self.text.split(' ').nth(2).unwrap_or_default();
            match (addr.rsplit_once(':'), from.rsplit_once(':')) {
                (Some(("", port)), Some((host, _))) => Arc::from(format!("{host}:{port}")),
                (Some((host, port)), _) => endpoint(host, port),
                _ => Arc::from(addr),
            }
        };
        match self.code() {
            "MOVED" => Some(Elsewhere::Moved(addr())),
            "ASK" => Some(Elsewhere::Ask(addr())),
            _ => None,
        }
    }

    /// Whether this server is not, or no longer, the right one.
    pub(crate) fn is_misplaced(&self) -> bool {
        matches!(self.code(), "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "MOVED")
    }

    pub(crate) fn is_no_script(&self) -> bool {
        self.code() == "NOSCRIPT"
    }

    pub(crate) fn is_wrong_type(&self) -> bool {
        self.text.contains("WRONGTYPE")
    }

    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.code(), "NOPERM" | "NOAUTH" | "WRONGPASS")
            || ["invalid password", OF_SCRIPT[0], OF_SCRIPT[1]].iter().any(|words| self.text.contains(words))
    }

    /// Whether the server has no such command for this user, whatever the keys are.
    pub(crate) fn has_no_command(&self) -> bool {
        let is_denied = self.code() == "NOPERM" && self.text.contains("to run the '");
        is_denied || self.text.contains("unknown command")
    }

    pub(crate) fn applied(&self) -> Applied {
        match self.kind {
            Kind::Lost | Kind::Partly => Applied::Unknown,
            Kind::NoConnection | Kind::Answer => Applied::No,
        }
    }

    /// Whether the request may be repeated, since it was not applied, or only reads.
    pub(crate) fn is_retryable(&self, asked: &Asked) -> bool {
        asked.may_pass(&self.reason(), self.applied())
    }

    fn reason(&self) -> Reason {
        match self.code() {
            "" => Reason::Unavailable,
            "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "READONLY" | "BUSY" | "MOVED" | "ASK"
            | "NOREPLICAS" => Reason::Unavailable,
            "OOM" | "MISCONF" => Reason::Full,
            "WRONGTYPE" => Reason::Malformed,
            "CROSSSLOT" => Reason::Unsupported("transactions of keys in several slots"),
            _ if self.is_denied() => Reason::Denied,
            _ if self.is_wrong_type() => Reason::Malformed,
            _ => Reason::Other,
        }
    }

    pub(crate) fn into_error(self, asked: &Asked, endpoint: &Arc<str>) -> KvError {
        let (reason, applied) = (self.reason(), self.applied());
        let help = self.help(&reason);
        asked.error(reason, applied).at(endpoint.clone()).with_help(help).because(self)
    }

    fn help(&self, reason: &Reason) -> &'static str {
        match (reason, self.code()) {
            (Reason::Full, "MISCONF") => "the server cannot write its data to its disk: look at its log",
            (Reason::Full, _) => "raise `maxmemory` of the server, or set its `maxmemory-policy`",
            (Reason::Malformed, _) => "a list, hash or set has this key: values are plain strings; take another key",
            (Reason::Denied, "NOPERM" | "ERR") => "look at the rights of the user: `ACL GETUSER`",
            (Reason::Denied, _) => "look at `username` and `password` in redis.conf",
            (Reason::Unsupported(_), _) => "keys of one transaction have one `{tag}` in a cluster",
            _ => REACH,
        }
    }
}

pub(crate) const REACH: &str =
    "check that redis runs there, and check `endpoint`, `endpoints`, `master-name` and `tls` in redis.conf";

/// The text of an error. The library formats errors of the system for debugging, such as `Os { code: 111, kind: .. }`.
fn error_text(error: &fred::error::Error) -> String {
    let text = error.details();
    if *error.kind() != ErrorKind::IO {
        return text.to_string();
    }
    let code = text.strip_prefix("Os { code: ").and_then(|rest| rest.split(',').next()?.parse().ok());
    if let Some(code) = code {
        return io::Error::from_raw_os_error(code).to_string();
    }
    let field = |name| Some(text.strip_suffix(" }")?.split_once(name)?.1);
    let inner = field(", error: ").or_else(|| field(", message: ")).unwrap_or(text);
    inner.trim_matches('"').to_string()
}

/// Whether the text is an error answer of the server: those begin with a word in capitals.
fn is_answer(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    (word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
        || text.contains("WRONGTYPE")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_never_sent_or_refused_was_not_applied() {
        let write = Asked::to_write("put", None);
        for (failure, reason, applied, is_retryable) in [
            (Failure::no_connection("refused"), Reason::Unavailable, Applied::No, true),
            (Failure::lost("reset"), Reason::Unavailable, Applied::Unknown, false),
            (Failure::answer("LOADING Redis is loading"), Reason::Unavailable, Applied::No, true),
            (Failure::answer("OOM command not allowed"), Reason::Full, Applied::No, false),
            (Failure::answer("NOPERM this user has no permissions"), Reason::Denied, Applied::No, false),
            (Failure::answer("WRONGTYPE Operation against a key"), Reason::Malformed, Applied::No, false),
        ] {
            assert_eq!(
                (failure.reason(), failure.applied(), failure.is_retryable(&write)),
                (reason, applied, is_retryable)
            );
        }
        let of_script = |text: &str| {
            let error = fred::error::Error::new(fred::error::ErrorKind::Unknown, text.to_string());
            let failure = Failure::of_call(&error);
            (failure.reason(), failure.applied(), failure.is_connection_lost())
        };
        assert_eq!(of_script("PARTLY OOM command not allowed"), (Reason::Full, Applied::Unknown, false));
        let denied = "ERR ACL failure in script: User agent has no permissions";
        assert_eq!(of_script(denied), (Reason::Denied, Applied::No, false));
        assert!(Failure::lost("reset").is_retryable(&Asked::to_read("get", None)));
    }

    #[test]
    fn an_error_of_the_system_is_told_in_its_words() {
        let lookup = io::Error::other("failed to lookup address information: Name or service not known");
        let eof = io::Error::from(io::ErrorKind::UnexpectedEof);
        for (error, told) in [
            (io::Error::from_raw_os_error(111), io::Error::from_raw_os_error(111).to_string()),
            (lookup, "failed to lookup address information: Name or service not known".to_string()),
            (eof, "Kind(UnexpectedEof)".to_string()),
        ] {
            assert_eq!(Failure::of_dial(&error.into()).to_string(), told);
        }
    }

    #[test]
    fn who_has_a_key_is_read() {
        let from = "127.0.0.2:6379";
        let moved = Failure::answer("MOVED 3999 127.0.0.1:6381");
        assert_eq!(moved.elsewhere(from), Some(Elsewhere::Moved("127.0.0.1:6381".into())));
        let ask = Failure::answer("ASK 3999 127.0.0.1:6381");
        assert_eq!(ask.elsewhere(from), Some(Elsewhere::Ask("127.0.0.1:6381".into())));
        let ask = Failure::answer("ASK 3999 :6381");
        assert_eq!(ask.elsewhere(from), Some(Elsewhere::Ask("127.0.0.2:6381".into())));
        let ask = Failure::answer("ASK 3999 ::1:6381");
        assert_eq!(ask.elsewhere(from), Some(Elsewhere::Ask("[::1]:6381".into())));
        assert_eq!(Failure::lost("MOVED").elsewhere(from), None);
    }
}
