//! [`Incident`]: what a server reports while it serves.

use axum::http::Method;
use cninfra::http::Route;
use std::{fmt, io, time::Duration};

/// Something that went wrong while the server serves on. Its `Display` is a line for a log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incident {
    /// A handler panicked; its request is answered with 500.
    Panicked {
        /// The request's method.
        method: Method,
        /// The request's path, without the query: that may hold what is not for a log.
        path: String,
        /// The handler's route, with its owner, where that is known.
        route: Option<Route>,
        /// What it panicked with.
        message: String,
    },
    /// A handler did not answer in time: it is dropped, and its request answered with 503.
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
    /// A connection could not be accepted: most likely the process has too many open files. Told again only after ten seconds.
    NotAccepted {
        /// Why.
        error: io::Error,
        /// When the server tries again.
        again: Duration,
    },
}

/// A handler, by what it was asked.
struct Handler<'a>(&'a Method, &'a str, Option<&'a Route>);

impl fmt::Display for Handler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Handler(method, asked, route) = self;
        write!(f, "the handler of {method} {asked}")?;
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
            Incident::Panicked { method, path, route, message } => {
                write!(f, "{} panicked: {message}", Handler(method, path, route.as_ref()))
            }
            Incident::NotAnswered { method, path, route, after } => {
                let handler = Handler(method, path, route.as_ref());
                write!(f, "{handler} did not answer within {after:?}: it is dropped")
            }
            Incident::NotAccepted { error, again } => {
                write!(f, "a connection was not accepted: {error}; next try in {again:?}")
            }
        }
    }
}
