//! [`Asked`], [`OfState`]: how the requirements on a handler are stated, so that what is wrong with it is reported
//! once, and in few lines.

use super::{Async, Extracted, Gives, Kind, RouteHandler, Shared};
use axum::{http::Method, routing::MethodRouter};
use std::sync::Arc;

/// All requirements on a handler, repeated as a type. An unfulfilled requirement is reported for the type, at the name
/// of the method, without the five lines about the bound that requires it. That leaves room for two more lines where
/// rustc shortens the names of types. It is not reported again for the bound, since `K`, `T`, `By` and `A` are
/// inferred, so the bound is checked at the name of the method, too.
pub type Asked<H, K, T, By, A> = (
    <Asking as Answers<K, H>>::Is,
    <<K as Kind>::Arguments as Extracted<T, By, <K as Kind>::Returned, <K as Kind>::Handler>>::Is,
    <<K as Kind>::Returned as Async<A>>::Is,
    <<K as Kind>::Returned as Gives<A>>::Is,
);

/// Routes whose handlers take the state `T`, where `T` has no name in the signature: see [`Asked`].
pub trait OfState<T> {
    /// These routes, and one more.
    #[doc(hidden)]
    fn add(self, method: Method, path: String, handler: Option<Arc<MethodRouter<Shared<T>>>>) -> Self;
}

/// The type that has the requirements on handlers. (If the handler `H` itself had them, rustc would also show where it
/// is defined, and the call.)
#[derive(Debug)]
pub struct Asking;

/// `H` is a [`RouteHandler`] of the kind `K`.
#[diagnostic::on_unimplemented(
    message = "CN035: not a handler of HTTP requests: neither a function with at most 16 arguments nor a response",
    label = "use an `async fn`, or an async closure whose argument types the compiler knows, and that captures only values that are `Clone` and borrow nothing"
)]
pub trait Answers<K: Kind, H> {
    /// Always `()`: see [`Asked`].
    #[doc(hidden)]
    type Is;
    /// Converts it to the type that its kind has.
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
