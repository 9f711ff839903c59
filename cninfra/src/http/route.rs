//! [`Route`]: one route without its handler.

use axum::http::Method;

/// One route of a server, without its handler.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Route {
    /// The method. A `GET` route answers `HEAD` too.
    pub method: Method,
    /// The pattern of the path: `/contacts/{name}`.
    pub path: String,
    /// The instance name of the plugin that registered it.
    pub owner: String,
    /// What it is for; empty if its owner has not said so.
    pub summary: String,
    /// Whether it is answered while the agent is still starting. See
    /// [`Routes::during_start`](super::Routes::during_start).
    pub during_start: bool,
}

impl Route {
    /// Whether this route and one for the other method would answer the same requests, if they had the same path.
    pub(super) fn same_method(&self, other: &Method) -> bool {
        let of_get = |a: &Method, b: &Method| a == Method::GET && b == Method::HEAD;
        self.method == other || of_get(&self.method, other) || of_get(other, &self.method)
    }
}
