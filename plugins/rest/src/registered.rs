//! [`Registered`]: the routes of the agent's plugins, taken in until the server starts to serve.

use cninfra::http::{Route, RouteError, RouteIndex, RouteTable, Routes};
use std::mem;

/// The routes of the agent's plugins. It is kept under a lock, so it hands back what it no longer holds: the handlers are others' code, and so are their
/// destructors.
#[derive(Default)]
pub(crate) struct Registered {
    taken: Taken,
    /// Another one whenever there are other routes.
    version: u64,
}

enum Taken {
    /// Routes are taken in.
    Open(RouteTable),
    /// The handlers belong to the server, and go with it: a handler may hold a plugin, and that plugin the server.
    Closed(RouteIndex),
}

impl Default for Taken {
    fn default() -> Self {
        Taken::Open(RouteTable::new())
    }
}

impl Registered {
    /// Adds the routes of a plugin, of this attempt of its `init`. Returns those that were taken out, and whether others are answered during the start now; `None` where no more are
    /// taken in.
    pub(crate) fn add(
        &mut self,
        owner: &str,
        attempt: u32,
        routes: &Routes,
    ) -> Option<Result<(RouteTable, bool), RouteError>> {
        let Taken::Open(table) = &mut self.taken else { return None };
        // most plugins have none of these, and for them nothing is built anew
        let has_early =
            |table: &RouteTable| table.routes().iter().any(|route| route.during_start && *route.owner == *owner);
        let had_early = has_early(table);
        let former = table.renew(owner, attempt, routes);
        self.version += u64::from(former.is_ok());
        Some(former.map(|former| (former, had_early || has_early(table))))
    }

    /// All that was taken in, and its version; `None` where no more are taken in.
    pub(crate) fn open(&self) -> Option<(RouteTable, u64)> {
        match &self.taken {
            Taken::Open(table) => Some((table.clone(), self.version)),
            Taken::Closed(_) => None,
        }
    }

    /// Takes in no more, if this is still the version. The server has these; what it took in is returned.
    pub(crate) fn close_at(&mut self, version: u64, index: RouteIndex) -> Option<RouteTable> {
        if self.version == version { self.close_with(index) } else { None }
    }

    /// Takes in no more. Returns what was taken in, the first time.
    pub(crate) fn close(&mut self) -> Option<RouteTable> {
        let Taken::Open(table) = &self.taken else { return None };
        let index = table.index().clone();
        self.close_with(index)
    }

    fn close_with(&mut self, index: RouteIndex) -> Option<RouteTable> {
        if matches!(self.taken, Taken::Closed(_)) {
            return None;
        }
        match mem::replace(&mut self.taken, Taken::Closed(index)) {
            Taken::Open(table) => Some(table),
            Taken::Closed(_) => None,
        }
    }

    /// The server has taken in more, since a plugin came late.
    pub(crate) fn grown(&mut self, index: RouteIndex, version: u64) {
        if self.version < version {
            *self = Registered { taken: Taken::Closed(index), version };
        }
    }

    /// All routes, in the order in which they were added.
    pub(crate) fn routes(&self) -> &[Route] {
        match &self.taken {
            Taken::Open(table) => table.routes(),
            Taken::Closed(index) => index.routes(),
        }
    }
}
