//! [`RouteHandler`]: what answers a route, with words of ours for each way in which something is none.
//!
//! axum has one trait for it all, of whose impls rustc can only say that none fits. Here each condition is asked by itself, of a trait of its own, so that just
//! what is not fulfilled is told: whether it is a function ([`RouteHandler`]), whether it is `async` ([`Async`]), what it answers ([`Gives`]), and what it is called
//! with ([`Extracted`]).

mod answer;
mod arguments;
mod asked;
mod held;
mod kinds;

pub use self::{
    answer::{Async, Gives},
    arguments::Extracted,
    asked::{Answers, Asked, Asking, OfState},
};
pub(super) use held::Shared;

/// A handler of a route: an `async fn` or an async closure.
///
/// Its arguments are *extractors*: [`State`](axum::extract::State), [`Path`](super::Path), [`Query`](super::Query) and
/// others, at most 16. At most one of them, the last, consumes the request's body ([`Json`](super::Json), `String`,
/// `Bytes`). It returns a *response*: a text, [`Json`](super::Json), a [`StatusCode`](axum::http::StatusCode), a tuple
/// of them, a `Result` of two of them, or a [`Result`](crate::Result).
///
/// A value that is a response is a handler, too, and so are a [`MethodRouter`](axum::routing::MethodRouter) of axum,
/// and one of axum's handlers with a layer around it. To use anything else that implements axum's `Handler`, call it in
/// a closure:
///
/// ```
/// use cninfra::http::{Routes, axum::{extract::{Request, State}, handler::Handler}};
///
/// fn routes<T: 'static>(handler: impl Handler<T, u32> + Sync) -> Routes {
///     let called = move |State(state): State<u32>, request: Request| handler.clone().call(request, state);
///     Routes::new().get("/", called).with_state(1)
/// }
/// ```
///
/// `K` is the kind of the handler, which rustc infers.
pub trait RouteHandler<K: Kind> {
    /// As its kind has it.
    #[doc(hidden)]
    fn handler(self) -> K::Handler;
}

/// The kind of a [`RouteHandler`], with all that is required of it.
pub trait Kind {
    /// The handler itself.
    type Handler: Clone + 'static;
    /// The arguments it is called with.
    type Arguments;
    /// What a call returns: a future.
    type Returned;

    /// Calls it.
    #[doc(hidden)]
    fn call(handler: Self::Handler, arguments: Self::Arguments) -> Self::Returned;
}
