//! [`RouteError`]: why a route is not accepted.

use axum::http::Method;
use std::{error::Error, fmt};

/// A route that cannot be accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RouteError {
    /// Its path is not valid.
    #[non_exhaustive]
    Path {
        /// The plugin that registers it.
        owner: String,
        /// The path.
        path: String,
        /// What is wrong with it, and how to fix it.
        wrong: &'static str,
    },
    /// Its method is not a standard method of HTTP.
    #[non_exhaustive]
    Method {
        /// The plugin that registers it.
        owner: String,
        /// The method.
        method: Method,
        /// The path.
        path: String,
    },
    /// Another route answers the same requests.
    #[non_exhaustive]
    Overlap {
        /// The plugin that registers the route.
        owner: String,
        /// The route's method.
        method: Method,
        /// The route's path.
        path: String,
        /// The plugin that has the other route; it may be the same plugin.
        other_owner: String,
        /// The path of the other route.
        other_path: String,
    },
    /// Its path cannot be distinguished from that of another route, though the two differ.
    #[non_exhaustive]
    Ambiguous {
        /// The plugin that registers the route.
        owner: String,
        /// The route's path.
        path: String,
        /// The plugin that has the other route; it may be the same plugin.
        other_owner: String,
        /// The path of the other route.
        other_path: String,
    },
}

impl RouteError {
    /// What can be done about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            RouteError::Path { wrong, .. } => wrong.split_once(": ").map_or(wrong, |(_, help)| help),
            RouteError::Method { .. } => "use GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, TRACE or CONNECT",
            RouteError::Overlap { .. } => "give one of them another path, or leave one of the plugins out",
            RouteError::Ambiguous { .. } => "give the parameters at the same place the same name, or use other paths",
        }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouteError::Path { owner, path, wrong } => {
                let what = wrong.split_once(": ").map_or(*wrong, |(what, _)| what);
                write!(f, "the path `{path}` of `{owner}` {what}")
            }
            RouteError::Method { owner, method, path } => {
                write!(f, "`{owner}` registers `{method} {path}`, but `{method}` is not an HTTP method")
            }
            RouteError::Overlap { owner, method, path, other_owner, other_path } if path == other_path => {
                write!(f, "`{owner}` registers `{method} {path}`, which `{other_owner}` has registered already")
            }
            RouteError::Overlap { owner, method, path, other_owner, other_path } => {
                write!(
                    f,
                    "`{owner}` registers `{method} {path}`, where `{other_path}` of `{other_owner}` answers already"
                )
            }
            RouteError::Ambiguous { owner, path, other_owner, other_path } => {
                write!(f, "the path `{path}` of `{owner}` cannot be told from `{other_path}` of `{other_owner}`")
            }
        }
    }
}

impl Error for RouteError {}
