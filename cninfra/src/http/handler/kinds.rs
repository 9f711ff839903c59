//! The kinds of handlers: functions by their number of arguments, values, and axum's own handlers.

use super::{Kind, RouteHandler};
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

/// A function: its type, its arguments, and what it returns.
#[derive(Debug)]
pub struct Function<F, Arguments, R>(PhantomData<(F, Arguments, R)>);

/// A response, which is the answer to every request.
#[derive(Debug)]
pub struct Value<R>(PhantomData<R>);

/// One of axum's own handlers: its type, which of axum's kinds it is, and its state.
#[derive(Debug)]
pub struct OfAxum<H, Of, S>(PhantomData<(H, Of, S)>);

#[diagnostic::do_not_recommend]
impl<R: IntoResponse + Clone + 'static> RouteHandler<Value<R>> for R {
    fn handler(self) -> R {
        self
    }
}

impl<R: Clone + 'static> Kind for Value<R> {
    type Handler = R;
    type Arguments = ();
    type Returned = Ready<R>;

    fn call(handler: R, (): ()) -> Ready<R> {
        ready(handler)
    }
}

#[diagnostic::do_not_recommend]
impl<L, H, T, S> RouteHandler<OfAxum<Self, T, S>> for Layered<L, H, T, S>
where
    Self: Handler<T, S>,
{
    fn handler(self) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S> RouteHandler<OfAxum<Self, (), S>> for MethodRouter<S>
where
    Self: Handler<(), S>,
{
    fn handler(self) -> Self {
        self
    }
}

impl<H: Handler<Of, S>, Of, S> Kind for OfAxum<H, Of, S> {
    type Handler = H;
    type Arguments = (State<S>, Request);
    type Returned = H::Future;

    fn call(handler: H, (State(state), request): (State<S>, Request)) -> H::Future {
        handler.call(request, state)
    }
}

#[diagnostic::do_not_recommend]
impl<F: FnOnce() -> R + Clone + 'static, R> RouteHandler<Function<F, (), R>> for F {
    fn handler(self) -> F {
        self
    }
}

impl<F: FnOnce() -> R + Clone + 'static, R> Kind for Function<F, (), R> {
    type Handler = F;
    type Arguments = ();
    type Returned = R;

    fn call(handler: F, (): ()) -> R {
        handler()
    }
}

macro_rules! function {
    ($($argument:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<F, R, $($argument,)* Last> RouteHandler<Function<F, ($($argument,)* Last,), R>> for F
        where
            F: FnOnce($($argument,)* Last) -> R + Clone + 'static,
        {
            fn handler(self) -> F {
                self
            }
        }

        impl<F, R, $($argument,)* Last> Kind for Function<F, ($($argument,)* Last,), R>
        where
            F: FnOnce($($argument,)* Last) -> R + Clone + 'static,
        {
            type Handler = F;
            type Arguments = ($($argument,)* Last,);
            type Returned = R;

            #[expect(non_snake_case, reason = "each is named as its type is")]
            fn call(handler: F, ($($argument,)* Last,): ($($argument,)* Last,)) -> R {
                handler($($argument,)* Last)
            }
        }
    };
}

/// Calls a macro for each number of names from 1 to 15: the arguments that a function has before its last one.
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
