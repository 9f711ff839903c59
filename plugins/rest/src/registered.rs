//! [`Registered`]: the routes of the agent's plugins, taken in until the server starts to serve.

use cninfra::http::{Route, RouteError, RouteIndex, RouteTable, Routes, axum::Router};

/// The routes of the agent's plugins.
pub(crate) enum Registered {
    /// Routes are taken in.
    Open(Open),
    /// The handlers belong to the server, and go with it: a handler may hold a plugin, and that plugin the server.
    Closed(RouteIndex),
}

/// The routes that there are by now.
#[derive(Default)]
pub(crate) struct Open {
    table: RouteTable,
    /// What answers while the agent starts; none where it has to be built anew.
    early: Option<Router>,
}

impl Default for Registered {
    fn default() -> Self {
        Registered::Open(Open::default())
    }
}

impl Registered {
    /// What takes in routes; `None` where no more are taken in.
    pub(crate) fn open(&mut self) -> Option<&mut Open> {
        match self {
            Registered::Open(open) => Some(open),
            Registered::Closed(_) => None,
        }
    }

    /// Takes in no more. Returns what was taken in, the first time.
    pub(crate) fn close(&mut self) -> Option<RouteTable> {
        let table = std::mem::take(&mut self.open()?.table);
        *self = Registered::Closed(table.index().clone());
        Some(table)
    }

    /// The server has taken in more, since a plugin came late.
    pub(crate) fn grown(&mut self, index: RouteIndex) {
        *self = Registered::Closed(index);
    }

    /// All routes, in the order in which they were added.
    pub(crate) fn routes(&self) -> &[Route] {
        match self {
            Registered::Open(open) => open.table.routes(),
            Registered::Closed(index) => index.routes(),
        }
    }
}

impl Open {
    /// Adds the routes of a plugin.
    pub(crate) fn add(&mut self, owner: &str, routes: Routes) -> Result<(), RouteError> {
        // most have none that are answered during the start
        let has_early =
            |table: &RouteTable| table.routes().iter().any(|route| route.during_start && *route.owner == *owner);
        let had_early = has_early(&self.table);
        self.table.renew(owner, routes)?;
        if had_early || has_early(&self.table) {
            self.early = None;
        }
        Ok(())
    }

    /// The router of an agent that still starts, with all routes that there are by now.
    pub(crate) fn during_start(&mut self) -> (Router, RouteIndex) {
        let router = self.early.get_or_insert_with(|| self.table.router_during_start());
        (router.clone(), self.table.index().clone())
    }
}
