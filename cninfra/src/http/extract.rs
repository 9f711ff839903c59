//! [`Json`], [`Path`] and [`Query`]: axum's extractors, with rejections in JSON.

use super::answer;
use axum::{
    extract::{
        FromRequest, FromRequestParts, OptionalFromRequest, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, Uri, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{error::Error, fmt};

/// A request's body parsed from JSON, or a value that is answered as JSON.
///
/// Like [`axum::Json`], but it rejects a body in the form of all errors of a server, `{"error": ".."}`: with 400 (not
/// JSON), 413 (too large), 415 (a `Content-Type` that is not JSON) or 422 (JSON, but not of this type).
/// `Option<Json<T>>` is `None` if the request has no `Content-Type`.
///
/// ```
/// use cninfra::http::{Json, Path, Routes, testing::Client};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let add = async |Path(to): Path<u32>, Json(numbers): Json<Vec<u32>>| Json(to + numbers.iter().sum::<u32>());
/// let client = Client::of(Routes::new().post("/add/{to}", add));
/// assert_eq!(client.post("/add/1").json(&[2, 3]).await.json::<u32>(), 6);
/// let answer = client.post("/add/one").json(&[2, 3]).await;
/// assert_eq!((answer.status.as_u16(), answer.text()), (400, r#"{"error":"Invalid URL: Cannot parse `one` to a `u32`"}"#));
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct Json<T>(pub T);

/// The parameters of a route's path, as [`axum::extract::Path`] reads them. Parameters that do not fit are rejected
/// with 400, in the form of all errors of a server: see [`Json`]. A handler that takes another number of parameters
/// than its route has answers each request with 500, and the log says why.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Path<T>(pub T);

/// The query of a request, as [`axum::extract::Query`] reads it. A query that does not fit is rejected with 400, in the
/// form of all errors of a server: see [`Json`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> Query<T> {
    pub(super) fn of(uri: &Uri) -> Result<Self, Rejection> {
        let axum::extract::Query(value) = axum::extract::Query::try_from_uri(uri)?;
        Ok(Query(value))
    }
}

/// Why [`Json`], [`Path`] or [`Query`] rejects a request. A handler that wants to answer such requests itself takes a
/// `Result<Json<T>, Rejection>`. An extractor of your own makes one from axum's rejection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    status: StatusCode,
    text: String,
}

impl Rejection {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self.status.is_server_error() {
            // A mistake in the handler: for the log, and not for the client.
            true => crate::Error::msg(self.text).with_help(HELP).into_response(),
            false => answer::error(self.status, &self.text),
        }
    }
}

const HELP: &str = "look at what the handler takes: a `Path` has as many values as its route has parameters, or a struct with their names";

impl From<JsonRejection> for Rejection {
    fn from(rejection: JsonRejection) -> Self {
        Rejection { status: rejection.status(), text: rejection.body_text() }
    }
}

impl From<PathRejection> for Rejection {
    fn from(rejection: PathRejection) -> Self {
        Rejection { status: rejection.status(), text: rejection.body_text() }
    }
}

