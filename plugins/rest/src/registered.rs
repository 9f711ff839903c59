//! [`Registered`]: the routes of the agent's plugins, taken in until the server starts to serve.

use cninfra::http::{Route, RouteError, RouteIndex, RouteTable, Routes, axum::Router};

/// The routes of the agent's plugins.
pub(crate) enum Registered {
    /// Routes are taken in.
    Open(RouteTable),
    /// The handlers belong to the server, and go with it: a handler may hold a plugin, and that plugin the server.
    Closed(RouteIndex),
}

impl Default for Registered {
    fn default() -> Self {
        Registered::Open(RouteTable::new())
    }
}

impl Registered {
    /// Adds the routes of a plugin; `None` where no more are taken in.
    pub(crate) fn add(&mut self, owner: &str, routes: Routes) -> Option<Result<(), RouteError>> {
        match self {
            Registered::Open(table) => Some(table.renew(owner, routes)),
            Registered::Closed(_) => None,
        }
    }

    /// Takes in no more. Returns what was taken in, the first time.
    pub(crate) fn close(&mut self) -> Option<RouteTable> {
        let Registered::Open(table) = self else { return None };
        let table = std::mem::take(table);
        *self = Registered::Closed(table.index().clone());
        Some(table)
    }

    /// The server has taken in more, since a plugin came late.
    pub(crate) fn grown(&mut self, index: RouteIndex) {
        *self = Registered::Closed(index);
    }

    /// The router of an agent that still starts, with all routes that there are by now; `None` where no more are taken in.
    pub(crate) fn during_start(&self) -> Option<(Router, RouteIndex)> {
        match self {
            Registered::Open(table) => Some((table.router_during_start(), table.index().clone())),
            Registered::Closed(_) => None,
        }
    }

    /// All routes, in the order in which they were added.
    pub(crate) fn routes(&self) -> &[Route] {
        match self {
            Registered::Open(table) => table.routes(),
            Registered::Closed(index) => index.routes(),
        }
    }
}
