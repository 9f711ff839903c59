//! [`Asked`], [`OfState`]: how routes ask, so that what is wrong with a handler is told once, and in few lines.

use super::{Async, Extracted, Gives, Kind, RouteHandler, Shared};
use axum::{http::Method, routing::MethodRouter};
use std::sync::Arc;

/// All that is asked of a handler, once more, as a type. What is not fulfilled is told of the type, at the method's name: without the bound that asks, which are
/// five lines, so that there is room for two more where rustc shortens the names of types. And of the bound it is not told again, since that is asked of nothing that
/// is given: `K`, `T`, `By` and `A` are found by the compiler, so the bound stands at the method's name for it, too.
pub type Asked<H, K, T, By, A> = (
    <Asking as Answers<K, H>>::Is,
    <<K as Kind>::Arguments as Extracted<T, By, <K as Kind>::Returned, <K as Kind>::Handler>>::Is,
    <<K as Kind>::Returned as Async<A>>::Is,
    <<K as Kind>::Returned as Gives<A>>::Is,
);

/// Routes whose handlers take the state `T`, which is a name that is not given: see [`Asked`].
pub trait OfState<T> {
    /// These routes, and one more.
    #[doc(hidden)]
    fn add(self, method: Method, path: String, handler: Option<Arc<MethodRouter<Shared<T>>>>) -> Self;
}

/// Who asks whether something is a handler. (Of `H` itself rustc would tell where it is, and the call.)
#[derive(Debug)]
pub struct Asking;

/// `H` is a [`RouteHandler`] of the kind `K`.
#[diagnostic::on_unimplemented(
    message = "CN035: no handler of HTTP requests: neither a function of at most 16 arguments nor a response",
    label = "an `async fn` or an async closure is one, if rustc knows the types of its arguments, and what it takes along is `Clone` and borrows nothing"
)]
pub trait Answers<K: Kind, H> {
    /// Nothing: see [`Asked`].
    #[doc(hidden)]
    type Is;
    /// As its kind has it.
    #[doc(hidden)]
    fn handler(handler: H) -> K::Handler;
}

#[diagnostic::do_not_recommend]
impl<K: Kind, H: RouteHandler<K>> Answers<K, H> for Asking {
    type Is = ();

    fn handler(handler: H) -> K::Handler {
        handler.handler()
    }
}
