//! In which form an answer is wanted, and the answer in it.

use cninfra::{
    graph::Format,
    http::{
        Query, Rejection,
        axum::{
            http::{
                HeaderMap, HeaderName, HeaderValue, StatusCode,
                header::{CACHE_CONTROL, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS},
            },
            response::{IntoResponse, Response},
        },
        error_response, indented_json, wants_html,
    },
};
use serde::{Deserialize, Serialize};

/// HTML, with all texts escaped.
pub(crate) type Html = String;

/// The query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    format: Option<String>,
}

/// How an answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Json,
    Html,
    /// One of the forms of a graph.
    Other(Format),
}

/// As the query says, or else the headers; or what is wrong with it. `others` are the formats that there are beside those of all pages.
pub(crate) fn form(
    headers: &HeaderMap,
    asked: Result<Query<Asked>, Rejection>,
    others: &[&str],
) -> Result<Form, String> {
    match asked {
        Err(refused) => Err(refused.to_string()),
        Ok(Query(Asked { format: None })) if wants_html(headers) => Ok(Form::Html),
        Ok(Query(Asked { format: None })) => Ok(Form::Json),
        Ok(Query(Asked { format: Some(format) })) => match (&*format, format.parse()) {
            ("json", _) => Ok(Form::Json),
            ("html", _) => Ok(Form::Html),
            (name, Ok(other)) if others.contains(&name) => Ok(Form::Other(other)),
            _ => Err(format!("no format `{format}`; one of {}", [&["json", "html"], others].concat().join(", "))),
        },
    }
}

pub(crate) fn refused(why: &str) -> Response {
    about(error_response(StatusCode::BAD_REQUEST, why))
}

/// What was to be told has panicked.
pub(crate) fn failed() -> Response {
    about(error_response(StatusCode::INTERNAL_SERVER_ERROR, "it can not be told: see the log"))
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
