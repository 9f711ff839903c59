//! [`Slot`]: a connection that is made on demand, and replaced when it fails.

use crate::{EtcdConfig, pulse::Pulse, tls};
use cninfra::keyval::{KvError, Reason};
use etcd_client::{Channel, Client, ConnectOptions, Error, KvClient, LeaseClient, TlsOptions, WatchClient};
use std::{
    sync::{
        Arc, Mutex as SyncMutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};
use tonic::{Status, transport::Endpoint};

/// The size above which a message of the server is refused. It is high, since the catch-up of a watch may be tens of
/// megabytes.
pub(crate) const MAX_MESSAGE: usize = 256 << 20;
/// The interval and the time-out of pings, in seconds. etcd accepts one ping in 5 s, and closes the connection of a
/// client that sends more.
const PING: (u64, u64) = (5, 2);

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Carries {
    Calls,
    /// Watches do not use HTTP/2 pings: they request progress, which notices a dead connection earlier (see [`Pulse`]).
    Watches,
}

/// How connections are made: the same for all connections of a store.
pub(crate) struct Dial {
    endpoints: Vec<Arc<str>>,
    options: ConnectOptions,
    tls: Option<TlsOptions>,
    /// The limit for connecting.
    within: Duration,
    /// The limit for signing on as a user: half of a call's limit if there is another member to try.
    sign_on: Duration,
}

impl Dial {
    /// # Errors
    /// A file of the config cannot be read, or has no certificate.
    pub(crate) fn new(config: &EtcdConfig) -> Result<Self, KvError> {
        let mut options = ConnectOptions::new().with_require_leader(true);
        if let Some(user) = &config.username {
            options = options.with_user(user, config.password.reveal()).with_auto_token_refresh(true);
        }
        let endpoints: Vec<Arc<str>> = config.addresses().into_iter().map(Arc::from).collect();
        let sign_on = *config.operation_timeout / if endpoints.len() > 1 { 2 } else { 1 };
        Ok(Dial { endpoints, options, tls: tls::options(config)?, within: *config.dial_timeout, sign_on })
    }

    /// Connects to one member. The client's own way to connect balances each call among members, which costs more than
    /// all of this layer.
    async fn dial(&self, endpoint: &str, carries: Carries) -> Result<Client, Error> {
        let mut to = Endpoint::from_shared(endpoint.to_string())?
            .connect_timeout(self.within)
            .tcp_keepalive(Some(Duration::from_secs(PING.0)));
        if carries == Carries::Calls {
            to = to
                .http2_keep_alive_interval(Duration::from_secs(PING.0))
                .keep_alive_timeout(Duration::from_secs(PING.1))
                // etcd refuses pings on a connection without a call.
                .keep_alive_while_idle(false);
        }
        if let Some(tls) = &self.tls {
            to = to.tls_config(tls.clone())?;
        }
        Client::from_channel(Channel::Tonic(to.connect_lazy()), Some(self.options.clone())).await
    }

    pub(crate) fn endpoints(&self) -> &[Arc<str>] {
        &self.endpoints
    }
}

/// Clients that are not in use.
#[allow(clippy::vec_box, reason = "a client has some hundred bytes, and is moved to each call and back")]
type Spare = Vec<Box<KvClient>>;

/// A connection to one member of the cluster.
pub(crate) struct Wire {
    pub(crate) client: Client,
    pub(crate) kv: KvClient,
    /// Clients that are not in use: at most as many as there were calls in flight at once.
    spare: SyncMutex<Spare>,
    pub(crate) lease: LeaseClient,
    pub(crate) watch: WatchClient,
    pub(crate) endpoint: Arc<str>,
    /// The signs of life of the watch streams on this connection.
    pub(crate) pulse: Pulse,
    turn: usize,
    answers: AtomicU64,
}

impl Wire {
    /// Calls `ask` with a client that no other call is using, and keeps that client for reuse if the call was answered.
    /// Cloning a client costs as much as a tenth of a small call.
    pub(crate) async fn with_spare<T>(
        self: Arc<Self>,
        ask: impl AsyncFnOnce(&mut KvClient) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let spare = self.lock().pop();
        let mut client = spare.unwrap_or_else(|| Box::new(self.kv.clone()));
        let answer = ask(&mut client).await?;
        self.lock().push(client);
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Spare> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an answer of the server.
    pub(crate) fn count_answer(&self) {
        self.answers.fetch_add(1, Relaxed);
    }

    /// The number of answers so far. If it does not grow during a call that times out, the connection may be dead.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Relaxed)
    }
}

/// The current connection of one kind.
pub(crate) struct Slot {
    dial: Arc<Dial>,
    carries: Carries,
    current: RwLock<Option<Arc<Wire>>>,
    making: Mutex<()>,
    /// A counter: modulo the number of members, it is the index of the member whose turn it is.
    turn: AtomicUsize,
}

impl Slot {
    pub(crate) fn new(dial: Arc<Dial>, carries: Carries) -> Self {
        // Start at a random member, so that not all agents use the first one.
        let first = fastrand::usize(..dial.endpoints.len().max(1));
        Slot { dial, carries, current: RwLock::default(), making: Mutex::default(), turn: AtomicUsize::new(first) }
    }

    /// The endpoint of the current connection, or of the next one.
    pub(crate) fn endpoint(&self) -> Arc<str> {
        self.endpoint_of(self.turn.load(Relaxed))
    }

    fn endpoint_of(&self, turn: usize) -> Arc<str> {
        self.dial.endpoints.get(turn % self.dial.endpoints.len().max(1)).cloned().unwrap_or_default()
    }

    /// Returns the current connection, or makes one. A new connection does not show that the server answers, except if
    /// there is a user: a member at which the user cannot sign on is skipped.
    ///
    /// # Errors
    /// The error, with the endpoint that was tried.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub(crate) async fn get(&self) -> Result<Arc<Wire>, (Error, Arc<str>)> {
        if let Some(wire) = self.current() {
            return Ok(wire);
        }
        let _making = self.making.lock().await;
        if let Some(wire) = self.current() {
            return Ok(wire);
        }
        let turn = self.turn.load(Relaxed);
        // The guard skips this member even if this future is dropped because the caller's time is up.
        let guard = SkipGuard { slot: self, turn };
        let endpoint = self.endpoint_of(turn);
        let client = match timeout(self.dial.sign_on, self.dial.dial(&endpoint, self.carries)).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err((error, endpoint)),
            Err(_) => {
                let late = format!("it does not let the user sign on within {:?}", self.dial.sign_on);
                return Err((Error::GRpcStatus(Status::unavailable(late)), endpoint));
            }
        };
        guard.disarm();
        let wire = Arc::new(Wire {
            kv: client.kv_client().max_decoding_message_size(MAX_MESSAGE),
            spare: SyncMutex::default(),
            lease: client.lease_client(),
            watch: client.watch_client().max_decoding_message_size(MAX_MESSAGE),
            client,
            endpoint,
            pulse: Pulse::new(),
            turn,
            answers: AtomicU64::new(0),
        });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(wire.clone());
        Ok(wire)
    }

    /// Moves on to the next member, unless the turn has changed meanwhile: then somebody else has already reported this
    /// member.
    fn skip_member(&self, turn: usize) {
        let _ = self.turn.compare_exchange(turn, turn.wrapping_add(1), Relaxed, Relaxed);
    }

    /// Drops a failed connection, so that the next one is to another member, if there are more. Calls that still use it
    /// keep it. Returns whether it was the current one.
    pub(crate) fn replace(&self, wire: &Arc<Wire>) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_current = current.as_ref().is_some_and(|current| Arc::ptr_eq(current, wire));
        if is_current {
            *current = None;
            self.skip_member(wire.turn);
        }
        is_current
    }

    /// Drops the current connection without blaming its member: the next one is to the same member.
    pub(crate) fn drop_current(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn current(&self) -> Option<Arc<Wire>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Guard of an attempt to connect: when it is dropped, the member is skipped.
struct SkipGuard<'s> {
    slot: &'s Slot,
    turn: usize,
}

