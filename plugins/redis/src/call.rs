//! Calls: sends requests to servers, with a time limit and retries.

use crate::{
    command::{Command, Reply},
    core::{Core, MOMENT},
    failure::{Asked, Elsewhere, Failure},
    wire::{Call, Wire},
};
use bytes::Bytes;
use cninfra::client::Pauses;
use cninfra::keyval::{Applied, Result};
use std::{result::Result as StdResult, sync::Arc, time::Duration};
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, sleep, timeout_at},
};

/// The receiver of a request.
#[derive(Clone, Debug)]
pub(crate) enum To<'k> {
    /// The server that has this key.
    Key(&'k Bytes),
    Node(Arc<str>),
}

/// The origin of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// A caller, which waits for its turn.
    Caller,
    /// The store itself, for what must not wait behind callers. It makes few requests at once.
    Own,
}

/// Describes a request. It is a closure, since the description is needed only for errors.
pub(crate) type Asks<'a> = &'a (dyn Fn() -> Asked + Sync);

/// The origin and deadline of one request that starts now. [`next_request`](Turn::next_request) makes one for a further
/// request.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) origin: Origin,
    pub(crate) deadline: Instant,
    /// The whole limit, for messages.
    pub(crate) limit: Duration,
    /// The time of creation; `None` if something was waited for since then.
    now: Option<Instant>,
}

impl Turn {
    pub(crate) fn new(origin: Origin, limit: Duration) -> Self {
        let now = Instant::now();
        Turn { origin, deadline: now + limit, limit, now: Some(now) }
    }

    /// For a further request, within the same deadline.
    pub(crate) fn next_request(&self) -> Self {
        Turn { now: None, ..*self }
    }
}

/// Enforces the deadlines of waiting calls, until the store is closed.
pub(crate) async fn enforce_deadlines(core: Arc<Core>) {
    tokio::select! {
        () = core.closed() => {}
        () = core.deadlines.run() => {}
    }
}

struct AtHand {
    wire: Arc<Wire>,
    /// How many answers the connection had received before.
    before: u64,
}

impl AtHand {
    fn new(wire: Arc<Wire>) -> Self {
        AtHand { before: wire.answers(), wire }
    }
}

/// How waiting for something ended.
enum Waited<T> {
    Done(T),
    Late,
    Closed,
}

impl Core {
    /// The terms of a read, with the limit of the config.
    pub(crate) fn to_read(&self, origin: Origin) -> Turn {
        Turn::new(origin, self.config.read_within())
    }

    /// The terms of a write, with the limit of the config.
    pub(crate) fn to_write(&self, origin: Origin) -> Turn {
        Turn::new(origin, self.config.write_within())
    }

    /// Sends a request. An attempt that was not applied, or that may be repeated, is retried while there is time.
    pub(crate) async fn call(
        &self,
        mut turn: Turn,
        asked: Asks<'_>,
        to: &To<'_>,
        command: &Command<'_>,
    ) -> Result<Reply> {
        // What may take long is boxed: usually there is only the answer to wait for, and this future is made, moved and
        // dropped for each call.
        let permit = (turn.origin == Origin::Caller).then(|| self.permits.try_acquire());
        let _permit = match permit {
            None => None,
            Some(Ok(permit)) => Some(permit),
            // A timer only if there is something to wait for.
            Some(Err(_)) => match Box::pin(timeout_at(turn.deadline, self.wait_for_permit(turn.origin))).await {
                Ok(permit) => {
                    turn.now = None;
                    permit
                }
                Err(_) => return Err(self.timeout_error(turn.limit, &asked(), self.endpoints(), Applied::No)),
            },
        };
        let failed = match self.at_hand(&turn, to) {
            Some((at, began)) => {
                let answer = self.deadlines.until(turn.deadline, at.wire.call(command)).await;
                if let Some(Ok(reply)) = answer {
                    return Ok(reply);
                }
                match self.evaluate(&at, &turn, began, asked, answer)? {
                    Ok(reply) => return Ok(reply),
                    Err(failure) => Some((at.wire.endpoint.clone(), failure)),
                }
            }
            None => None,
        };
        Box::pin(self.retry(turn, asked, to, command, failed)).await
    }

