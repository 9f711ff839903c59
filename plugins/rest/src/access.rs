//! [`Access`]: one request and its answer.

use axum::http::{Method, StatusCode};
use cninfra::http::Route;
use std::{net::SocketAddr, time::Duration};

/// One request and its answer, as an access log has them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Access {
    /// The request's method; `-` where what came was no request, which the server answers by itself.
    pub method: Method,
    /// The request's path (`-` where there is none), without the query: that may hold what is not for a log.
    pub path: String,
    /// The status of the answer.
    pub status: StatusCode,
    /// From the end of the request's head to the end of the answer, or to where it broke off.
    pub took: Duration,
    /// Who asked.
    pub peer: SocketAddr,
    /// The route that has answered, with its owner, where that is known.
    pub route: Option<Route>,
}