impl SkipGuard<'_> {
    /// Disarms the guard, since the member has answered.
    fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for SkipGuard<'_> {
    fn drop(&mut self) {
        self.slot.skip_member(self.turn);
    }
}

/// The error for an invalid config.
pub(crate) fn misconfigured(help: String, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KvError {
    KvError::new("connect", Reason::Invalid).not_applied().because(source).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> Slot {
        Slot::new(Arc::new(Dial::new(&EtcdConfig::at(["a:1", "b:1", "c:1"])).unwrap()), Carries::Calls)
    }

    #[tokio::test]
    async fn whoever_finds_a_member_of_no_use_none_is_left_out_and_none_asked_twice() {
        let slot = slot();
        let mut asked = Vec::new();
        for _ in 0..3 {
            let wire = slot.get().await.unwrap();
            asked.push(wire.endpoint.clone());
            // The failure of a connection may be noticed late, when there is already another connection, or none.
            let late = wire.clone();
            assert!(slot.replace(&wire) && !slot.replace(&late));
            slot.skip_member(late.turn);
            slot.skip_member(late.turn);
        }
        asked.sort();
        assert_eq!(asked, ["http://a:1", "http://b:1", "http://c:1"].map(Arc::from));
        // After `drop_current`, the connection is to the same member, and `endpoint` returns that member's endpoint.
        let before = slot.get().await.unwrap();
        slot.drop_current();
        let wire = slot.get().await.unwrap();
        assert_eq!((&wire.endpoint, slot.endpoint()), (&before.endpoint, wire.endpoint.clone()));
    }
}
