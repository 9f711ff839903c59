//! [`Failure`]: how a handler's error is answered, and how the server learns of it.

use super::answer;
use crate::Error;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::{fmt, sync::Arc};

/// The text of an [`Error`] that a handler has returned, as an extension of its response, so that the server can log
/// it.
///
/// A handler may return [`cninfra::Result`](crate::Result), so `?` works in it as everywhere. An error is answered with
/// 500 and `{"error":"internal server error"}`: the error itself and its causes are for the operator of the agent, and
/// not for the client. For mistakes of the client use [`error_response`](super::error_response).
///
/// An error of a store that cannot be reached or does not answer in time (`keyval::Reason::Unavailable` and `TimedOut`)
/// is answered with 503, `Retry-After: 1` and `{"error":"service unavailable"}`, also if it is the cause of another
/// error, since it is temporary. A change may have been applied nevertheless; a handler for which that matters has to
/// look at the error before it returns it.
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
    /// The error with its causes and its help, if it has one, as it is written to a log.
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
        let mut response = match self.may_pass() {
            true => answer::unavailable("service unavailable"),
            false => answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal server error"),
        };
        // The `Debug` form includes the help.
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

    #[cfg(feature = "keyval")]
    #[tokio::test]
    async fn a_store_that_is_away_is_a_matter_of_time() {
        use crate::{
            ErrorContext as _,
            keyval::{KvError, Reason},
        };
        use std::{error, fmt, time::Duration};

        #[derive(Debug)]
        struct Lost(KvError);
        impl fmt::Display for Lost {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "the contact is lost")
            }
        }
        impl error::Error for Lost {
            fn source(&self) -> Option<&(dyn error::Error + 'static)> {
                Some(&self.0)
            }
        }

        let told = async |reason: Reason| {
            let failed = move || -> crate::Result<()> {
                // It is also found as the cause of another error.
                Err(Lost(KvError::new("get", reason.clone()).at("10.0.0.1:2379"))).context("alice")
            };
            let answer = Client::of(Routes::new().get("/", async move || failed())).get("/").await;
            let retry = answer.header("retry-after").map(str::to_string);
            let failure = answer.failure().unwrap().to_string();
            assert!(failure.starts_with("alice: the contact is lost: get at 10.0.0.1:2379: "), "{failure}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            (answer.status.as_u16(), retry, answer.text().to_string())
        };
        for reason in [Reason::Unavailable, Reason::TimedOut(Duration::from_secs(3))] {
            let away = (503, Some("1".to_string()), r#"{"error":"service unavailable"}"#.to_string());
            assert_eq!(told(reason).await, away);
        }
        for reason in [Reason::Invalid, Reason::NOT_CONFIGURED, Reason::Denied, Reason::Full, Reason::Closed] {
            let wrong = (500, None, r#"{"error":"internal server error"}"#.to_string());
            assert_eq!(told(reason).await, wrong);
        }
    }
}
