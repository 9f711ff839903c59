//! [`Core`]: the servers of a store, and how they are called.

use crate::{
    Connection, RedisConfig,
    config::Kind,
    failure::{Asked, Elsewhere, Failure, REACH},
    node::Node,
    slots::Slots,
    watch::Hub,
    wire::{Command, Dial, Reply, Wire},
};
use bytes::Bytes;
use cninfra::client::Pauses;
use cninfra::keyval::{Applied, KvError, Reason, Result};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit, watch},
    time::{Instant, sleep, timeout_at},
};

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
    room: Semaphore,
    closed: watch::Sender<bool>,
    endpoints: Arc<str>,
}

/// Whom to ask.
#[derive(Clone, Debug)]
pub(crate) enum To {
    /// Who has this key.
    Key(Bytes),
    Node(Arc<str>),
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// A caller, who waits for his turn.
    Caller,
    /// The store itself, for what has to go on however many callers wait: it asks few things at once.
    Own,
}

/// What is asked, for errors: it is made out only where there is one to tell.
pub(crate) type Asks<'a> = &'a (dyn Fn() -> Asked + Sync);

/// Who asks, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) who: Who,
    pub(crate) deadline: Instant,
    /// How long that is from the beginning, for messages.
    pub(crate) limit: Duration,
}

impl Turn {
    pub(crate) fn new(who: Who, limit: Duration) -> Self {
        Turn { who, deadline: Instant::now() + limit, limit }
    }
}

