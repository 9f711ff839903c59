//! In which form an answer is wanted, and the answer in it.

use cninfra::{
    graph::Format,
    http::{
        axum::{
            http::{
                HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
                header::{CACHE_CONTROL, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS},
            },
            response::{IntoResponse, Response},
        },
        error_response, indented_json, wanted_form,
    },
};
use serde::Serialize;

/// HTML, with all texts escaped.
pub(crate) type Html = String;

/// How an answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Json,
    Html,
    /// One of the forms of a graph.
    Other(Format),
}

/// As the query says, or else the headers; or what is wrong with it. `others` are the formats that there are beside those of all pages: forms of a graph.
pub(crate) fn form(headers: &HeaderMap, uri: &Uri, others: &[&'static str]) -> Result<Form, String> {
    match wanted_form(headers, uri, others)? {
        "json" => Ok(Form::Json),
        "html" => Ok(Form::Html),
        other => other.parse().map(Form::Other).map_err(|error| error.to_string()),
    }
}

pub(crate) fn refused(why: &str) -> Response {
    about(error_response(StatusCode::BAD_REQUEST, why))
}

/// What was to be told has panicked.
pub(crate) fn failed() -> Response {
    about(error_response(StatusCode::INTERNAL_SERVER_ERROR, "it cannot be told: see the log"))
}

/// Indented, for those who look at it in a terminal.
pub(crate) fn json(body: &impl Serialize) -> Response {
    about(indented_json(body))
}

pub(crate) fn text(text: String) -> Response {
    about(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// What a page has, too.
fn about(mut response: Response) -> Response {
    let all: [(HeaderName, &str); 3] =
        [(CACHE_CONTROL, "no-store"), (VARY, "accept"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    response.headers_mut().extend(all.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
