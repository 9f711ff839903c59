//! [`RouteHandler`]: what answers a route, with our own error message for each requirement that is not met.
//!
//! axum has a single trait for all requirements, and rustc can only say that none of its impls fits. Here each
//! requirement is a trait of its own, so that just the one that is not met is reported: that it is a function
//! ([`RouteHandler`]), that it is `async` ([`Async`]), what it returns ([`Gives`]), and which arguments it takes
//! ([`Extracted`]).

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
    /// Converts it to the type that its kind has.
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
