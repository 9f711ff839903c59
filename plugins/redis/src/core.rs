//! [`Core`]: the servers of a store, with their connections.

use crate::{
    Connection, RedisConfig,
    config::Kind,
    failure::{Asked, REACH},
    node::Node,
    slots::Slots,
    watch::Hub,
    wire::{Dial, Number, Wire},
};
use cninfra::client::Deadlines;
use cninfra::keyval::{Applied, KvError, Reason};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, watch};

/// How many calls of callers are in flight at once; further ones wait, within their limit.
const IN_FLIGHT: usize = 128;
/// No answer comes in less time than this.
pub(crate) const MOMENT: Duration = Duration::from_millis(5);
/// The limit for an answer that no caller waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Core {
    pub(crate) config: RedisConfig,
    pub(crate) kind: Kind,
    pub(crate) dial: Arc<Dial>,
    pub(crate) slots: watch::Sender<Arc<Slots>>,
    pub(crate) connection: watch::Sender<Connection>,
    pub(crate) hub: Hub,
    /// Wakes the topology task to look now, since the servers may have changed.
    pub(crate) refresh_topology: Notify,
    /// Wakes the monitor to probe now, since a connection has failed.
    pub(crate) probe_now: Notify,
    /// A vector, searched by address: there are few servers, and hashing a name takes longer.
    nodes: Mutex<Vec<Arc<Node>>>,
    /// The only server, if it is known from the start that there is one: found without a search.
    pub(crate) single: Option<Arc<Node>>,
    pub(crate) permits: Semaphore,
    /// The deadlines of calls.
    pub(crate) deadlines: Deadlines,
    closed: watch::Sender<bool>,
    endpoints: Arc<str>,
}

impl Core {
    pub(crate) fn new(config: RedisConfig, dial: Dial) -> Self {
        let kind = config.kind();
        let slots = match &kind {
            Kind::Single(endpoint) => Slots::one(endpoint.clone()),
            Kind::Sentinel { .. } | Kind::Cluster(_) => Slots::default(),
        };
        let endpoints = config.endpoints_shown();
        let dial = Arc::new(dial);
        let single = match &kind {
            Kind::Single(endpoint) => Some(Arc::new(Node::new(endpoint.clone(), dial.clone(), false))),
            Kind::Sentinel { .. } | Kind::Cluster(_) => None,
        };
        Core {
            kind,
            dial,
            slots: watch::Sender::new(Arc::new(slots)),
            connection: watch::Sender::new(Connection::Connecting),
            hub: Hub::new(config.db),
            refresh_topology: Notify::new(),
            probe_now: Notify::new(),
            nodes: Mutex::new(single.iter().cloned().collect()),
            single,
            permits: Semaphore::new(IN_FLIGHT),
            deadlines: Deadlines::default(),
            closed: watch::Sender::new(false),
            endpoints: endpoints.into(),
            config,
        }
    }

    /// All endpoints, for messages.
    pub(crate) fn endpoints(&self) -> &Arc<str> {
        &self.endpoints
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.config.is_cluster()
    }

    /// The servers that have the keys, as far as they are known.
    pub(crate) fn primaries(&self) -> Vec<Arc<str>> {
        self.slots.borrow().primaries().to_vec()
    }

    pub(crate) fn node(&self, endpoint: &Arc<str>) -> Arc<Node> {
        let asks_role = matches!(self.kind, Kind::Sentinel { .. });
        let mut nodes = self.lock();
        if let Some(node) = nodes.iter().find(|node| node.is_at(endpoint)) {
            return node.clone();
        }
        let node = Arc::new(Node::new(endpoint.clone(), self.dial.clone(), asks_role));
        nodes.push(node.clone());
        node
    }

    /// The number of the connection to the server that has this key, if both are known.
    pub(crate) fn wire_of(&self, key: &[u8]) -> Option<Number> {
        let wire = match &self.single {
            Some(node) => node.current(),
            None => {
                let slots = self.slots.borrow().clone();
                let nodes = self.lock();
                nodes.iter().find(|node| slots.owner(key).is_some_and(|owner| node.is_at(owner)))?.current()
            }
        };
        wire.map(|wire| wire.number)
    }

    /// Forgets all servers but these.
    pub(crate) fn retain_nodes(&self, endpoints: &[Arc<str>]) {
        self.lock().retain(|node| endpoints.iter().any(|endpoint| node.is_at(endpoint)));
    }

    /// Replaces a connection that failed.
    pub(crate) fn replace_broken(&self, wire: &Arc<Wire>) {
        let node = self.lock().iter().find(|node| node.is_at(&wire.endpoint)).cloned();
        match node {
            Some(node) => node.replace_broken(wire),
            // The server was forgotten meanwhile.
            None => wire.end(),
        }
        self.probe_now.notify_one();
        self.refresh_topology.notify_one();
    }

    /// Ends all calls: those that wait for a permit or a server, those in flight (with their connections), and later
    /// ones.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
        self.permits.close();
        self.lock().iter().for_each(|node| node.end());
    }

    /// Drops the connections without waiting for their end.
    pub(crate) fn drop_nodes(&self) {
        let nodes = std::mem::take(&mut *self.lock());
        nodes.iter().for_each(|node| node.drop_connection());
    }

    /// Ends the connections, after everything else, and waits for their end.
    pub(crate) async fn close_nodes(&self) {
        let nodes = std::mem::take(&mut *self.lock());
        for node in nodes {
            node.close().await;
        }
    }

    /// Waits until the store is closed.
    pub(crate) async fn closed(&self) {
        // The wait cannot fail, since the sender is in `self`.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    pub(crate) fn is_closed(&self) -> bool {
        // The semaphore is closed together with `closed`, and checking it needs no lock.
        self.permits.is_closed()
    }

    /// The error of a call to a store that is closed.
    pub(crate) fn closed_error(&self, asked: &Asked, applied: Applied) -> KvError {
        let error = asked.error(Reason::Closed, applied).at(self.endpoints.clone());
        error.because("its agent or its owner has closed it")
    }

    pub(crate) fn timeout_error(
        &self,
        limit: Duration,
        asked: &Asked,
        endpoint: &Arc<str>,
        applied: Applied,
    ) -> KvError {
        self.probe_now.notify_one();
        self.refresh_topology.notify_one();
        let error = asked.error(Reason::TimedOut(limit), applied).at(endpoint.clone()).with_help(REACH);
        error.because("the server hangs, or the network loses what is sent")
    }

    pub(crate) fn no_server_error(&self, asked: &Asked) -> KvError {
        let error = asked.error(Reason::Unavailable, Applied::No).at(self.endpoints.clone()).with_help(REACH);
        error.because("no server is known that has the key")
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
