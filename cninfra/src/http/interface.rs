//! [`Http`]: the interface to an HTTP server.

use super::{Route, Routes};
use crate::{Context, Result, interface};
use std::net::SocketAddr;

/// An HTTP server, as plugins with routes see it. See the [module](super).
#[interface]
pub trait Http {
    /// Adds routes that belong to the plugin `owner`: all of them, or none if there is an error. Call it in `init`:
    /// once the server serves, it accepts no more routes, except from a plugin that [is down](Context::is_down), whose
    /// `init` is called again. A route that the owner registers again in a later attempt of its `init` replaces its
    /// former one.
    ///
    /// # Errors
    /// A path is not valid. A route overlaps with one of this or of another plugin, including the same route in a
    /// second call; both owners are named. The server is already serving.
    fn register(&self, owner: &Context, routes: Routes) -> Result<()>;

    /// All routes registered so far, in the order of registration.
    fn routes(&self) -> Vec<Route>;

    /// The address where the server listens, or `None` if it does not listen. If the config has port 0, this is the
    /// port that was actually taken.
    fn local_addr(&self) -> Option<SocketAddr>;
}
