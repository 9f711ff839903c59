//! [`Core`]: the connections of a store, and how calls are sent over them.

use crate::{
    Connection, EtcdConfig,
    failure::{Asked, Failure, REACH},
    pulse::Pulse,
    seats::Seating,
    terms::{Lane, Terms},
    watch::{Gate, Outages},
    wire::{Carries, Dial, Slot, Wire},
};
use cninfra::client::{Deadlines, Pauses};
use cninfra::keyval::{Applied, KvError, Reason, Result};
use etcd_client::Error;
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Release},
        },
    },
    task::Poll,
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit, watch},
    time::{Instant, sleep, timeout_at},
};

pub(crate) struct Core {
    pub(crate) config: EtcdConfig,
    /// For calls and leases. Watches have a connection of their own, since a stream that nobody reads blocks everything
    /// on its connection.
    pub(crate) calls: Slot,
    pub(crate) watches: Slot,
    pub(crate) seating: Seating,
    pub(crate) gate: Gate,
    /// Groups lost watches into outages, for the log.
    pub(crate) outages: Outages,
    /// The answers to the probes of the connection for calls (see `monitor`).
    pub(crate) probed: Pulse,
    pub(crate) connection: watch::Sender<Connection>,
    /// Wakes the monitor to probe now, since the server may be gone.
    pub(crate) suspect: Notify,
    /// One semaphore for each lane.
    permits: [Semaphore; Lane::ALL.len()],
    /// The deadlines of everything that waits for the server.
    deadlines: Deadlines,
    closed: AtomicBool,
    /// Notified when the store is being closed.
    closing: Notify,
    endpoints: Arc<str>,
}

impl Core {
    pub(crate) fn new(config: EtcdConfig, dial: Dial) -> Self {
        let dial = Arc::new(dial);
        let endpoints = dial.endpoints().join(",");
        Core {
            config,
            calls: Slot::new(dial.clone(), Carries::Calls),
            watches: Slot::new(dial, Carries::Watches),
            seating: Seating::default(),
            gate: Gate::default(),
            outages: Outages::default(),
            probed: Pulse::new(),
            connection: watch::Sender::new(Connection::Connecting),
            suspect: Notify::new(),
            permits: Lane::ALL.map(|lane| Semaphore::new(lane.limit())),
            deadlines: Deadlines::default(),
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            endpoints: endpoints.into(),
        }
    }

    /// All endpoints, for messages.
    pub(crate) fn endpoints(&self) -> &Arc<str> {
        &self.endpoints
    }

    /// The terms of a call that starts now.
    pub(crate) fn terms(&self, lane: Lane) -> Terms {
        Terms::within(*self.config.operation_timeout, lane)
    }

