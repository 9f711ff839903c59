//! [`Extracted`]: the arguments of a handler, extracted from a request.

use super::{
    Async, Gives, Kind,
    held::{Held, Shared},
};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter},
};
use std::future::Future;

/// The arguments of a handler, which are made from a request and the state of the routes. It includes that the handler,
/// and the future that a call with them returns, can move between the threads of the server. (It is one trait because
/// something that is not `Send`, among the arguments or captured, makes the future not `Send` either: that is one
/// mistake.) `By` is how axum makes the last argument: from the whole request, or without its body.
#[diagnostic::on_unimplemented(
    message = "CN035: not a handler of HTTP requests: it takes `{Self}`, and one of these is not an extractor; or it holds or captures a value that is not `Send`",
    label = "extractors are `Path`, `Query`, `Json`, .., and `State` of the value given to `.with_state(..)`, if it is `Clone`, `Send` and `Sync`; the extractor of the body must be the last one. If all of them are correct, drop what is not `Send` before the `await` (an `Rc`, a guard of a `std::sync::Mutex`), and capture only what is `Send` and `Sync` (an `Arc`)"
)]
pub trait Extracted<S, By, Future, H>: Sized {
    /// Always `()`: see [`Asked`](super::Asked).
    #[doc(hidden)]
    type Is;
    /// The route of a handler that takes them.
    #[doc(hidden)]
    fn route<K: Kind<Handler = H, Arguments = Self, Returned = Future>, Answer>(
        filter: MethodFilter,
        handler: H,
    ) -> MethodRouter<Shared<S>>
    where
        Future: Async<Answer> + Gives<Answer>;
}

#[diagnostic::do_not_recommend]
impl<A: Extract<S, By>, S: Send + Sync + 'static, By, F: Send, H: Clone + Send + Sync + 'static> Extracted<S, By, F, H>
    for A
{
    type Is = ();

    fn route<K: Kind<Handler = H, Arguments = Self, Returned = F>, Answer>(
        filter: MethodFilter,
        handler: H,
    ) -> MethodRouter<Shared<S>>
    where
        F: Async<Answer> + Gives<Answer>,
    {
        let held = Held(move |request, Shared(state): Shared<S>| async move {
            match A::extract(request, &state).await {
                Ok(arguments) => F::response(K::call(handler, arguments).await),
                Err(refused) => refused,
            }
        });
        MethodRouter::new().on(filter, held)
    }
}

/// How the arguments are extracted, for each number of them.
pub trait Extract<S, By>: Sized + Send {
    /// Extracts them, or returns the response of the extractor that rejects the request.
    fn extract(request: Request, state: &S) -> impl Future<Output = Result<Self, Response>> + Send;
}

impl<S: Sync> Extract<S, ()> for () {
    async fn extract(_: Request, _: &S) -> Result<Self, Response> {
        Ok(())
    }
}

impl<S: Sync, By, Last: FromRequest<S, By> + Send> Extract<S, By> for (Last,) {
    async fn extract(request: Request, state: &S) -> Result<Self, Response> {
        Ok((Last::from_request(request, state).await.map_err(IntoResponse::into_response)?,))
    }
}

macro_rules! extract {
    ($($part:ident)+) => {
        impl<S: Sync, By, $($part,)+ Last> Extract<S, By> for ($($part,)+ Last)
        where
            $($part: FromRequestParts<S> + Send,)+
            Last: FromRequest<S, By> + Send,
        {
            async fn extract(request: Request, state: &S) -> Result<Self, Response> {
                let (mut parts, body) = request.into_parts();
                #[expect(non_snake_case, reason = "each is named as its type is")]
                let ($($part,)+) = ($(
                    $part::from_request_parts(&mut parts, state).await.map_err(IntoResponse::into_response)?,
                )+);
                let last = Last::from_request(Request::from_parts(parts, body), state).await;
                Ok(($($part,)+ last.map_err(IntoResponse::into_response)?))
            }
        }
    };
}

super::kinds::up_to_16!(extract);