    /// Waits for a permit, if `who` is a caller. It is released when it is dropped.
    pub(crate) async fn wait_for_permit(&self, origin: Origin) -> Option<SemaphorePermit<'_>> {
        match origin {
            // The semaphore of a closed store is closed too: everybody goes on at once, and is then refused.
            Origin::Caller => self.permits.acquire().await.ok(),
            Origin::Own => None,
        }
    }

    /// The connection and the current time, if neither has to be waited for.
    fn at_hand(&self, turn: &Turn, to: &To<'_>) -> Option<(AtHand, Instant)> {
        let began = turn.now.filter(|_| turn.limit >= MOMENT)?;
        let wire = match (to, &self.single) {
            (To::Key(_), Some(node)) => node.current()?,
            (To::Key(key), None) => self.node(self.slots.borrow().owner(key)?).current()?,
            (To::Node(endpoint), _) => self.node(endpoint).current()?,
        };
        // Checked after the connection was taken: a connection that existed when the store was closed ends with it.
        (!self.is_closed()).then(|| (AtHand::new(wire), began))
    }

    /// Evaluates the result of one attempt. A time-out ends the call. `before` is the number of answers before the
    /// attempt.
    fn evaluate(
        &self,
        AtHand { wire, before }: &AtHand,
        turn: &Turn,
        began: Instant,
        asked: Asks<'_>,
        answer: Option<StdResult<Reply, Failure>>,
    ) -> Result<StdResult<Reply, Failure>> {
        let Some(answer) = answer else {
            let asked = asked();
            // A connection on which other calls were answered meanwhile is not dead.
            if wire.answers() == *before && self.is_long(began, self.within(&asked)) {
                self.replace_broken(wire);
            }
            return Err(self.timeout_error(turn.limit, &asked, &wire.endpoint, Applied::Unknown));
        };
        if answer.as_ref().is_err_and(Failure::is_connection_lost) {
            self.replace_broken(wire);
        }
        Ok(answer)
    }

    /// Repeats a request until there is a final answer. `failed` is the failure of an earlier attempt, with its
    /// endpoint.
    async fn retry(
        &self,
        turn: Turn,
        asked: Asks<'_>,
        to: &To<'_>,
        command: &Command<'_>,
        mut failed: Option<(Arc<str>, Failure)>,
    ) -> Result<Reply> {
        let (mut pauses, mut redirects) = (Pauses::default(), 0);
        let mut elsewhere: Option<Elsewhere> = None;
        loop {
            let (endpoint, failure) = match failed.take() {
                Some(failed) => failed,
                None => match self.attempt(&turn, asked, to, elsewhere.as_ref(), command).await? {
                    Ok(reply) => return Ok(reply),
                    Err(failed) => failed,
                },
            };
            if failure.is_connection_lost() && self.is_closed() {
                return Err(self.closed_error(&asked(), failure.applied()));
            }
            if failure.is_connection_lost() || failure.is_misplaced() {
                self.probe_now.notify_one();
                self.refresh_topology.notify_one();
            }
            elsewhere = failure.elsewhere(&endpoint).filter(|_| matches!(to, To::Key(_)));
            if elsewhere.is_some() && redirects < self.config.max_rediects {
                redirects += 1;
                continue;
            }
            let wait = pauses.next();
            if !failure.is_retryable(&asked()) || elsewhere.is_some() || Instant::now() + wait >= turn.deadline {
                return Err(failure.into_error(&asked(), &endpoint));
            }
            if let Waited::Closed = self.unless_closed(turn.deadline, sleep(wait)).await {
                return Err(self.closed_error(&asked(), Applied::No));
            }
        }
    }

    /// Makes one attempt: finds the server, connects if necessary, and sends. A failure is returned with the endpoint.
    async fn attempt(
        &self,
        turn: &Turn,
        asked: Asks<'_>,
        to: &To<'_>,
        elsewhere: Option<&Elsewhere>,
        command: &Command<'_>,
    ) -> Result<StdResult<Reply, (Arc<str>, Failure)>> {
        let Turn { deadline, limit, .. } = *turn;
        let known = match elsewhere {
            Some(Elsewhere::Moved(endpoint) | Elsewhere::Ask(endpoint)) => Waited::Done(endpoint.clone()),
            None => self.unless_closed(deadline, self.find(to)).await,
        };
        let endpoint = match known {
            Waited::Done(endpoint) => endpoint,
            Waited::Closed => return Err(self.closed_error(&asked(), Applied::No)),
            Waited::Late => {
                self.refresh_topology.notify_one();
                return Err(self.no_server_error(&asked()));
            }
        };
        let began = Instant::now();
        // So little time is left that only others could use a connection made now.
        if deadline.saturating_duration_since(began) < MOMENT {
            return Err(self.timeout_error(limit, &asked(), &endpoint, Applied::No));
        }
        let node = self.node(&endpoint);
        let wire = match node.current() {
            Some(wire) => Ok(wire),
            None => match self.unless_closed(deadline, node.wire()).await {
                Waited::Done(dialed) => dialed,
                Waited::Closed => return Err(self.closed_error(&asked(), Applied::No)),
                Waited::Late => return Err(self.timeout_error(limit, &asked(), &endpoint, Applied::No)),
            },
        };
        // Checked after the connection was taken: a connection that existed when the store was closed ends with it.
        if self.is_closed() {
            return Err(self.closed_error(&asked(), Applied::No));
        }
        let at = match wire {
            Ok(wire) => AtHand::new(wire),
            Err(failure) => return Ok(Err((endpoint, failure))),
        };
        let asking = matches!(elsewhere, Some(Elsewhere::Ask(_)));
        let answer = if asking { Call::Boxed(at.wire.call_asking(command)) } else { at.wire.call(command) };
        let answer = self.deadlines.until(deadline, answer).await;
        Ok(self.evaluate(&at, turn, began, asked, answer)?.map_err(|failure| (endpoint, failure)))
    }

    /// Waits for something, but not beyond the deadline, and not if the store is closed.
    async fn unless_closed<T>(&self, deadline: Instant, work: impl Future<Output = T>) -> Waited<T> {
        tokio::select! {
            biased;
            () = self.closed() => Waited::Closed,
            done = timeout_at(deadline, work) => done.map_or(Waited::Late, Waited::Done),
        }
    }

    /// Whether it was waited for so long that an answer should have come. A call that first had to wait for something
    /// else may have waited for its answer only briefly.
    pub(crate) fn is_long(&self, began: Instant, within: Duration) -> bool {
        began.elapsed() + MOMENT >= within / 2
    }

    fn within(&self, asked: &Asked) -> Duration {
        if asked.writes { self.config.write_within() } else { self.config.read_within() }
    }

    /// Finds the server, and waits until it is known.
    async fn find(&self, to: &To<'_>) -> Arc<str> {
        let key = match to {
            To::Node(endpoint) => return endpoint.clone(),
            To::Key(key) => key,
        };
        let mut slots = self.slots.subscribe();
        loop {
            if let Some(owner) = slots.borrow_and_update().owner(key) {
                return owner.clone();
            }
            self.refresh_topology.notify_one();
            if slots.changed().await.is_err() {
                // This does not happen: the sender is in `self`.
                std::future::pending::<()>().await;
            }
        }
    }
}