impl From<QueryRejection> for Rejection {
    fn from(rejection: QueryRejection) -> Self {
        Rejection { status: rejection.status(), text: rejection.body_text() }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Rejection> {
        let axum::Json(value) = <axum::Json<T> as FromRequest<S>>::from_request(request, state).await?;
        Ok(Json(value))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Rejection> {
        let value = <axum::Json<T> as OptionalFromRequest<S>>::from_request(request, state).await?;
        Ok(value.map(|axum::Json(value)| Json(value)))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        answer::json(&self.0)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let axum::extract::Path(value) =
            <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(Path(value))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Query::of(&parts.uri)
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::http::{Routes, testing::Client};
    use axum::extract::DefaultBodyLimit;
    use std::collections::BTreeMap;

    fn client() -> Client {
        let routes = Routes::new()
            .post("/json", async |Json(numbers): Json<Vec<u8>>| Json(numbers))
            .layer(DefaultBodyLimit::max(32))
            .post("/maybe", async |numbers: Option<Json<Vec<u8>>>| numbers.map_or(0, |Json(all)| all.len()).to_string())
            .post("/own", async |numbers: Result<Json<Vec<u8>>, Rejection>| match numbers {
                Ok(_) => "taken".to_string(),
                Err(rejection) => format!("mine: {}", rejection.status()),
            })
            .get("/path/{a}/{b}", async |Path((a, b)): Path<(u8, String)>| format!("{a} {b}"))
            .get("/query", async |Query(query): Query<BTreeMap<String, u8>>| Json(query))
            .get("/bad", async || Json(BTreeMap::from([((1, 2), 3)])))
            .get("/plain", async || (StatusCode::BAD_REQUEST, "a handler's own"));
        Client::of(routes)
    }

    #[tokio::test]
    async fn what_is_taken_is_as_with_axum() {
        let client = client();
        let answer = client.post("/json").json(&[1, 2]).await;
        assert_eq!((answer.json::<Vec<u8>>(), answer.header("content-type")), (vec![1, 2], Some("application/json")));
        assert_eq!(client.post("/maybe").json(&[1, 2]).await.text(), "2");
        assert_eq!(client.post("/maybe").await.text(), "0");
        assert_eq!(client.get("/path/7/b").await.text(), "7 b");
        assert_eq!(client.get("/query?a=1&b=2").await.text(), r#"{"a":1,"b":2}"#);
    }

    #[tokio::test]
    async fn what_is_not_taken_is_answered_in_json() {
        let client = client();
        let post = |body: &str| client.post("/json").header("content-type", "application/json").body(body.to_string());
        for (call, status, part) in [
            (client.get("/path/300/b"), 400, "Cannot parse"),
            (client.get("/query?a=x"), 400, "Failed to deserialize query string"),
            (post("[1, 2"), 400, "EOF while parsing"),
            (post(&format!("[{}]", "1, ".repeat(20))), 413, "length limit exceeded"),
            (client.post("/json").body("[1]"), 415, "Content-Type: application/json"),
            (client.post("/maybe").header("content-type", "text/plain").body("[1]"), 415, "application/json"),
            (post(r#"{"a": 1}"#), 422, "expected a sequence"),
        ] {
            let answer = call.await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, Some("application/json")));
            let error = answer.json::<BTreeMap<String, String>>();
            assert!(error.len() == 1 && error["error"].contains(part), "{status} {part}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_mistake_of_the_handlers_is_for_the_log() {
        let wrong = Routes::new()
            .get("/arity/{a}", async |Path((a, b)): Path<(u8, u8)>| format!("{a} {b}"))
            .get("/type/{a}", async |Path(a): Path<Vec<Vec<u8>>>| format!("{a:?}"))
            .get("/bad", async || Json(BTreeMap::from([((1, 2), 3)])));
        let client = Client::of(wrong);
        for (path, why) in [
            ("/arity/1", "Wrong number of path arguments"),
            ("/type/1", "Unsupported type"),
            ("/bad", "the answer cannot be written: key must be a string"),
        ] {
            let answer = client.get(path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.text()),
                (500, r#"{"error":"internal server error"}"#),
                "{path}"
            );
            assert!(answer.failure().is_some_and(|told| told.starts_with(why)), "{path}: {:?}", answer.failure());
        }
    }

    #[tokio::test]
    async fn what_handlers_answer_is_theirs() {
        let client = client();
        let answer = client.get("/plain").await;
        assert_eq!(
            (answer.text(), answer.header("content-type")),
            ("a handler's own", Some("text/plain; charset=utf-8"))
        );
        assert_eq!(client.post("/own").body("x").await.text(), "mine: 415 Unsupported Media Type");
    }
}
