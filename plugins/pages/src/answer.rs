//! The form in which a client wants a response, and the response in it.

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

/// HTML in which all texts are escaped.
pub(crate) type Html = String;

/// The form of a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Json,
    Html,
    /// A format of the graph.
    Other(Format),
}

/// The form that the query names, otherwise the headers; or what is wrong with the query. `others` are the formats
/// beside those of all pages: those of the graph.
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

/// The response if making the page panicked.
pub(crate) fn failed() -> Response {
    about(error_response(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made: see the log"))
}

/// Indented, since it may be read in a terminal.
pub(crate) fn json(body: &impl Serialize) -> Response {
    about(indented_json(body))
}

pub(crate) fn text(text: String) -> Response {
    about(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// Adds the headers that pages have, too.
fn about(mut response: Response) -> Response {
    let all: [(HeaderName, &str); 3] =
        [(CACHE_CONTROL, "no-store"), (VARY, "accept"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    response.headers_mut().extend(all.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
