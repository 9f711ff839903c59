//! The kinds of handlers: functions by the number of their arguments, values, and what axum has of its own.

use super::RouteHandler;
use axum::{
    extract::{Request, State},
    handler::{Handler, Layered},
    response::IntoResponse,
    routing::MethodRouter,
};
use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

/// A function of these arguments.
#[derive(Debug)]
pub struct Function<Arguments>(PhantomData<Arguments>);

/// A response, which is the answer to each request.
#[derive(Debug)]
pub enum Value {}

/// A handler of axum's own.
#[derive(Debug)]
pub enum OfAxum {}

#[diagnostic::do_not_recommend]
impl<T: IntoResponse + Clone + Send + Sync + 'static> RouteHandler<Value> for T {
    type Arguments = ();
    type Returned = Ready<T>;

    fn call(self, (): ()) -> Ready<T> {
        ready(self)
    }
}

#[diagnostic::do_not_recommend]
impl<L, H, T, S> RouteHandler<OfAxum> for Layered<L, H, T, S>
where
    Self: Handler<T, S>,
{
    type Arguments = (State<S>, Request);
    type Returned = <Self as Handler<T, S>>::Future;

    fn call(self, (State(state), request): Self::Arguments) -> Self::Returned {
        Handler::call(self, request, state)
    }
}

#[diagnostic::do_not_recommend]
impl<S> RouteHandler<OfAxum> for MethodRouter<S>
where
    Self: Handler<(), S>,
{
    type Arguments = (State<S>, Request);
    type Returned = <Self as Handler<(), S>>::Future;

    fn call(self, (State(state), request): Self::Arguments) -> Self::Returned {
        Handler::call(self, request, state)
    }
}

#[diagnostic::do_not_recommend]
impl<F: FnOnce() -> R + Clone + Send + Sync + 'static, R> RouteHandler<Function<()>> for F {
    type Arguments = ();
    type Returned = R;

    fn call(self, (): ()) -> R {
        self()
    }
}

macro_rules! function {
    ($($argument:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<F, R, $($argument,)* Last> RouteHandler<Function<($($argument,)* Last,)>> for F
        where
            F: FnOnce($($argument,)* Last) -> R + Clone + Send + Sync + 'static,
        {
            type Arguments = ($($argument,)* Last,);
            type Returned = R;

            #[expect(non_snake_case, reason = "each is named as its type is")]
            fn call(self, ($($argument,)* Last,): Self::Arguments) -> R {
                self($($argument,)* Last)
            }
        }
    };
}

/// Calls a macro with 1 to 15 names: as many as a function has arguments before its last one.
macro_rules! up_to_16 {
    ($each:ident) => {
        $crate::http::handler::kinds::up_to_16!($each: A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15);
    };
    ($each:ident: $first:ident $($rest:ident)*) => {
        $each!($first $($rest)*);
        $crate::http::handler::kinds::up_to_16!($each: $($rest)*);
    };
    ($each:ident:) => {};
}
pub(super) use up_to_16;

function!();
up_to_16!(function);
