//! [`Incident`]: what a server reports while it serves.

use axum::http::Method;
use cninfra::http::Route;
use std::{fmt, io, time::Duration};

/// Something that went wrong while the server serves on. Its `Display` is a line for a log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incident {
    /// A handler panicked, or the destructor of what it has left. Its request is answered with 500, where it was not answered before.
    #[non_exhaustive]
    Panicked {
        /// The request's method.
        method: Method,
        /// The request's path, without the query: that may hold what is not for a log.
        path: String,
        /// The handler's route, with its owner, where that is known.
        route: Option<Route>,
        /// What it panicked with.
        message: String,
        /// The log of the agent has a record of it already, with the route, its owner, and where it was: see [`Panic::is_logged`](cninfra::agent::Panic::is_logged).
        logged: bool,
    },
    /// A handler has returned an error of cninfra's: its request is answered with 500 (503 where a store is away), without a word of it. See [`Failure`](cninfra::http::Failure).
    #[non_exhaustive]
    Failed {
        /// The request's method.
        method: Method,
        /// The request's path, without the query: that may hold what is not for a log.
        path: String,
        /// The handler's route, with its owner, where that is known.
        route: Option<Route>,
        /// The error, with its causes.
        message: String,
    },
    /// The body of an answer panicked: the answer breaks off, and its connection is closed.
    #[non_exhaustive]
    BrokenOff {
        /// The request's method.
        method: Method,
        /// The request's path, without the query: that may hold what is not for a log.
        path: String,
        /// The handler's route, with its owner, where that is known.
        route: Option<Route>,
        /// What it panicked with.
        message: String,
        /// The log of the agent has a record of it already, with the route, its owner, and where it was: see [`Panic::is_logged`](cninfra::agent::Panic::is_logged).
        logged: bool,
    },
    /// A handler did not answer in time: it is dropped, and its request answered with 503.
    #[non_exhaustive]
    NotAnswered {
        /// The request's method.
        method: Method,
        /// The request's path, without the query: that may hold what is not for a log.
        path: String,
        /// The handler's route, with its owner, where that is known.
        route: Option<Route>,
        /// The time that it had.
        after: Duration,
    },
    /// A handler has kept its thread: for longer than it has to answer, or for more than a second. Told when it comes back.
    #[non_exhaustive]
    Blocked {
        /// The request's method.
        method: Method,
        /// The request's path, without the query: that may hold what is not for a log.
        path: String,
        /// The handler's route, with its owner, where that is known.
        route: Option<Route>,
        /// How long.
        took: Duration,
    },
    /// A connection could not be accepted: most likely the process has too many open files. Told again only after ten seconds.
    #[non_exhaustive]
    NotAccepted {
        /// Why.
        error: io::Error,
        /// When the server tries again.
        again: Duration,
    },
    /// There are as many connections as the process has files for: fewer than [`Limits::connections`](crate::Limits::connections). The next ones wait, so that files
    /// are left for others. Told once.
    #[non_exhaustive]
    FewFiles {
        /// So many connections are taken at once.
        connections: usize,
        /// So many files may the process open.
        files: usize,
    },
    /// The task of a connection panicked, somewhere else than where a handler and its answer are called: the connection is closed.
    #[non_exhaustive]
    ConnectionPanicked {
        /// The method and the path of the request that was in flight, if there was one.
        request: Option<(Method, String)>,
        /// Its route, with the owner, where that is known.
        route: Option<Route>,
        /// What it panicked with.
        message: String,
    },
    /// A handler panicked, when it was cloned or dropped, while routes that came during the start took their place. The request is answered by the routes
    /// that there are, and the next one tries again.
    #[non_exhaustive]
    NotRenewed {
        /// What it panicked with.
        message: String,
    },
    /// What is told of requests ([`Server::access_to`](crate::Server::access_to)) panicked.
    #[non_exhaustive]
    NotLogged {
        /// What it panicked with.
        message: String,
    },
}

impl Incident {
    /// Has the agent's log a record of it, so that it need not be logged once more?
    #[must_use]
    pub fn is_logged(&self) -> bool {
        matches!(self, Incident::Panicked { logged: true, .. } | Incident::BrokenOff { logged: true, .. })
    }
}

/// A request, with the route that answers it.
struct Asked<'a>(&'a Method, &'a str, Option<&'a Route>);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked(method, asked, route) = self;
        write!(f, "{method} {asked}")?;
        match route {
            Some(Route { path, owner, .. }) if path == asked => write!(f, " of `{owner}`"),
            Some(Route { path, owner, .. }) => write!(f, " (`{path}` of `{owner}`)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incident::Panicked { method, path, route, message, .. } => {
                write!(f, "the handler of {} panicked: {message}", Asked(method, path, route.as_ref()))
            }
            Incident::Failed { method, path, route, message } => {
                write!(f, "the handler of {} failed: {message}", Asked(method, path, route.as_ref()))
            }
            Incident::BrokenOff { method, path, route, message, .. } => {
                write!(f, "the body of the answer to {} panicked: {message}", Asked(method, path, route.as_ref()))
            }
            Incident::NotAnswered { method, path, route, after } => {
                let asked = Asked(method, path, route.as_ref());
                write!(f, "the handler of {asked} did not answer within {after:?}: it is dropped")
            }
            Incident::Blocked { method, path, route, took } => {
                let asked = Asked(method, path, route.as_ref());
                write!(
                    f,
                    "the handler of {asked} has blocked its thread for {took:.1?}: what blocks belongs in `tokio::task::spawn_blocking`"
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
                    write!(f, " while it answered {}", Asked(method, path, route.as_ref()))?;
                }
                write!(f, ": {message}")
            }
            Incident::NotRenewed { message } => {
                write!(f, "a handler panicked while new routes took their place: {message}")
            }
            Incident::NotLogged { message } => write!(f, "who is told of requests panicked: {message}"),
        }
    }
}
