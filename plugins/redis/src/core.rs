//! [`Core`]: the servers of a store.

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

/// So many calls of callers are on their way at once; the next ones wait, within their limit.
const IN_FLIGHT: usize = 128;
/// In less than this nothing is answered.
pub(crate) const MOMENT: Duration = Duration::from_millis(5);
/// How long an answer may take that is not a caller's.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Core {
    pub(crate) config: RedisConfig,
    pub(crate) kind: Kind,
    pub(crate) dial: Arc<Dial>,
    pub(crate) slots: watch::Sender<Arc<Slots>>,
    pub(crate) connection: watch::Sender<Connection>,
    pub(crate) hub: Hub,
    /// The servers may be others now: whoever looks after it is to look at once.
    pub(crate) suspect: Notify,
    /// A connection has failed: the state is to be looked at.
    pub(crate) shaken: Notify,
    /// Few, and found by where they are: to hash a name takes longer.
    nodes: Mutex<Vec<Arc<Node>>>,
    /// The only one there ever is, where it is known from the beginning: it is found without a look at the others.
    pub(crate) single: Option<Arc<Node>>,
    pub(crate) room: Semaphore,
    /// Until when calls wait.
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
            suspect: Notify::new(),
            shaken: Notify::new(),
            nodes: Mutex::new(single.iter().cloned().collect()),
            single,
            room: Semaphore::new(IN_FLIGHT),
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

    /// The servers with the keys, as they are known.
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

    /// The connection to the server that has this key, if both are there.
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

    /// Forgets servers that have no keys, and returns the others.
    pub(crate) fn keep(&self, endpoints: &[Arc<str>]) {
        self.lock().retain(|node| endpoints.iter().any(|endpoint| node.is_at(endpoint)));
    }

    /// A connection is of no use.
    pub(crate) fn broken(&self, wire: &Arc<Wire>) {
        let node = self.lock().iter().find(|node| node.is_at(&wire.endpoint)).cloned();
        match node {
            Some(node) => node.broken(wire),
            // its server was forgotten meanwhile
            None => wire.end(),
        }
        self.shaken.notify_one();
        self.suspect.notify_one();
    }

    /// Ends all that waits for its turn or for a server, all that comes, and with the connections what is on its way.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
        self.room.close();
        self.lock().iter().for_each(|node| node.end());
    }

    /// Ends the connections, and waits for nothing.
    pub(crate) fn drop_nodes(&self) {
        let nodes = std::mem::take(&mut *self.lock());
        nodes.iter().for_each(|node| node.leave());
    }

    /// Ends the connections, after all else.
    pub(crate) async fn close_nodes(&self) {
        let nodes = std::mem::take(&mut *self.lock());
        for node in nodes {
            node.close().await;
        }
    }

    /// Waits until the store is closed.
    pub(crate) async fn closed(&self) {
        // the sender is here
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    pub(crate) fn is_closed(&self) -> bool {
        // closed with it, and asked without a lock
        self.room.is_closed()
    }

    /// What was asked of a store that is closed.
    pub(crate) fn closed_error(&self, asked: &Asked, applied: Applied) -> KvError {
        let error = asked.error(Reason::Closed, applied).at(self.endpoints.clone());
        error.because("its agent or its owner has closed it")
    }

    pub(crate) fn late(&self, limit: Duration, asked: &Asked, endpoint: &Arc<str>, applied: Applied) -> KvError {
        self.shaken.notify_one();
        self.suspect.notify_one();
        let error = asked.error(Reason::TimedOut(limit), applied).at(endpoint.clone()).with_help(REACH);
        error.because("the server hangs, or the network loses what is sent")
    }

    pub(crate) fn nobody(&self, asked: &Asked) -> KvError {
        let error = asked.error(Reason::Unavailable, Applied::No).at(self.endpoints.clone()).with_help(REACH);
        error.because("no server is known that has the key")
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
