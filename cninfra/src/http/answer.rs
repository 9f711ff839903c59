//! What a server answers if no route does: errors are JSON.

use crate::{Error, marks::escaped_in_json};
use axum::{
    http::{
        HeaderValue, Method, StatusCode, Uri,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::borrow::Cow;

/// An error in the form in which servers answer it: `{"error":"not found"}`. For authors of servers, and of handlers
/// whose errors should look the same.
#[must_use]
pub fn error(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "error": text }).to_string();
    (status, [(CONTENT_TYPE, "application/json")], escaped_in_json(&body).into_owned()).into_response()
}

/// The response with a value as JSON.
pub(super) fn json(value: &impl Serialize) -> Response {
    written(serde_json::to_string(value))
}

/// A value as JSON, indented by two spaces and with a line end, for people who look at it in a terminal. If it cannot
/// be written, the answer is 500, and the log says why.
///
/// ```
/// use cninfra::http::{Routes, indented_json, testing::Client};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let client = Client::of(Routes::new().get("/numbers", async || indented_json(&[1, 2])));
/// assert_eq!(client.get("/numbers").await.text(), "[\n  1,\n  2\n]\n");
/// # }
/// ```
#[must_use]
pub fn indented(value: &impl Serialize) -> Response {
    written(serde_json::to_string_pretty(value).map(|body| body + "\n"))
}

/// A response in JSON. Marks in its texts are escaped, so that they cannot deceive anyone who looks at it in a
/// terminal.
fn written(body: serde_json::Result<String>) -> Response {
    match body {
        Ok(body) => {
            let body = match escaped_in_json(&body) {
                Cow::Borrowed(_) => body,
                Cow::Owned(escaped) => escaped,
            };
            ([(CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(error) => Error::msg(format!("the answer cannot be written: {error}")).into_response(),
    }
}

/// The answer for a path without routes. `OPTIONS *` is about the server itself.
pub(super) async fn not_found(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS && uri.path() == "*" {
        return options(HeaderValue::from_static("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS"));
    }
    error(StatusCode::NOT_FOUND, "not found")
}

/// The answer for a path whose routes have other methods.
pub(super) fn method_not_allowed(allow: HeaderValue) -> Response {
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// The answer to requests that are not answered while the agent is starting.
pub(super) fn starting() -> Response {
    unavailable("the agent is starting")
}

/// The answer to requests that cannot be answered now, but soon.
pub(super) fn unavailable(text: &str) -> Response {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Like [`starting`], for a path that is answered during the start, but not for this method. `allow` is the same as
/// later.
pub(super) fn starting_with(allow: HeaderValue) -> Response {
    let mut response = starting();
    response.headers_mut().insert(ALLOW, allow);
    response
}

pub(super) fn options(allow: HeaderValue) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, allow)]).into_response()
}

/// The value of `Allow` for a path with routes for these methods.
pub(super) fn allow<'a>(methods: impl Iterator<Item = &'a Method>) -> HeaderValue {
    let mut allowed: Vec<&str> = Vec::new();
    for method in methods {
        let and_head = (*method == Method::GET).then_some("HEAD");
        for name in [method.as_str()].into_iter().chain(and_head) {
            if !allowed.contains(&name) {
                allowed.push(name);
            }
        }
    }
    allowed.push("OPTIONS");
    // Names of methods are always valid.
    HeaderValue::from_str(&allowed.join(",")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}
