//! [`Pulse`]: what a connection is doing, and its current deadline.

use crate::{
    clock::{Millis, NEVER, after},
    current::Current,
    refusal::Refusal,
    shared::Shared,
    turn::Turn,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// When the server drains, clients that have just sent a request, or are about to, have this long until it arrives.
pub(crate) const LINGER: Duration = Duration::from_millis(100);
/// After a response that did not wait for the whole request, what the client still sends is read for this long: if the
/// connection were closed at once, the client's system would discard the response.
const CLOSING: Duration = Duration::from_millis(500);

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Phase {
    /// No byte has arrived yet.
    Fresh,
    /// A request's head is being read.
    Head,
    /// A handler has the request.
    Handling,
    /// The response is being written.
    Writing,
    /// The response is complete, but not yet written to the socket.
    Flushing,
    /// It waits for the next request.
    Idle,
    /// The sending side is shut down.
    Closing,
}

const PHASES: [Phase; 7] =
    [Phase::Fresh, Phase::Head, Phase::Handling, Phase::Writing, Phase::Flushing, Phase::Idle, Phase::Closing];

/// What a connection is doing. Its parts (socket, service, bodies) run one after the other in one task, so nothing here
/// ever waits.
#[derive(Debug)]
pub(crate) struct Pulse {
    pub(crate) shared: Arc<Shared>,
    phase: AtomicU8,
    /// When the phase began, if it has a limit of its own. `NEVER` if it began during a poll of the connection: most
    /// requests arrive whole, so the clock is not asked for each. While a response is flushed: when it was complete, if
    /// someone has asked the clock.
    since: AtomicU64,
    /// When the head of the request was complete.
    head_complete: AtomicU64,
    /// Since when the client has taken no data; `NEVER` while it does.
    blocked: AtomicU64,
    /// Why the body of the request is read no further.
    refused: AtomicU8,
    /// There is a response that is not completely written.
    due: AtomicBool,
    /// A request's body was not read completely.
    unread: AtomicBool,
    /// A part of the body is left that the server does not read, so the connection cannot be reused.
    last: AtomicBool,
    pub(crate) current: Current,
    pub(crate) turn: Turn,
}

impl Pulse {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let (now, current) = (shared.now(), Current::new(&shared));
        Pulse {
            current,
            shared,
            phase: AtomicU8::new(Phase::Fresh as u8),
            since: AtomicU64::new(now),
            head_complete: AtomicU64::new(now),
            blocked: AtomicU64::new(NEVER),
            refused: AtomicU8::new(0),
            due: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            last: AtomicBool::new(false),
            turn: Turn::default(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        PHASES[usize::from(self.phase.load(Relaxed))]
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    fn enter_at(&self, phase: Phase, since: Millis) {
        self.since.store(since, Relaxed);
        self.enter(phase);
    }

    /// Bytes have arrived.
    pub(crate) fn on_bytes(&self) {
        match self.phase() {
            Phase::Fresh => self.enter(Phase::Head),
            Phase::Idle | Phase::Flushing => self.enter_at(Phase::Head, NEVER),
            Phase::Head | Phase::Handling | Phase::Writing | Phase::Closing => {}
        }
    }

    /// A request's head is complete. Returns when the request began, if that was before now.
    pub(crate) fn on_head(&self) -> Option<Millis> {
        // In any other phase, the request has arrived together with the previous one.
        let since = if self.phase() == Phase::Head { self.since.load(Relaxed) } else { NEVER };
        if self.shared.limits.write.is_some() {
            self.head_complete.store(self.shared.now(), Relaxed);
        }
        self.enter(Phase::Handling);
        Some(since).filter(|since| *since != NEVER)
    }

    /// A response has begun.
    pub(crate) fn on_response(&self) {
        self.due.store(true, Relaxed);
        self.enter(Phase::Writing);
    }

    /// The response is complete; `ended` is the time, if someone has asked the clock.
    pub(crate) fn on_response_end(&self, ended: Option<Instant>) {
        self.enter_at(Phase::Flushing, ended.map_or(NEVER, |ended| self.shared.clock.at(ended)));
    }

    /// A poll of the connection is done, and it has to wait.
    pub(crate) fn on_wait(&self) {
        match self.phase() {
            Phase::Flushing if !self.is_blocked() => match self.since.load(Relaxed) {
                NEVER => self.enter_at(Phase::Idle, self.shared.now()),
                // It was flushed without waiting.
                _ => self.enter(Phase::Idle),
            },
            Phase::Head if self.since.load(Relaxed) == NEVER => self.since.store(self.shared.now(), Relaxed),
            _ => {}
        }
    }

    pub(crate) fn on_close(&self) {
        if self.phase() != Phase::Closing {
            self.enter_at(Phase::Closing, self.shared.now());
        }
    }

    fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed) != NEVER
    }

    /// Whether the client takes some of what is sent.
    pub(crate) fn on_write(&self, takes: bool) {
        if takes == self.is_blocked() {
            self.blocked.store(if takes { NEVER } else { self.shared.now() }, Relaxed);
            if self.phase() == Phase::Flushing {
                // The client was waited for: it is idle from when it has received everything, not from the end of the
                // response.
                self.since.store(NEVER, Relaxed);
            }
        }
    }

    /// Whether the bytes that are written now belong to a response of the service. Everything else is hyper's own.
    pub(crate) fn is_answer_due(&self) -> bool {
        self.due.load(Relaxed) || matches!(self.phase(), Phase::Handling | Phase::Writing)
    }

    /// Everything that there was to write is written.
    pub(crate) fn on_all_written(&self) {
        if self.phase() == Phase::Flushing {
            self.due.store(false, Relaxed);
        }
    }

    pub(crate) fn refuse(&self, why: Refusal) {
        self.refused.store(why as u8, Relaxed);
    }

    /// Whether the body of this request was refused. Resets it.
    pub(crate) fn take_refused(&self) -> Option<Refusal> {
        if self.refused.load(Relaxed) == 0 {
            return None;
        }
        Refusal::of(self.refused.swap(0, Relaxed))
    }

    /// A request's body was not read completely, so the connection cannot be reused.
    pub(crate) fn mark_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// The response that is due is the last one of this connection.
    pub(crate) fn mark_last(&self) {
        self.last.store(true, Relaxed);
    }

    pub(crate) fn is_last(&self) -> bool {
        self.last.load(Relaxed)
    }

    /// Whether there may be bytes of the client that were not read.
    pub(crate) fn has_unread(&self) -> bool {
        self.unread.load(Relaxed) || self.phase() == Phase::Head
    }

    /// Whether a request is in flight.
    pub(crate) fn is_serving(&self) -> bool {
        matches!(self.phase(), Phase::Head | Phase::Handling | Phase::Writing | Phase::Flushing)
    }

    /// When the connection is to be closed if nothing happens.
    pub(crate) fn deadline(&self) -> Millis {
        let limits = &self.shared.limits;
        let since = || self.since.load(Relaxed);
        let draining = || match self.shared.clock.drains_since() {
            Some(drain) => after(since().max(drain), Some(LINGER)),
            None => NEVER,
        };
        let of_phase = match self.phase() {
            Phase::Fresh => after(since(), limits.head).min(draining()),
            Phase::Head => after(since(), limits.head),
            // The service and the request's body have limits of their own.
            Phase::Handling => NEVER,
            Phase::Writing | Phase::Flushing => after(self.head_complete.load(Relaxed), limits.write),
            Phase::Idle => after(since(), limits.idle).min(draining()),
            Phase::Closing => after(since(), Some(CLOSING)),
        };
        match self.blocked.load(Relaxed) {
            NEVER => of_phase,
            blocked => of_phase.min(after(blocked, limits.stall)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use tokio::time::advance;

    /// The end of the response is known if requests are counted.
    #[tokio::test(start_paused = true)]
    async fn a_client_is_idle_from_when_it_has_all_of_the_answer() {
        let pulse = Pulse::new(Arc::new(Shared::new(Router::new())));
        let idle_from = |pulse: &Pulse| {
            pulse.on_wait();
            assert_eq!(pulse.phase(), Phase::Idle);
            pulse.deadline() - after(0, pulse.shared.limits.idle)
        };
        for (ended, waits_for_it, from) in
            [(true, false, 0), (false, false, 1000), (true, true, 31_000), (false, true, 31_000)]
        {
            let began = pulse.shared.now();
            pulse.on_bytes();
            pulse.on_head();
            pulse.on_response();
            pulse.on_response_end(ended.then(Instant::now));
            advance(Duration::from_secs(1)).await;
            if waits_for_it {
                pulse.on_write(false);
                pulse.on_wait();
                assert_eq!(pulse.phase(), Phase::Flushing);
                advance(Duration::from_secs(30)).await;
                pulse.on_write(true);
            }
            assert_eq!(idle_from(&pulse), began + from, "{ended} {waits_for_it}");
        }
    }
}
