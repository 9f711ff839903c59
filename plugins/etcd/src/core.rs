//! [`Core`]: the connections of a store, and how it is called.

use crate::{
    Connection, EtcdConfig,
    failure::{Asked, Failure, REACH},
    wire::{Dial, Slot, Wire},
};
use cninfra::client::Pauses;
use cninfra::keyval::{Applied, KvError, Reason, Result};
use etcd_client::Error;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep, timeout_at},
};

/// So many calls are on their way at once; the next ones wait, within their limit. What is on its way when the server hangs is done when it wakes up, so it is no queue.
const IN_FLIGHT: usize = 128;

pub(crate) struct Core {
    pub(crate) config: EtcdConfig,
    /// For calls and leases: a connection apart from that of watches, since streams that nobody reads hold up all that goes over theirs.
    pub(crate) calls: Slot,
    pub(crate) watches: Slot,
    pub(crate) connection: watch::Sender<Connection>,
    /// The server may be gone: whoever looks after it is to look now.
    pub(crate) suspect: Notify,
    room: Semaphore,
    closed: watch::Sender<bool>,
    endpoints: Arc<str>,
}

impl Core {
    pub(crate) fn new(config: EtcdConfig, dial: Dial) -> Self {
        let dial = Arc::new(dial);
        let endpoints = dial.endpoints().join(",");
        Core {
            config,
            calls: Slot::new(dial.clone()),
            watches: Slot::new(dial),
            connection: watch::Sender::new(Connection::Connecting),
            suspect: Notify::new(),
            room: Semaphore::new(IN_FLIGHT),
            closed: watch::Sender::new(false),
            endpoints: endpoints.into(),
        }
    }

    /// All endpoints, for messages.
    pub(crate) fn endpoints(&self) -> &Arc<str> {
        &self.endpoints
    }

    /// Asks something, within the limit of the config.
    pub(crate) async fn call<T, F>(&self, asked: &Asked, ask: impl Fn(Arc<Wire>) -> F + Send) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        self.call_within(*self.config.operation_timeout, usize::MAX, asked, ask).await
    }

    /// Asks something. What was not applied, or only reads, is asked again while there is time, so often of each member.
    pub(crate) async fn call_within<T, F>(
        &self,
        limit: Duration,
        rounds: usize,
        asked: &Asked,
        ask: impl Fn(Arc<Wire>) -> F + Send,
    ) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let late = |endpoint: &Arc<str>, applied| {
            asked.error(Reason::TimedOut(limit), applied).at(endpoint.clone()).because(Late).with_help(REACH)
        };
        let calling = async {
            let deadline = Instant::now() + limit;
            let Ok(Ok(_room)) = timeout_at(deadline, self.room.acquire()).await else {
                return Err(late(&self.calls.endpoint(), Applied::No));
            };
            let (mut pauses, mut attempts) = (Pauses::default(), 0);
            loop {
                attempts += 1;
                let endpoint = self.calls.endpoint();
                let failure = match timeout_at(deadline, self.calls.get()).await {
                    Err(_) => {
                        self.calls.skip();
                        self.suspect.notify_one();
                        return Err(late(&endpoint, Applied::No));
                    }
                    // to sign on is not what was asked for
                    Ok(Err(error)) => (Failure::of(error, None).before(), endpoint),
                    Ok(Ok(wire)) => {
                        let before = wire.answers();
                        match timeout_at(deadline, ask(wire.clone())).await {
                            Ok(Ok(answer)) => {
                                wire.answered();
                                return Ok(answer);
                            }
                            Ok(Err(error)) => {
                                let failure = Failure::of(error, asked.lease);
                                // one that is cut off from the others says so, and another one may be asked
                                let is_of_no_use = failure.reason == Reason::Unavailable && self.members() > 1;
                                if failure.breaks || is_of_no_use {
                                    self.broken(&wire);
                                } else {
                                    wire.answered();
                                }
                                (failure, wire.endpoint.clone())
                            }
                            Err(_) => {
                                // a connection on which others were answered meanwhile is not dead
                                if wire.answers() == before {
                                    self.broken(&wire);
                                }
                                return Err(late(&wire.endpoint, Applied::Unknown));
                            }
                        }
                    }
                };
                let (failure, endpoint) = failure;
                // the next member is asked at once
                let wait = if attempts % self.members() == 0 { pauses.next() } else { Duration::ZERO };
                let is_last = attempts >= rounds.saturating_mul(self.members()) || Instant::now() + wait >= deadline;
                if is_last || !failure.may_pass(asked) {
                    return Err(failure.into_error(asked, &endpoint));
                }
                sleep(wait).await;
            }
        };
        tokio::select! {
            biased;
            () = self.closed() => Err(self.closed_error(asked)),
            answer = calling => answer,
        }
    }

    fn members(&self) -> usize {
        self.config.endpoints.0.len().max(1)
    }

    /// A connection for calls is of no use.
    fn broken(&self, wire: &Arc<Wire>) {
        if self.calls.replace(wire) {
            self.suspect.notify_one();
        }
    }

    /// Ends all that waits for the server, and all that comes.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Waits until the store is closed.
    pub(crate) async fn closed(&self) {
        // the sender is here
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// What was asked of a store that is closed: nobody knows of it, if it was on its way.
    pub(crate) fn closed_error(&self, asked: &Asked) -> KvError {
        asked.error(Reason::Closed, Applied::Unknown).at(self.endpoints.clone()).because(Gone)
    }
}

#[derive(Debug)]
struct Late;

impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the server hangs, or the network loses what is sent")
    }
}

impl std::error::Error for Late {}

#[derive(Debug)]
struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("its agent or its owner has closed it")
    }
}

impl std::error::Error for Gone {}
