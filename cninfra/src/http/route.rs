//! [`Route`]: what is known of one route.

use axum::http::Method;

/// One route of a server, without its handler.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Route {
    /// The method. A `GET` route answers `HEAD` too.
    pub method: Method,
    /// The path's pattern: `/contacts/{name}`.
    pub path: String,
    /// The instance name of the plugin that registered it.
    pub owner: String,
    /// What it is for; empty where its owner has not said.
    pub summary: String,
    /// Is it answered while the agent still starts? See [`Routes::during_start`](super::Routes::during_start).
    pub during_start: bool,
}

impl Route {
    /// Would both answer the same requests, if their paths are the same?
    pub(super) fn same_method(&self, other: &Method) -> bool {
        let of_get = |a: &Method, b: &Method| a == Method::GET && b == Method::HEAD;
        self.method == other || of_get(&self.method, other) || of_get(other, &self.method)
    }
}