    /// Sends a request. An attempt that was not applied, or that may be repeated, is retried while there is time.
    /// `asked` is a closure, since the description of the request is needed only for errors.
    pub(crate) async fn call<T, F>(
        &self,
        mut terms: Terms,
        asked: &(dyn Fn() -> Asked + Sync),
        ask: impl Fn(Arc<Wire>) -> F + Send,
    ) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        // What may take long is boxed, to keep this future small: usually there is nothing to wait for.
        let _permit = match self.permits[terms.lane as usize].try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let (permit, from_then) = Box::pin(self.wait_for_permit(terms, asked)).await?;
                terms = from_then;
                permit
            }
        };
        // Whether something was sent that may have been applied.
        let mut unsure = false;
        let (mut pauses, mut attempts) = (Pauses::default(), 0);
        loop {
            attempts += 1;
            let wire = match self.calls.current() {
                Some(wire) => Ok(wire),
                None => match self.unless_closed(terms.until, Box::pin(self.calls.get()).as_mut()).await {
                    Waited::Done(made) => made,
                    Waited::Closed => return Err(self.closed_error(&asked(), applied(unsure))),
                    Waited::Late => {
                        self.suspect.notify_one();
                        return Err(timeout_error(terms, &asked(), self.calls.endpoint(), applied(unsure)));
                    }
                },
            };
            if self.is_closed() {
                return Err(self.closed_error(&asked(), applied(unsure)));
            }
            let (mut failure, endpoint) = match wire {
                // Making the connection (and signing on) failed, so the request itself was not sent.
                Err((error, endpoint)) => (Failure::of(error, None).before(), endpoint),
                Ok(wire) => {
                    let (before, was_unsure) = (wire.answers(), std::mem::replace(&mut unsure, true));
                    match self.unless_closed(terms.until, pin!(ask(wire.clone()))).await {
                        Waited::Done(Ok(answer)) => {
                            wire.count_answer();
                            return Ok(answer);
                        }
                        Waited::Done(Err(error)) => {
                            let failure = Failure::of(error, asked().lease);
                            unsure = was_unsure || failure.applied == Applied::Unknown;
                            // A member without a quorum says so itself: another member may answer.
                            let is_of_no_use = failure.reason == Reason::Unavailable && self.members() > 1;
                            if failure.is_connection_lost || is_of_no_use {
                                self.replace_broken(&wire);
                            } else {
                                wire.count_answer();
                            }
                            (failure, wire.endpoint.clone())
                        }
                        Waited::Closed => return Err(self.closed_error(&asked(), applied(unsure))),
                        Waited::Late => {
                            // A connection on which other calls were answered meanwhile is not dead.
                            if wire.answers() == before {
                                self.replace_broken(&wire);
                            }
                            return Err(timeout_error(terms, &asked(), wire.endpoint.clone(), applied(unsure)));
                        }
                    }
                }
            };
            failure.applied = applied(unsure);
            // The next member is tried at once; a pause follows when all have been tried.
            let wait = if attempts % self.members() == 0 { pauses.next() } else { Duration::ZERO };
            let is_last =
                attempts >= terms.rounds.saturating_mul(self.members()) || Instant::now() + wait >= terms.until;
            let asked = asked();
            if is_last || !failure.is_retryable(&asked) {
                return Err(failure.into_error(&asked, &endpoint));
            }
            if let Waited::Closed = self.unless_closed(terms.until, Box::pin(sleep(wait)).as_mut()).await {
                return Err(self.closed_error(&asked, applied(unsure)));
            }
        }
    }

    /// Waits for a permit, which is released when it is dropped.
    async fn wait_for_permit(
        &self,
        mut terms: Terms,
        asked: &(dyn Fn() -> Asked + Sync),
    ) -> Result<(SemaphorePermit<'_>, Terms)> {
        // No caller's limit includes the reads of a watch. There may be thousands of them, so the limit of such a read
        // starts with its permit, as long as the server answers others.
        let is_patient = terms.lane == Lane::Watches;
        let mut permit = pin!(self.permits[terms.lane as usize].acquire());
        loop {
            match timeout_at(terms.until, permit.as_mut()).await {
                Ok(Ok(permit)) if is_patient => return Ok((permit, terms.restarted())),
                Ok(Ok(permit)) => return Ok((permit, terms)),
                Ok(Err(_)) => return Err(self.closed_error(&asked(), Applied::No)),
                Err(_) if is_patient && *self.connection.borrow() == Connection::Up => terms = terms.restarted(),
                Err(_) => {
                    let error = asked().error(Reason::TimedOut(terms.limit), Applied::No).at(self.calls.endpoint());
                    return Err(error.because("it had no turn: too many calls are on their way").with_help(FEWER));
                }
            }
        }
    }

    /// Waits for `work`, but not beyond `until`, and not if the store is closed. This needs neither a timer nor a
    /// notification of its own. `work` is pinned by the caller: the client's futures are large, and moving one costs
    /// more than everything else here.
    async fn unless_closed<T>(&self, until: Instant, work: Pin<&mut impl Future<Output = T>>) -> Waited<T> {
        let mut waiting = self.deadlines.until(until, work);
        let waiting = poll_fn(|cx| match Pin::new(&mut waiting).poll(cx) {
            Poll::Ready(Some(done)) => Poll::Ready(Waited::Done(done)),
            Poll::Ready(None) => Poll::Ready(Waited::Late),
            // `close` wakes futures that are already registered with the deadlines; this check covers those that were
            // not.
            Poll::Pending if self.is_closed() => Poll::Ready(Waited::Closed),
            Poll::Pending => Poll::Pending,
        });
        waiting.await
    }

    fn members(&self) -> usize {
        self.config.endpoints.0.len().max(1)
    }

    /// Replaces a connection for calls that failed.
    fn replace_broken(&self, wire: &Arc<Wire>) {
        if self.calls.replace(wire) {
            self.suspect.notify_one();
        }
    }

    /// Ends all calls that wait for the server, and makes later ones fail.
    pub(crate) fn close(&self) {
        self.closed.store(true, Release);
        self.deadlines.look_again();
        self.closing.notify_waiters();
        self.permits.iter().for_each(Semaphore::close);
    }

    /// Drops the connections of a closed store, after everything that uses them has ended.
    pub(crate) fn drop_connections(&self) {
        self.calls.drop_current();
        self.watches.drop_current();
    }

    /// Enforces the deadlines of waiting calls, until the store is closed.
    pub(crate) async fn enforce_deadlines(self: Arc<Self>) {
        tokio::select! {
            () = self.closed() => {}
            () = self.deadlines.run() => {}
        }
    }

    /// Waits until the store is closed.
    pub(crate) async fn closed(&self) {
        // Registered before the flag is read, so that a `close` in between is not missed.
        let closing = self.closing.notified();
        if !self.is_closed() {
            closing.await;
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Acquire)
    }

    /// The error of a call to a store that is closed, or was closed during the call.
    pub(crate) fn closed_error(&self, asked: &Asked, applied: Applied) -> KvError {
        asked.error(Reason::Closed, applied).at(self.endpoints.clone()).because(Gone)
    }
}

