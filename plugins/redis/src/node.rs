//! [`Node`]: a server, and the connection for calls to it.

use crate::{
    failure::Failure,
    wire::{Command, Dial, Wire},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A server, and the connection for calls to it, which is made when it is needed.
pub(crate) struct Node {
    pub(crate) endpoint: Arc<str>,
    dial: Arc<Dial>,
    /// It has to say that it is a master.
    asks_role: bool,
    wire: Mutex<Option<Arc<Wire>>>,
    /// One at a time makes a connection.
    dialing: tokio::sync::Mutex<()>,
}

impl Node {
    pub(crate) fn new(endpoint: Arc<str>, dial: Arc<Dial>, asks_role: bool) -> Self {
        Node { endpoint, dial, asks_role, wire: Mutex::default(), dialing: tokio::sync::Mutex::default() }
    }

    /// The connection.
    ///
    /// # Cancel safety
    /// Dropped, it has left nothing.
    pub(crate) async fn wire(&self) -> Result<Arc<Wire>, Failure> {
        match self.current() {
            Some(wire) => Ok(wire),
            // in a box, since it is rare: the futures of calls are smaller by it
            None => Box::pin(self.dial()).await,
        }
    }

    async fn dial(&self) -> Result<Arc<Wire>, Failure> {
        let _dialing = self.dialing.lock().await;
        if let Some(wire) = self.current() {
            return Ok(wire);
        }
        let wire = Arc::new(Wire::dial(&self.dial, &self.endpoint).await?);
        if self.asks_role {
            is_master(&wire).await?;
        }
        *self.lock() = Some(wire.clone());
        Ok(wire)
    }

    /// A connection is of no use: the next call makes another one.
    pub(crate) fn broken(&self, wire: &Arc<Wire>) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, wire)) {
            *current = None;
        }
        drop(current);
        wire.end();
    }

    /// Ends the connection.
    pub(crate) async fn close(&self) {
        let wire = self.lock().take();
        if let Some(wire) = wire {
            wire.close().await;
        }
    }

    fn current(&self) -> Option<Arc<Wire>> {
        self.lock().as_ref().filter(|wire| !wire.is_gone()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Wire>>> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sentinels may name a server that is none any more.
pub(crate) async fn is_master(wire: &Wire) -> Result<(), Failure> {
    let asked = tokio::time::timeout(crate::core::PATIENCE, wire.call(Command::bare("ROLE"))).await;
    let role = asked.unwrap_or_else(|_| Err(Failure::no_connection("no answer to ROLE")))?;
    let role = role.list().into_iter().next().and_then(|role| role.text());
    match role.as_deref() {
        Some("master") => Ok(()),
        other => Err(Failure::no_connection(format!("it is no master, but {}", other.unwrap_or("nothing known")))),
    }
}
