//! [`RouteHandler`]: axum's handlers, with words of ours for what is none.

use axum::handler::Handler;

/// A handler of HTTP requests: every [`Handler`] of axum is one, and nothing else.
///
/// It is an `async fn` or an async closure. What it takes are *extractors*: [`State`](axum::extract::State), [`Path`](super::Path), [`Query`](super::Query) and others, at
/// most one of which has the request's body ([`Json`](super::Json), `String`, `Bytes`): the last one. What it returns is a *response*: a text,
/// [`Json`](super::Json), a [`StatusCode`](axum::http::StatusCode), a tuple of them, a `Result` of two of them, or a [`Result`](crate::Result).
// all in the message and the label: a note would be a thirteenth line
#[diagnostic::on_unimplemented(
    message = "CN035: no handler of HTTP requests: mostly what it returns is no response (text, `Json`, a `StatusCode`, a `cninfra::Result` of one are; a type of one's own, a `Result` with another error are not), \
               or an argument is no extractor (`Path`, `Query`, `State` of what `.with_state(..)` gives; what takes the body, such as `Json`, as the last)",
    label = "see below what it takes and returns; if that is right, it is not `async`, or holds what is not `Send` over an `await`, or takes it (a `Dep<dyn Trait>` of a trait without `#[interface]`)"
)]
pub trait RouteHandler<T, S>: Handler<T, S> {}

#[diagnostic::do_not_recommend]
impl<H: Handler<T, S>, T, S> RouteHandler<T, S> for H {}
