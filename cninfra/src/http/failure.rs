//! [`Failure`]: what a handler's error becomes.

use super::answer;
use crate::Error;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::{fmt, sync::Arc};

/// What an [`Error`] said that a handler has returned, as an extension of its answer: for the server, which tells it in its log.
///
/// A handler may return [`cninfra::Result`](crate::Result), so `?` does in it what it does everywhere. The answer to an error is 500 with
/// `{"error":"internal server error"}`: what went wrong inside, with all its causes, is for who runs the agent, and not for who asks it. What a client has
/// done wrong is answered by [`error_response`](super::error_response).
///
/// ```
/// use cninfra::{ErrorContext, Result, http::{Json, Path, Routes, testing::Client}};
///
/// async fn tell(Path(name): Path<String>) -> Result<Json<u32>> {
///     let text = std::fs::read_to_string("/no/such/file").context(format_args!("the number of {name}"))?;
///     Ok(Json(text.parse()?))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let client = Client::of(Routes::new().get("/numbers/{name}", tell));
/// let answer = client.get("/numbers/bob").await;
/// assert_eq!((answer.status.as_u16(), answer.text()), (500, r#"{"error":"internal server error"}"#));
/// assert!(answer.failure().is_some_and(|text| text.starts_with("the number of bob: ")));
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(Arc<str>);

impl Failure {
    /// The error and its causes, and its mend where it has one: as it is told in a log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal server error");
        // with its mend
        response.extensions_mut().insert(Failure(format!("{self:?}").into()));
        response
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use crate::{
        Error,
        http::{Routes, testing::Client},
    };

    #[tokio::test]
    async fn what_went_wrong_inside_is_for_the_log() {
        let bad = async || Err::<(), _>(Error::msg("the password is `x`").with_help("take another one"));
        let answer = Client::of(Routes::new().get("/", bad)).get("/").await;
        let found = (answer.status.as_u16(), answer.header("content-type"), answer.text());
        assert_eq!(found, (500, Some("application/json"), r#"{"error":"internal server error"}"#));
        assert_eq!(answer.failure(), Some("the password is `x`\n  help: take another one"));
        let fine = Client::of(Routes::new().get("/", async || Ok::<_, Error>("fine"))).get("/").await;
        assert_eq!((fine.text(), fine.failure()), ("fine", None));
    }
}
