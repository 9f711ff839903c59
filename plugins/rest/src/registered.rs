//! [`Registered`]: the routes of the agent's plugins, taken in until the server starts to serve.

use cninfra::http::{RouteError, RouteIndex, RouteTable, Routes};
use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

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

/// For look-ups only: see [`Registered`].
pub(crate) fn lock(registered: &Mutex<Registered>) -> MutexGuard<'_, Registered> {
    registered.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registered {
    /// Adds the routes of a plugin, of this attempt of its `init`. Returns those that were taken out; `None` where no more are taken in.
    pub(crate) fn add(&mut self, owner: &str, attempt: u32, routes: &Routes) -> Option<Result<RouteTable, RouteError>> {
        let Taken::Open(table) = &mut self.taken else { return None };
        let former = table.renew(owner, attempt, routes);
        self.version += u64::from(former.is_ok());
        Some(former)
    }

    /// The same, if it is newer than this version.
    pub(crate) fn newer_than(&self, version: u64) -> Option<(RouteTable, u64)> {
        if self.version > version { self.open() } else { None }
    }

    /// All that was taken in, and its version; `None` where no more are taken in. To clone it is cheap, but for who adds more while the clone is there.
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

    /// All routes.
    pub(crate) fn index(&self) -> &RouteIndex {
        match &self.taken {
            Taken::Open(table) => table.index(),
            Taken::Closed(index) => index,
        }
    }
}