impl Core {
    pub(crate) fn new(config: RedisConfig, dial: Dial) -> Self {
        let kind = config.kind();
        let slots = match &kind {
            Kind::Single(endpoint) => Slots::one(endpoint.clone()),
            Kind::Sentinel { .. } | Kind::Cluster(_) => Slots::default(),
        };
        let endpoints = config.endpoints_shown();
        Core {
            kind,
            dial: Arc::new(dial),
            slots: watch::Sender::new(Arc::new(slots)),
            connection: watch::Sender::new(Connection::Connecting),
            hub: Hub::new(config.db),
            suspect: Notify::new(),
            shaken: Notify::new(),
            nodes: Mutex::default(),
            room: Semaphore::new(IN_FLIGHT),
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

    fn within(&self, asked: &Asked) -> Duration {
        if asked.writes { self.config.write_within() } else { self.config.read_within() }
    }

    /// One that reads, within the limit of the config.
    pub(crate) fn to_read(&self, who: Who) -> Turn {
        Turn::new(who, self.config.read_within())
    }

    /// One that writes, within the limit of the config.
    pub(crate) fn to_write(&self, who: Who) -> Turn {
        Turn::new(who, self.config.write_within())
    }

    /// Asks something. What was not applied, or only reads, is asked again while there is time.
    pub(crate) async fn call(&self, turn: Turn, asked: Asks<'_>, to: &To, command: Command) -> Result<Reply> {
        let room = (turn.who == Who::Caller).then(|| self.room.try_acquire());
        let _room = match room {
            None => None,
            Some(Ok(room)) => Some(room),
            // a timer only where there is something to wait for
            Some(Err(_)) => match timeout_at(turn.deadline, self.turn(turn.who)).await {
                Ok(room) => room,
                Err(_) => return Err(self.late(turn.limit, &asked(), &self.endpoints, Applied::No)),
            },
        };
        self.ask(turn, asked, to, &command).await
    }

    /// Waits for a caller's turn, which is over when this is dropped.
    pub(crate) async fn turn(&self, who: Who) -> Option<SemaphorePermit<'_>> {
        match who {
            // a store that is closed has room for all: they are refused
            Who::Caller => self.room.acquire().await.ok(),
            Who::Own => None,
        }
    }

    async fn ask(&self, turn: Turn, asked: Asks<'_>, to: &To, command: &Command) -> Result<Reply> {
        let Turn { deadline, limit, .. } = turn;
        let (mut pauses, mut redirects) = (Pauses::default(), 0);
        let mut elsewhere: Option<Elsewhere> = None;
        loop {
            let known = match &elsewhere {
                Some(Elsewhere::Moved(endpoint) | Elsewhere::Ask(endpoint)) => Some(endpoint.clone()),
                None => self.known(to),
            };
            // what may take long is in boxes: mostly there is nothing to wait for
            let endpoint = match known {
                Some(endpoint) => endpoint,
                None => match self.unless_closed(deadline, Box::pin(self.find(to))).await {
                    Waited::Done(endpoint) => endpoint,
                    Waited::Closed => return Err(self.closed_error(&asked(), Applied::No)),
                    Waited::Late => {
                        self.suspect.notify_one();
                        return Err(self.nobody(&asked()));
                    }
                },
            };
            let began = Instant::now();
            // who has had to wait for so long makes no connection for others
            if deadline.saturating_duration_since(began) < MOMENT {
                return Err(self.late(limit, &asked(), &endpoint, Applied::No));
            }
            let node = self.node(&endpoint);
            let wire = match node.current() {
                Some(wire) => Ok(wire),
                None => match self.unless_closed(deadline, Box::pin(node.wire())).await {
                    Waited::Done(dialed) => dialed,
                    Waited::Closed => return Err(self.closed_error(&asked(), Applied::No)),
                    Waited::Late => return Err(self.late(limit, &asked(), &endpoint, Applied::No)),
                },
            };
            // looked at after the connection was had: one that was there when the store was closed ends with it
            if self.is_closed() {
                return Err(self.closed_error(&asked(), Applied::No));
            }
            let failure = match wire {
                Err(failure) => failure,
                Ok(wire) => {
                    let before = wire.answers();
                    let asking = matches!(elsewhere, Some(Elsewhere::Ask(_)));
                    match timeout_at(deadline, send(&wire, asking, command)).await {
                        Ok(Ok(reply)) => return Ok(reply),
                        Ok(Err(failure)) => {
                            if failure.breaks() {
                                self.broken(&node, &wire);
                            }
                            failure
                        }
                        Err(_) => {
                            // a connection on which others were answered meanwhile is not dead
                            if wire.answers() == before && self.is_long(began, self.within(&asked())) {
                                self.broken(&node, &wire);
                            }
                            return Err(self.late(limit, &asked(), &endpoint, Applied::Unknown));
                        }
                    }
                }
            };
            if failure.breaks() && self.is_closed() {
                return Err(self.closed_error(&asked(), failure.applied()));
            }
            if failure.breaks() || failure.is_misplaced() {
                self.shaken.notify_one();
                self.suspect.notify_one();
            }
            elsewhere = failure.elsewhere(&endpoint).filter(|_| matches!(to, To::Key(_)));
            if elsewhere.is_some() && redirects < self.config.max_rediects {
                redirects += 1;
                continue;
            }
            let wait = pauses.next();
            if !failure.may_pass(&asked()) || elsewhere.is_some() || Instant::now() + wait >= deadline {
                return Err(failure.into_error(&asked(), &endpoint));
            }
            if let Waited::Closed = self.unless_closed(deadline, Box::pin(sleep(wait))).await {
                return Err(self.closed_error(&asked(), Applied::No));
            }
        }
    }

    /// Waits for something, but no longer than until then, and not in a store that is closed.
    async fn unless_closed<T>(&self, deadline: Instant, work: impl Future<Output = T>) -> Waited<T> {
        tokio::select! {
            biased;
            () = self.closed() => Waited::Closed,
            done = timeout_at(deadline, work) => done.map_or(Waited::Late, Waited::Done),
        }
    }

    /// Who is to be asked, if that is known.
    fn known(&self, to: &To) -> Option<Arc<str>> {
        match to {
            To::Node(endpoint) => Some(endpoint.clone()),
            To::Key(key) => self.slots.borrow().owner(key).cloned(),
        }
    }

    /// Was waited for so long that an answer would have come? Who had to wait before, for another thing, has waited for it only shortly.
    pub(crate) fn is_long(&self, began: Instant, within: Duration) -> bool {
        began.elapsed() + MOMENT >= within / 2
    }

    /// Who is to be asked, as soon as it is known.
    async fn find(&self, to: &To) -> Arc<str> {
        let key = match to {
            To::Node(endpoint) => return endpoint.clone(),
            To::Key(key) => key,
        };
        let mut slots = self.slots.subscribe();
        loop {
            if let Some(owner) = slots.borrow_and_update().owner(key) {
                return owner.clone();
            }
            self.suspect.notify_one();
            if slots.changed().await.is_err() {
                // the sender is here
                std::future::pending::<()>().await;
            }
        }
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

    /// Forgets servers that have no keys, and returns the others.
    pub(crate) fn keep(&self, endpoints: &[Arc<str>]) {
        self.lock().retain(|node| endpoints.iter().any(|endpoint| node.is_at(endpoint)));
    }

    pub(crate) fn broken(&self, node: &Node, wire: &Arc<Wire>) {
        node.broken(wire);
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
        self.lock().clear();
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
        *self.closed.borrow()
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

    fn nobody(&self, asked: &Asked) -> KvError {
        let error = asked.error(Reason::Unavailable, Applied::No).at(self.endpoints.clone()).with_help(REACH);
        error.because("no server is known that has the key")
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has become of something that was waited for.
enum Waited<T> {
    Done(T),
    Late,
    Closed,
}

async fn send(wire: &Wire, asking: bool, command: &Command) -> std::result::Result<Reply, Failure> {
    if !asking {
        return wire.call(command).await;
    }
    let answers = wire.pipeline(vec![Command::bare("ASKING"), command.clone()]).await;
    answers.into_iter().next_back().unwrap_or_else(|| Err(Failure::lost("no answer")))
}
