//! [`Complete`]: routes that can be registered, with words of ours for those that lack a state.

use super::{Http, Routes};
use crate::{Context, Dep, Result};

/// Routes that can be registered: their handlers take no [`State`](axum::extract::State), or have it by [`Routes::with_state`].
// asked of whatever is registered: of a `Routes<S>`, rustc would settle what `S` is before it asks, or not at all
#[diagnostic::on_unimplemented(
    message = "CN037: the handlers of these routes take a `State` that nothing gives to them: they are `{Self}`, and not yet `Routes`",
    label = "put `.with_state(..)` after the last route"
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

/// [`Complete`], as [`Dep<dyn Http>`](Http) asks for it. (Said of this, and `R` comes second: of the type of an argument, rustc shows the argument, and the call in two more lines.)
#[diagnostic::on_unimplemented(
    message = "CN037: the handlers of these routes take a `State` that nothing gives to them: they are `{R}`, and not yet `Routes`",
    label = "put `.with_state(..)` after the last route"
)]
pub trait Takes<As, R> {
    /// The routes.
    fn complete(routes: R) -> Routes;
}
/// What a server takes.
#[derive(Debug)]
pub struct Registration;

#[diagnostic::do_not_recommend]
impl<R: Complete> Takes<(), R> for Registration {
    fn complete(routes: R) -> Routes {
        routes.complete()
    }
}

/// As a plugin has its server. It is a method of the handle itself, and so found before that of the interface: through `dyn Http` nothing can be asked for but `Routes` itself,
/// of which rustc tells in words of its own.
impl Dep<dyn Http> {
    /// Adds routes, which belong to the plugin `owner`: see [`Http::register`]. They are [`Complete`].
    ///
    /// # Errors
    /// Those of [`Http::register`].
    // on one line, since rustc shows the lines from the name to the bound
    #[rustfmt::skip]
    pub fn register<R>(&self, owner: &Context, routes: R) -> Result<()> where Registration: Takes<(), R> {
        Http::register(&**self, owner, Registration::complete(routes))
    }
}
