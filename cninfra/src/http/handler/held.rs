//! [`Held`]: a handler in the form that axum calls, and [`Shared`]: the state that it is called with.

use crate::BoxFuture;
use axum::{extract::Request, handler::Handler, response::Response};
use std::{fmt, future::Future, sync::Arc};

/// The state of routes, as axum holds it: cloning it does not clone the state. So a state that cannot be cloned is
/// reported only where a handler takes it.
pub struct Shared<S>(pub(super) Arc<S>);

impl<S> Shared<S> {
    pub(in crate::http) fn new(state: S) -> Self {
        Shared(Arc::new(state))
    }
}

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<S> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(..)")
    }
}

/// A handler in the form that axum calls. (Without its type, rustc would have less to do, but each request would cost
/// one more allocation.)
#[derive(Clone)]
pub(super) struct Held<C>(pub(super) C);

impl<S, C, F> Handler<(), Shared<S>> for Held<C>
where
    S: Send + Sync + 'static,
    C: FnOnce(Request, Shared<S>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, state: Shared<S>) -> Self::Future {
        Box::pin((self.0)(request, state))
    }
}
