//! [`Http`]: the interface to an HTTP server.

use super::{Route, Routes};
use crate::{Context, Result, interface};
use std::net::SocketAddr;

/// An HTTP server, as a plugin with routes sees it. See the [module](super).
#[interface]
pub trait Http {
    /// Adds routes, which belong to the plugin `owner`: all of them, or none on an error. To be called in `init`: the
    /// server takes no more once it serves, but of a plugin that [is down](Context::is_down), whose `init` is called again. A route that
    /// the owner registers again in a later attempt of its `init` takes the place of its former one.
    ///
    /// # Errors
    /// A path that is not valid; a route that overlaps with one of this or of another plugin, with both owners, be it the same route in a second call; the server
    /// serves already.
    fn register(&self, owner: &Context, routes: Routes) -> Result<()>;

    /// All routes that were registered so far, in that order.
    fn routes(&self) -> Vec<Route>;

    /// The address where the server listens; `None` where it does not. With port 0 in the config this has the one
    /// that was taken.
    fn local_addr(&self) -> Option<SocketAddr>;
}
