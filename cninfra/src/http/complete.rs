//! [`Complete`]: routes that can be registered, with our own error message for those that lack a state.

use super::{Http, Routes};
use crate::{Context, Dep, Result};

/// Routes that can be registered: their handlers take no [`State`](axum::extract::State), or have received it from
/// [`Routes::with_state`].
// Required of any type that is registered: for a `Routes<S>`, rustc would infer `S` before it checks this, or not check
// it at all.
#[diagnostic::on_unimplemented(
    message = "CN037: the handlers of these routes take a `State` that is not provided: the routes are `{Self}`, not `Routes`",
    label = "add `.with_state(..)` after the last route"
)]
pub trait Complete {
    /// The routes.
    fn complete(self) -> Routes;
}

#[diagnostic::do_not_recommend]
impl Complete for Routes {
    fn complete(self) -> Routes {
        self
    }
}

/// [`Complete`], in the form in which [`Dep<dyn Http>`](Http) requires it. (The trait is on this type, and `R` is its
/// second parameter: for the type of an argument, rustc would also show the argument and the call, in two more lines.)
#[diagnostic::on_unimplemented(
    message = "CN037: the handlers of these routes take a `State` that is not provided: the routes are `{R}`, not `Routes`",
    label = "add `.with_state(..)` after the last route"
)]
pub trait Takes<As, R> {
    /// The routes.
    fn complete(routes: R) -> Routes;
}
/// What a server accepts for registration.
#[derive(Debug)]
pub struct Registration;

#[diagnostic::do_not_recommend]
impl<R: Complete> Takes<(), R> for Registration {
    fn complete(routes: R) -> Routes {
        routes.complete()
    }
}

/// How a plugin holds its server. `register` is a method of the handle itself, and so is found before that of the
/// interface. `dyn Http` could only require `Routes` itself, about which rustc would report in words of its own.
impl Dep<dyn Http> {
    /// Adds routes that belong to the plugin `owner`: see [`Http::register`]. They have to be [`Complete`].
    ///
    /// # Errors
    /// Those of [`Http::register`].
    // On one line, since rustc shows all lines from the name to the bound.
    #[rustfmt::skip]
    pub fn register<R>(&self, owner: &Context, routes: R) -> Result<()> where Registration: Takes<(), R> {
        Http::register(&**self, owner, Registration::complete(routes))
    }
}
