//! [`Held`]: a handler that axum calls, whatever its type was.

use crate::BoxFuture;
use axum::{extract::Request, handler::Handler, response::Response};
use std::{fmt, future::Future, sync::Arc};

/// The state of routes, as axum has it: a clone of it is no clone of the state. So one that can not be cloned is told where a handler takes it, and nowhere else.
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

/// A handler without its type, so that what axum has around one is compiled once, and not for each handler. A clone of it is one of the handler.
pub(in crate::http) struct Held<S>(Box<dyn Calls<S>>);

trait Calls<S>: Send + Sync {
    fn copy(&self) -> Box<dyn Calls<S>>;

    fn call(self: Box<Self>, request: Request, state: Shared<S>) -> BoxFuture<'static, Response>;
}

impl<S, C, F> Calls<S> for C
where
    C: FnOnce(Request, Shared<S>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    fn copy(&self) -> Box<dyn Calls<S>> {
        Box::new(self.clone())
    }

    fn call(self: Box<Self>, request: Request, state: Shared<S>) -> BoxFuture<'static, Response> {
        Box::pin(self(request, state))
    }
}

impl<S> Held<S> {
    pub(super) fn new<C, F>(call: C) -> Self
    where
        C: FnOnce(Request, Shared<S>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        Held(Box::new(call))
    }
}

impl<S> Clone for Held<S> {
    fn clone(&self) -> Self {
        Held(self.0.copy())
    }
}

impl<S: Send + Sync + 'static> Handler<(), Shared<S>> for Held<S> {
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, state: Shared<S>) -> Self::Future {
        self.0.call(request, state)
    }
}
