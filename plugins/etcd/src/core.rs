//! [`Core`]: the connections of a store, and how it is called.

use crate::{
    Connection, EtcdConfig,
    failure::{Asked, Failure, REACH},
    terms::{Lane, Terms},
    wire::{Dial, Slot, Wire},
};
use cninfra::client::Pauses;
use cninfra::keyval::{Applied, KvError, Reason, Result};
use etcd_client::Error;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep, timeout_at},
};

pub(crate) struct Core {
    pub(crate) config: EtcdConfig,
    /// For calls and leases: a connection apart from that of watches, since streams that nobody reads hold up all that goes over theirs.
    pub(crate) calls: Slot,
    pub(crate) watches: Slot,
    pub(crate) connection: watch::Sender<Connection>,
    /// The server may be gone: whoever looks after it is to look now.
    pub(crate) suspect: Notify,
    /// For each lane.
    rooms: [Semaphore; Lane::ALL.len()],
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
            rooms: Lane::ALL.map(|lane| Semaphore::new(lane.room())),
            closed: watch::Sender::new(false),
            endpoints: endpoints.into(),
        }
    }

    /// All endpoints, for messages.
    pub(crate) fn endpoints(&self) -> &Arc<str> {
        &self.endpoints
    }

    /// How a call is asked, from now on.
    pub(crate) fn terms(&self, lane: Lane) -> Terms {
        Terms::within(*self.config.operation_timeout, lane)
    }

    /// Asks something. What was not applied, or only reads, is asked again while there is time.
    pub(crate) async fn call<T, F>(&self, terms: Terms, asked: &Asked, ask: impl Fn(Arc<Wire>) -> F + Send) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        // what was sent, and was not said to be left undone
        let unsure = AtomicBool::new(false);
        tokio::select! {
            biased;
            () = self.closed() => Err(self.closed_error(asked, applied(&unsure))),
            answer = self.attempts(terms, asked, &unsure, ask) => answer,
        }
    }

    async fn attempts<T, F>(
        &self,
        terms: Terms,
        asked: &Asked,
        unsure: &AtomicBool,
        ask: impl Fn(Arc<Wire>) -> F + Send,
    ) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let late = |endpoint: Arc<str>| {
            let error = asked.error(Reason::TimedOut(terms.limit), applied(unsure));
            error.at(endpoint).because(Late).with_help(REACH)
        };
        let room = &self.rooms[terms.lane as usize];
        let Ok(Ok(_room)) = timeout_at(terms.until, room.acquire()).await else {
            let error = asked.error(Reason::TimedOut(terms.limit), Applied::No).at(self.calls.endpoint());
            return Err(error.because("it had no turn: too many calls are on their way").with_help(FEWER));
        };
        let (mut pauses, mut attempts) = (Pauses::default(), 0);
        loop {
            attempts += 1;
            let (mut failure, endpoint) = match timeout_at(terms.until, self.calls.get()).await {
                Err(_) => {
                    self.suspect.notify_one();
                    return Err(late(self.calls.endpoint()));
                }
                // to sign on is not what was asked for
                Ok(Err((error, endpoint))) => (Failure::of(error, None).before(), endpoint),
                Ok(Ok(wire)) => {
                    let (before, was_unsure) = (wire.answers(), unsure.swap(true, Relaxed));
                    match timeout_at(terms.until, ask(wire.clone())).await {
                        Ok(Ok(answer)) => {
                            wire.answered();
                            return Ok(answer);
                        }
                        Ok(Err(error)) => {
                            let failure = Failure::of(error, asked.lease);
                            unsure.store(was_unsure || failure.applied == Applied::Unknown, Relaxed);
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
                            return Err(late(wire.endpoint.clone()));
                        }
                    }
                }
            };
            failure.applied = applied(unsure);
            // the next member is asked at once
            let wait = if attempts % self.members() == 0 { pauses.next() } else { Duration::ZERO };
            let is_last =
                attempts >= terms.rounds.saturating_mul(self.members()) || Instant::now() + wait >= terms.until;
            if is_last || !failure.may_pass(asked) {
                return Err(failure.into_error(asked, &endpoint));
            }
            sleep(wait).await;
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

    /// What was asked of a store that is closed, or closed meanwhile.
    pub(crate) fn closed_error(&self, asked: &Asked, applied: Applied) -> KvError {
        asked.error(Reason::Closed, applied).at(self.endpoints.clone()).because(Gone)
    }
}

const FEWER: &str = "look whether etcd answers in time, or ask for less at once";

fn applied(unsure: &AtomicBool) -> Applied {
    if unsure.load(Relaxed) { Applied::Unknown } else { Applied::No }
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

#[cfg(test)]
mod tests {
    use super::*;
    use cninfra::keyval::KeyRange;

    #[tokio::test]
    async fn what_keeps_a_lease_alive_waits_behind_no_flood() {
        let mut config = EtcdConfig::at(["127.0.0.1:1"]);
        config.operation_timeout = cninfra::config::Duration::from_millis(300);
        let core = Core::new(config.clone(), Dial::new(&config).unwrap());
        let asked = Asked::to_write("put", Some(KeyRange::key("k")));
        let reason = async |lane| {
            let terms = Terms { rounds: 1, ..core.terms(lane) };
            let answer = core.call(terms, &asked, |wire| async move { wire.kv.clone().put("k", "v", None).await });
            answer.await.unwrap_err().reason().clone()
        };
        let _all = core.rooms[Lane::Callers as usize].acquire_many(128).await.unwrap();
        // the server is not there: who may ask, knows it at once
        assert_eq!(reason(Lane::Callers).await, Reason::TimedOut(Duration::from_millis(300)));
        assert_eq!(reason(Lane::Watches).await, Reason::Unavailable);
        assert_eq!(reason(Lane::Own).await, Reason::Unavailable);
    }
}
