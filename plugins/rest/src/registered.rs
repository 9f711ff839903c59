//! [`Registered`]: the routes of the agent's plugins, collected until the server starts to serve.

use cninfra::http::{RouteError, RouteIndex, RouteTable, Routes};
use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The routes of the agent's plugins. It is kept under a lock, so it returns what it no longer holds, to be dropped
/// outside of the lock: handlers are foreign code, and so are their destructors.
#[derive(Default)]
pub(crate) struct Registered {
    taken: Taken,
    /// Increased whenever the routes change.
    version: u64,
}

enum Taken {
    /// Further routes are accepted.
    Open(RouteTable),
    /// The server owns the handlers, which are dropped with it: a handler may hold a plugin, and that plugin the
    /// server.
    Closed(RouteIndex),
}

impl Default for Taken {
    fn default() -> Self {
        Taken::Open(RouteTable::new())
    }
}

/// Only for look-ups: see [`Registered`].
pub(crate) fn lock(registered: &Mutex<Registered>) -> MutexGuard<'_, Registered> {
    registered.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registered {
    /// Adds the routes that a plugin registers in this attempt of its `init`. Returns those that were replaced; `None`
    /// if no more are accepted.
    pub(crate) fn add(&mut self, owner: &str, attempt: u32, routes: &Routes) -> Option<Result<RouteTable, RouteError>> {
        let Taken::Open(table) = &mut self.taken else { return None };
        let former = table.renew(owner, attempt, routes);
        self.version += u64::from(former.is_ok());
        Some(former)
    }

    /// Like [`open`](Self::open), if it is newer than this version.
    pub(crate) fn newer_than(&self, version: u64) -> Option<(RouteTable, u64)> {
        if self.version > version { self.open() } else { None }
    }

    /// All registered routes and their version; `None` if no more are accepted. A clone is cheap, unless routes are
    /// added while it exists.
    pub(crate) fn open(&self) -> Option<(RouteTable, u64)> {
        match &self.taken {
            Taken::Open(table) => Some((table.clone(), self.version)),
            Taken::Closed(_) => None,
        }
    }

    /// Accepts no more routes, if this is still the version: the server has these. Returns them.
    pub(crate) fn close_at(&mut self, version: u64, index: RouteIndex) -> Option<RouteTable> {
        if self.version == version { self.close_with(index) } else { None }
    }

    /// Accepts no more routes. Returns the registered ones, the first time.
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

    /// The server has accepted further routes, of a plugin that came late.
    pub(crate) fn replace_index(&mut self, index: RouteIndex, version: u64) {
        if self.version < version {
            *self = Registered { taken: Taken::Closed(index), version };
        }
    }

    /// The index of all routes.
    pub(crate) fn index(&self) -> &RouteIndex {
        match &self.taken {
            Taken::Open(table) => table.index(),
            Taken::Closed(index) => index,
        }
    }
}
