//! [`Slot`]: a connection that is made when it is asked for, and replaced when it is of no use.

use crate::{EtcdConfig, tls};
use cninfra::keyval::{KvError, Reason};
use etcd_client::{Client, ConnectOptions, Error, KvClient, LeaseClient, WatchClient};
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};
use tokio::sync::Mutex;

/// The server sends no message that is larger, and an answer that is, is refused: a catch-up of a watch may be some tens of megabytes.
const MAX_MESSAGE: usize = 256 << 20;
/// etcd takes one ping in 5 s, and closes the connection of who sends more.
const PING: (u64, u64) = (5, 2);

/// How connections are made: the same for all of a store.
pub(crate) struct Dial {
    endpoints: Vec<Arc<str>>,
    options: ConnectOptions,
}

impl Dial {
    /// # Errors
    /// A file of the config can not be read, or has no certificate.
    pub(crate) fn new(config: &EtcdConfig) -> Result<Self, KvError> {
        use std::time::Duration;
        let mut options = ConnectOptions::new()
            .with_connect_timeout(*config.dial_timeout)
            .with_keep_alive(Duration::from_secs(PING.0), Duration::from_secs(PING.1))
            // a ping without a call is one too many for etcd
            .with_keep_alive_while_idle(false)
            .with_tcp_keepalive(Duration::from_secs(PING.0))
            .with_require_leader(true);
        if let Some(tls) = tls::options(config)? {
            options = options.with_tls(tls);
        }
        if let Some(user) = &config.username {
            options = options.with_user(user, config.password.reveal()).with_auto_token_refresh(true);
        }
        let endpoints = config.addresses().into_iter().map(Arc::from).collect();
        Ok(Dial { endpoints, options })
    }

    pub(crate) fn endpoints(&self) -> &[Arc<str>] {
        &self.endpoints
    }
}

/// A connection to one member of the cluster.
pub(crate) struct Wire {
    pub(crate) client: Client,
    pub(crate) kv: KvClient,
    pub(crate) lease: LeaseClient,
    pub(crate) watch: WatchClient,
    pub(crate) endpoint: Arc<str>,
    answers: AtomicU64,
}

impl Wire {
    /// The server has answered.
    pub(crate) fn answered(&self) {
        self.answers.fetch_add(1, Relaxed);
    }

    /// How many answers there were: none in a while is a sign.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Relaxed)
    }
}

/// Where the current connection of a kind is.
pub(crate) struct Slot {
    dial: Arc<Dial>,
    current: RwLock<Option<Arc<Wire>>>,
    making: Mutex<()>,
    next: AtomicUsize,
}

impl Slot {
    pub(crate) fn new(dial: Arc<Dial>) -> Self {
        // not all agents at the first member
        let first = fastrand::usize(..dial.endpoints.len().max(1));
        Slot { dial, current: RwLock::default(), making: Mutex::default(), next: AtomicUsize::new(first) }
    }

    /// The endpoint that is used, or will be.
    pub(crate) fn endpoint(&self) -> Arc<str> {
        let count = self.dial.endpoints.len().max(1);
        self.dial.endpoints.get(self.next.load(Relaxed) % count).cloned().unwrap_or_default()
    }

    /// The connection; a new one where there is none. It is not known yet whether the server answers, but where there is a user.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub(crate) async fn get(&self) -> Result<Arc<Wire>, Error> {
        if let Some(wire) = self.current() {
            return Ok(wire);
        }
        let _making = self.making.lock().await;
        if let Some(wire) = self.current() {
            return Ok(wire);
        }
        let endpoint = self.endpoint();
        let client = match Client::connect([&*endpoint], Some(self.dial.options.clone())).await {
            Ok(client) => client,
            Err(error) => {
                self.next.fetch_add(1, Relaxed);
                return Err(error);
            }
        };
        let wire = Arc::new(Wire {
            kv: client.kv_client().max_decoding_message_size(MAX_MESSAGE),
            lease: client.lease_client(),
            watch: client.watch_client().max_decoding_message_size(MAX_MESSAGE),
            client,
            endpoint,
            answers: AtomicU64::new(0),
        });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(wire.clone());
        Ok(wire)
    }

    /// This one is of no use: the next one is to another member, where there are more. Who has it still, keeps it. Returns whether it was the current one.
    pub(crate) fn replace(&self, wire: &Arc<Wire>) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_current = current.as_ref().is_some_and(|current| Arc::ptr_eq(current, wire));
        if is_current {
            *current = None;
            self.next.fetch_add(1, Relaxed);
        }
        is_current
    }

    /// The current one may be of no use, and nobody has looked: a new one to the same member.
    pub(crate) fn renew(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The member does not even let this client sign on: the next one is asked.
    pub(crate) fn skip(&self) {
        if self.current().is_none() {
            self.next.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn current(&self) -> Option<Arc<Wire>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What can not be a config.
pub(crate) fn misconfigured(help: String, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KvError {
    KvError::new("connect", Reason::Invalid).not_applied().because(source).with_help(help)
}
