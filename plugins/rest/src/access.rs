//! [`Access`]: a request and its response, for the access log.

use axum::http::{Method, StatusCode};
use cninfra::http::Route;
use std::{net::SocketAddr, time::Duration};

/// One request and its response, for an access log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Access {
    /// The request's method. `-` if it was not a valid request, which the server answers itself.
    pub method: Method,
    /// The request's path (`-` if there is none), without the query, which may contain what must not be logged.
    pub path: String,
    /// The status of the response.
    pub status: StatusCode,
    /// The time from the end of the request's head to the end of the response, or to where it broke off.
    pub took: Duration,
    /// The address of the client.
    pub peer: SocketAddr,
    /// The route that answered, with its owner, if that is known.
    pub route: Option<Route>,
}
