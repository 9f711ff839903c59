//! [`Incident`]: what a server reports while it serves.

use axum::http::Method;
use cninfra::http::Route;
use std::{fmt, io, time::Duration};

/// Something that went wrong while the server continues to serve. Its `Display` is a line for a log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incident {
    /// A handler panicked, or the destructor of something it left. Its request is answered with 500, unless it was
    /// already answered.
    #[non_exhaustive]
    Panicked {
        /// The request's method.
        method: Method,
        /// The request's path, without the query, which may contain what must not be logged.
        path: String,
        /// The handler's route, with its owner, if that is known.
        route: Option<Route>,
        /// The message of the panic.
        message: String,
        /// Whether the agent's log already has a record of it, with the route, its owner, and the location: see
        /// [`Panic::is_logged`](cninfra::agent::Panic::is_logged).
        logged: bool,
    },
    /// A handler returned an error of cninfra. Its request is answered with 500 (503 if a store is away), without the
    /// error's text. See [`Failure`](cninfra::http::Failure).
    #[non_exhaustive]
    Failed {
        /// The request's method.
        method: Method,
        /// The request's path, without the query, which may contain what must not be logged.
        path: String,
        /// The handler's route, with its owner, if that is known.
        route: Option<Route>,
        /// The error, with its causes.
        message: String,
    },
    /// The body of a response panicked: the response breaks off, and its connection is closed.
    #[non_exhaustive]
    BrokenOff {
        /// The request's method.
        method: Method,
        /// The request's path, without the query, which may contain what must not be logged.
        path: String,
        /// The handler's route, with its owner, if that is known.
        route: Option<Route>,
        /// The message of the panic.
        message: String,
        /// Whether the agent's log already has a record of it, with the route, its owner, and the location: see
        /// [`Panic::is_logged`](cninfra::agent::Panic::is_logged).
        logged: bool,
    },
    /// A handler did not answer in time. It is dropped, and its request is answered with 503.
    #[non_exhaustive]
    NotAnswered {
        /// The request's method.
        method: Method,
        /// The request's path, without the query, which may contain what must not be logged.
        path: String,
        /// The handler's route, with its owner, if that is known.
        route: Option<Route>,
        /// The time it had.
        after: Duration,
    },
    /// A handler blocked its thread: for longer than it has to answer, or for more than a second. Reported when it
    /// returns.
    #[non_exhaustive]
    Blocked {
        /// The request's method.
        method: Method,
        /// The request's path, without the query, which may contain what must not be logged.
        path: String,
        /// The handler's route, with its owner, if that is known.
        route: Option<Route>,
        /// How long it blocked.
        took: Duration,
    },
    /// A connection could not be accepted, most likely because the process has too many open files. Reported again only
    /// after ten seconds.
    #[non_exhaustive]
    NotAccepted {
        /// The error.
        error: io::Error,
        /// After which time the server tries again.
        again: Duration,
    },
    /// There are as many connections as the process has files for, which are fewer than
    /// [`Limits::connections`](crate::Limits::connections). Further ones wait, so that files are left for other
    /// purposes. Reported once.
    #[non_exhaustive]
    FewFiles {
        /// The largest number of connections at a time.
        connections: usize,
        /// The number of files that the process may open.
        files: usize,
    },
    /// The task of a connection panicked, outside of a handler and its response. The connection is closed.
    #[non_exhaustive]
    ConnectionPanicked {
        /// The method and the path of the request that was in flight, if there was one.
        request: Option<(Method, String)>,
        /// Its route, with the owner, if that is known.
        route: Option<Route>,
        /// The message of the panic.
        message: String,
    },
    /// A handler panicked when it was cloned or dropped, while routes that were registered during the start were put in
    /// place. The request is answered by the routes that are in place, and the next request tries again.
    #[non_exhaustive]
    NotRenewed {
        /// The message of the panic.
        message: String,
    },
    /// The function for the access log ([`Server::access_to`](crate::Server::access_to)) panicked.
    #[non_exhaustive]
    NotLogged {
        /// The message of the panic.
        message: String,
    },
}

impl Incident {
    /// Whether the agent's log already has a record of it, so that it need not be logged again.
    #[must_use]
    pub fn is_logged(&self) -> bool {
        matches!(self, Incident::Panicked { logged: true, .. } | Incident::BrokenOff { logged: true, .. })
    }
}

/// A request with the route that serves it, as text.
struct DescribedRequest<'a>(&'a Method, &'a str, Option<&'a Route>);

impl fmt::Display for DescribedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DescribedRequest(method, target, route) = self;
        write!(f, "{method} {target}")?;
        match route {
            Some(Route { path, owner, .. }) if path == target => write!(f, " of `{owner}`"),
            Some(Route { path, owner, .. }) => write!(f, " (`{path}` of `{owner}`)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incident::Panicked { method, path, route, message, .. } => {
                write!(f, "the handler of {} panicked: {message}", DescribedRequest(method, path, route.as_ref()))
            }
            Incident::Failed { method, path, route, message } => {
                write!(f, "the handler of {} failed: {message}", DescribedRequest(method, path, route.as_ref()))
            }
            Incident::BrokenOff { method, path, route, message, .. } => {
                write!(
                    f,
                    "the body of the answer to {} panicked: {message}",
                    DescribedRequest(method, path, route.as_ref())
                )
            }
            Incident::NotAnswered { method, path, route, after } => {
                let request = DescribedRequest(method, path, route.as_ref());
                write!(f, "the handler of {request} did not answer within {after:?}: it is dropped")
            }
            Incident::Blocked { method, path, route, took } => {
                let request = DescribedRequest(method, path, route.as_ref());
                write!(
                    f,
                    "the handler of {request} has blocked its thread for {took:.1?}: what blocks belongs in `tokio::task::spawn_blocking`"
                )
            }
            Incident::FewFiles { connections, files } => {
                write!(
                    f,
                    "no more than {connections} connections are taken at once: the process may open {files} files. Raise that limit (`ulimit -n`, `LimitNOFILE=`), or lower `max-connections`"
                )
            }
            Incident::NotAccepted { error, again } => {
                write!(f, "a connection was not accepted: {error}; next try in {again:?}")
            }
            Incident::ConnectionPanicked { request, route, message } => {
                f.write_str("a connection is closed, since its task panicked")?;
                if let Some((method, path)) = request {
                    write!(f, " while it answered {}", DescribedRequest(method, path, route.as_ref()))?;
                }
                write!(f, ": {message}")
            }
            Incident::NotRenewed { message } => {
                write!(f, "a handler panicked while new routes took their place: {message}")
            }
            Incident::NotLogged { message } => write!(f, "the request observer panicked: {message}"),
        }
    }
}
