//! What a handler returns: a future ([`Async`]) of a response ([`Gives`]).

use axum::response::{IntoResponse, Response};
use std::future::Future;

/// What a call of a handler returns: a future of an `Answer`.
#[diagnostic::on_unimplemented(
    message = "CN035: not a handler of HTTP requests: it is not `async`, it returns `{Self}` directly",
    label = "write `async fn`, `async || ..` or `async move || ..`"
)]
pub trait Async<Answer>: Future<Output = Answer> {
    /// Always `()`: see [`Asked`](super::Asked).
    #[doc(hidden)]
    type Is;
}

#[diagnostic::do_not_recommend]
impl<F: Future> Async<F::Output> for F {
    type Is = ();
}

/// What a handler may return: any response. (The trait is on the future, with the answer as its second parameter: for a
/// type of your own, rustc would also show where it is defined, in four more lines.)
#[diagnostic::on_unimplemented(
    message = "CN035: not a handler of HTTP requests: it returns `{Answer}`, which is not a response",
    label = "a response is a string, `Json` of a type with `Serialize`, a `StatusCode`, a tuple of these, or a `cninfra::Result` of one of them; your own type, or a `Result` with another error type, is not"
)]
pub trait Gives<Answer> {
    /// Always `()`: see [`Asked`](super::Asked).
    #[doc(hidden)]
    type Is;
    /// The response.
    fn response(answer: Answer) -> Response;
}

#[diagnostic::do_not_recommend]
impl<F, Answer: IntoResponse> Gives<Answer> for F {
    type Is = ();

    fn response(answer: Answer) -> Response {
        answer.into_response()
    }
}
