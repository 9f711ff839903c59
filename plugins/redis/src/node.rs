//! [`Node`]: a server, and the connection for calls to it.

use crate::{
    command::Command,
    failure::Failure,
    wire::{Dial, Wire},
};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A server, and the connection for calls to it, which is made on demand.
pub(crate) struct Node {
    dial: Arc<Dial>,
    endpoint: Arc<str>,
    /// Whether it has to confirm that it is a master.
    asks_role: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wire: Option<Arc<Wire>>,
    /// The connection that is being made. It is shared by all calls that wait for it, and goes on if one of them is
    /// dropped.
    dialing: Option<Dialing>,
}

type Dialing = Shared<BoxFuture<'static, Result<Arc<Wire>, Failure>>>;

impl Node {
    pub(crate) fn new(endpoint: Arc<str>, dial: Arc<Dial>, asks_role: bool) -> Self {
        Node { endpoint, dial, asks_role, state: Mutex::default() }
    }

    /// Whether this is the server at this endpoint.
    pub(crate) fn is_at(&self, endpoint: &Arc<str>) -> bool {
        Arc::ptr_eq(&self.endpoint, endpoint) || self.endpoint == *endpoint
    }

    /// The connection, if there is one.
    #[inline]
    pub(crate) fn current(&self) -> Option<Arc<Wire>> {
        self.lock().wire.as_ref().filter(|wire| !wire.is_gone()).cloned()
    }

    /// Returns the connection, or makes one.
    ///
    /// # Cancel safety
    /// If it is dropped, other callers go on making the connection.
    pub(crate) async fn wire(&self) -> Result<Arc<Wire>, Failure> {
        let dialing = {
            let mut state = self.lock();
            if let Some(wire) = state.wire.as_ref().filter(|wire| !wire.is_gone()) {
                return Ok(wire.clone());
            }
            state.wire = None;
            let make = || dial(self.dial.clone(), self.endpoint.clone(), self.asks_role).boxed().shared();
            state.dialing.get_or_insert_with(make).clone()
        };
        let dialed = dialing.clone().await;
        let mut state = self.lock();
        // The first caller that sees the result stores it.
        if state.dialing.as_ref().is_some_and(|current| current.ptr_eq(&dialing)) {
            state.dialing = None;
            state.wire = dialed.as_ref().ok().cloned();
        }
        dialed
    }

    /// Drops a connection that failed: the next call makes another one.
    pub(crate) fn replace_broken(&self, wire: &Arc<Wire>) {
        let mut state = self.lock();
        if state.wire.as_ref().is_some_and(|current| Arc::ptr_eq(current, wire)) {
            state.wire = None;
        }
        drop(state);
        wire.end();
    }

    /// Ends the connection: calls in flight fail.
    pub(crate) fn end(&self) {
        if let Some(wire) = &self.lock().wire {
            wire.end();
        }
    }

    /// Drops the connection, and a connection attempt in progress.
    pub(crate) fn drop_connection(&self) {
        let state = std::mem::take(&mut *self.lock());
        drop(state);
    }

    /// Ends the connection, and waits for its end.
    pub(crate) async fn close(&self) {
        let State { wire, dialing } = std::mem::take(&mut *self.lock());
        drop(dialing);
        if let Some(wire) = wire {
            wire.close().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn dial(dial: Arc<Dial>, endpoint: Arc<str>, asks_role: bool) -> Result<Arc<Wire>, Failure> {
    let wire = Arc::new(Wire::dial(&dial, &endpoint).await?);
    if asks_role {
        require_master(&wire).await?;
    }
    Ok(wire)
}

/// Checks that the server is a master: the sentinels may name one that no longer is.
pub(crate) async fn require_master(wire: &Wire) -> Result<(), Failure> {
    let asked = tokio::time::timeout(crate::core::PATIENCE, wire.call(&Command::bare("ROLE"))).await;
    let role = asked.unwrap_or_else(|_| Err(Failure::no_connection("no answer to ROLE")))?;
    let role = role.list().into_iter().next().and_then(|role| role.text());
    match role.as_deref() {
        Some("master") => Ok(()),
        other => Err(Failure::no_connection(format!("it is no master, but {}", other.unwrap_or("nothing known")))),
    }
}
