//! [`Incident`]: what a server reports while it serves.

use axum::http::{Method, Uri};
use std::{fmt, io, time::Duration};

/// Something that went wrong while the server serves on. Its `Display` is a line for a log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incident {
    /// A handler panicked; its request is answered with 500.
    Panicked {
        /// The request's method.
        method: Method,
        /// The request's target.
        uri: Uri,
        /// What it panicked with.
        message: String,
    },
    /// A connection could not be accepted: most likely the process has too many open files.
    NotAccepted {
        /// Why.
        error: io::Error,
        /// When the server tries again.
        again: Duration,
    },
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // without the query: it may hold what is not for the log
            Incident::Panicked { method, uri, message } => {
                write!(f, "the handler of {method} {} panicked: {message}", uri.path())
            }
            Incident::NotAccepted { error, again } => {
                write!(f, "a connection was not accepted: {error}; next try in {again:?}")
            }
        }
    }
}
