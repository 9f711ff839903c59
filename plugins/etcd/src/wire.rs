//! [`Slot`]: a connection that is made when it is asked for, and replaced when it is of no use.

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

/// The server sends no message that is larger, and an answer that is, is refused: a catch-up of a watch may be some tens of megabytes.
pub(crate) const MAX_MESSAGE: usize = 256 << 20;
/// etcd takes one ping in 5 s, and closes the connection of who sends more.
const PING: (u64, u64) = (5, 2);

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Carries {
    Calls,
    /// They ask for signs of life themselves, earlier than by pings: see [`Pulse`].
    Watches,
}

/// How connections are made: the same for all of a store.
pub(crate) struct Dial {
    endpoints: Vec<Arc<str>>,
    options: ConnectOptions,
    tls: Option<TlsOptions>,
    /// So long a connection may take.
    within: Duration,
    /// For who signs on: half of a call's time where there is another member to be asked.
    sign_on: Duration,
}

impl Dial {
    /// # Errors
    /// A file of the config can not be read, or has no certificate.
    pub(crate) fn new(config: &EtcdConfig) -> Result<Self, KvError> {
        let mut options = ConnectOptions::new().with_require_leader(true);
        if let Some(user) = &config.username {
            options = options.with_user(user, config.password.reveal()).with_auto_token_refresh(true);
        }
        let endpoints: Vec<Arc<str>> = config.addresses().into_iter().map(Arc::from).collect();
        let sign_on = *config.operation_timeout / if endpoints.len() > 1 { 2 } else { 1 };
        Ok(Dial { endpoints, options, tls: tls::options(config)?, within: *config.dial_timeout, sign_on })
    }

    /// A connection to one member: the client's own way to make one chooses for each call among members that it may have, which costs more than all that is done here.
    async fn dial(&self, endpoint: &str, carries: Carries) -> Result<Client, Error> {
        let mut to = Endpoint::from_shared(endpoint.to_string())?
            .connect_timeout(self.within)
            .tcp_keepalive(Some(Duration::from_secs(PING.0)));
        if carries == Carries::Calls {
            to = to
                .http2_keep_alive_interval(Duration::from_secs(PING.0))
                .keep_alive_timeout(Duration::from_secs(PING.1))
                // a ping without a call is one too many for etcd
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
    /// Clients that are not in use. There are no more than calls were on their way at once.
    spare: SyncMutex<Spare>,
    pub(crate) lease: LeaseClient,
    pub(crate) watch: WatchClient,
    pub(crate) endpoint: Arc<str>,
    /// Of the streams of watches.
    pub(crate) pulse: Pulse,
    turn: usize,
    answers: AtomicU64,
}

impl Wire {
    /// Asks by a client that nobody else has, which is kept where it was answered. To make one of another one costs as much as a tenth of a small call.
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
    carries: Carries,
    current: RwLock<Option<Arc<Wire>>>,
    making: Mutex<()>,
    /// Counts up: whose turn it is, is the rest of it by the number of members.
    turn: AtomicUsize,
}

impl Slot {
    pub(crate) fn new(dial: Arc<Dial>, carries: Carries) -> Self {
        // not all agents at the first member
        let first = fastrand::usize(..dial.endpoints.len().max(1));
        Slot { dial, carries, current: RwLock::default(), making: Mutex::default(), turn: AtomicUsize::new(first) }
    }

    /// The endpoint that is used, or will be.
    pub(crate) fn endpoint(&self) -> Arc<str> {
        self.endpoint_of(self.turn.load(Relaxed))
    }

    fn endpoint_of(&self, turn: usize) -> Arc<str> {
        self.dial.endpoints.get(turn % self.dial.endpoints.len().max(1)).cloned().unwrap_or_default()
    }

    /// The connection; a new one where there is none. It is not known yet whether the server answers, but where there is a user: a member that does not let it sign on
    /// is passed over.
    ///
    /// # Errors
    /// With the endpoint that was asked.
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
        // also where whoever asks has no more time
        let passes = Passes { slot: self, turn };
        let endpoint = self.endpoint_of(turn);
        let client = match timeout(self.dial.sign_on, self.dial.dial(&endpoint, self.carries)).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err((error, endpoint)),
            Err(_) => {
                let late = format!("it does not let the user sign on within {:?}", self.dial.sign_on);
                return Err((Error::GRpcStatus(Status::unavailable(late)), endpoint));
            }
        };
        passes.not();
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

    /// It is the next member's turn, unless it is already: whoever else found this one of no use has said so.
    fn pass(&self, turn: usize) {
        let _ = self.turn.compare_exchange(turn, turn.wrapping_add(1), Relaxed, Relaxed);
    }

    /// This one is of no use: the next one is to another member, where there are more. Who has it still, keeps it. Returns whether it was the current one.
    pub(crate) fn replace(&self, wire: &Arc<Wire>) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_current = current.as_ref().is_some_and(|current| Arc::ptr_eq(current, wire));
        if is_current {
            *current = None;
            self.pass(wire.turn);
        }
        is_current
    }

    /// The current one may be of no use, and nobody has looked: a new one to the same member.
    pub(crate) fn renew(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn current(&self) -> Option<Arc<Wire>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A member that is being asked: it is passed over, whatever ends that.
struct Passes<'s> {
    slot: &'s Slot,
    turn: usize,
}

impl Passes<'_> {
    /// It has answered.
    fn not(self) {
        std::mem::forget(self);
    }
}

impl Drop for Passes<'_> {
    fn drop(&mut self) {
        self.slot.pass(self.turn);
    }
}

/// What can not be a config.
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
            // that a connection is of no use is told late, when another one is there, or none
            let late = wire.clone();
            assert!(slot.replace(&wire) && !slot.replace(&late));
            slot.pass(late.turn);
            slot.pass(late.turn);
        }
        asked.sort();
        assert_eq!(asked, ["http://a:1", "http://b:1", "http://c:1"].map(Arc::from));
        // one that is renewed is at the same member, and the endpoint that is told is its own
        let before = slot.get().await.unwrap();
        slot.renew();
        let wire = slot.get().await.unwrap();
        assert_eq!((&wire.endpoint, slot.endpoint()), (&before.endpoint, wire.endpoint.clone()));
    }
}