const FEWER: &str = "check whether etcd answers in time, or ask for less at once";

fn applied(unsure: bool) -> Applied {
    if unsure { Applied::Unknown } else { Applied::No }
}

/// The error of a call that was not answered in time.
fn timeout_error(terms: Terms, asked: &Asked, endpoint: Arc<str>, applied: Applied) -> KvError {
    asked.error(Reason::TimedOut(terms.limit), applied).at(endpoint).because(Late).with_help(REACH)
}

/// How waiting for something ended.
enum Waited<T> {
    Done(T),
    Late,
    Closed,
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
    use std::future::pending;

    #[tokio::test]
    async fn what_keeps_a_lease_alive_waits_behind_no_flood() {
        let mut config = EtcdConfig::at(["127.0.0.1:1"]);
        config.operation_timeout = cninfra::config::Duration::from_millis(300);
        let core = Core::new(config.clone(), Dial::new(&config).unwrap());
        let asked = || Asked::to_write("put", Some(KeyRange::key("k")));
        let reason = async |lane| {
            let terms = Terms { rounds: 1, ..core.terms(lane) };
            let answer = core.call(terms, &asked, |wire| async move { wire.kv.clone().put("k", "v", None).await });
            answer.await.unwrap_err().reason().clone()
        };
        let _all = core.permits[Lane::Callers as usize].acquire_many(128).await.unwrap();
        // The server is down: a lane with a free permit reports that at once.
        assert_eq!(reason(Lane::Callers).await, Reason::TimedOut(Duration::from_millis(300)));
        assert_eq!(reason(Lane::Watches).await, Reason::Unavailable);
        assert_eq!(reason(Lane::Own).await, Reason::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_waits_for_its_turn_while_others_are_answered() {
        let config = EtcdConfig::at(["127.0.0.1:1"]);
        let core = Core::new(config.clone(), Dial::new(&config).unwrap());
        let asked = || Asked::to_read("list", None);
        let all = core.permits[Lane::Watches as usize].acquire_many(16).await.unwrap();
        core.connection.send_replace(Connection::Up);
        let limit = core.terms(Lane::Watches).limit;
        let mut waits = pin!(core.wait_for_permit(core.terms(Lane::Watches), &asked));
        tokio::select! {
            biased;
            _ = waits.as_mut() => panic!("it has no turn"),
            () = sleep(limit * 10) => {}
        }
        drop(all);
        // From then on it has its full limit.
        let (all, terms) = waits.await.unwrap();
        assert_eq!(terms.until, Instant::now() + limit);
        drop(all);
        // While no call is answered, it times out.
        let _all = core.permits[Lane::Watches as usize].acquire_many(16).await.unwrap();
        core.connection.send_replace(Connection::Down("gone".to_string()));
        let began = Instant::now();
        let error = core.wait_for_permit(core.terms(Lane::Watches), &asked).await.err().unwrap();
        assert_eq!((error.reason(), began.elapsed()), (&Reason::TimedOut(limit), limit));
    }

    #[tokio::test]
    async fn a_close_ends_what_waits_for_its_turn_and_all_that_comes() {
        let config = EtcdConfig::at(["127.0.0.1:1"]);
        let core = Arc::new(Core::new(config.clone(), Dial::new(&config).unwrap()));
        let asked = || Asked::to_write("put", Some(KeyRange::key("k")));
        let call = async || {
            let terms = core.terms(Lane::Callers);
            let answer = core.call(terms, &asked, |wire| async move { wire.kv.clone().put("k", "v", None).await });
            let error = answer.await.unwrap_err();
            (error.reason().clone(), error.applied())
        };
        let all = core.permits[Lane::Callers as usize].acquire_many(128).await.unwrap();
        let until = Instant::now() + Duration::from_secs(9);
        let hangs = |core: Arc<Core>| async move {
            matches!(core.unless_closed(until, pin!(pending::<()>())).await, Waited::Closed)
        };
        // A task of its own, which nothing but `close` wakes.
        let hung = tokio::spawn(hangs(core.clone()));
        tokio::task::yield_now().await;
        let closing = async {
            tokio::task::yield_now().await;
            core.close();
        };
        let began = Instant::now();
        let (waited, ()) = tokio::join!(call(), closing);
        drop(all);
        assert!(hung.await.unwrap() && hangs(core.clone()).await);
        assert_eq!([waited, call().await], [(); 2].map(|()| (Reason::Closed, Applied::No)));
        core.closed().await;
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}
