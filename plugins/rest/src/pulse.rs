//! [`Pulse`]: what a connection does right now, and until when it may.

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

/// A server that drains leaves clients that have just sent a request, or are about to, so long for it to come in.
pub(crate) const LINGER: Duration = Duration::from_millis(100);
/// What a client still sends is read for so long after an answer that it has not waited for: closed at once, its system would throw that
/// answer away.
const CLOSING: Duration = Duration::from_millis(500);

/// What a connection does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Phase {
    /// No byte has come yet.
    Fresh,
    /// A request's head is being read.
    Head,
    /// A handler has the request.
    Handling,
    /// The answer goes out.
    Writing,
    /// The answer is done, but for what is still to be sent.
    Flushing,
    /// It waits for the next request.
    Idle,
    /// Nothing is sent any more.
    Closing,
}

const PHASES: [Phase; 7] =
    [Phase::Fresh, Phase::Head, Phase::Handling, Phase::Writing, Phase::Flushing, Phase::Idle, Phase::Closing];

/// What a connection does right now. Its parts (socket, service, bodies) run one after the other on one task, so nothing here is ever waited for.
#[derive(Debug)]
pub(crate) struct Pulse {
    pub(crate) shared: Arc<Shared>,
    phase: AtomicU8,
    /// When the phase began, of those that have a limit of their own; never, where it began while the connection is looked after: most
    /// requests come whole, so the clock is not asked for each. While an answer is flushed, when that began, if somebody has asked the clock.
    since: AtomicU64,
    /// When the head of the request was complete.
    asked: AtomicU64,
    /// Since when the client takes nothing; never, while it does.
    blocked: AtomicU64,
    /// Why the body of the request is not read on.
    refused: AtomicU8,
    /// There is an answer, which is not yet written to its end.
    due: AtomicBool,
    /// A request's body was not read to its end.
    unread: AtomicBool,
    /// So much of it is left that its connection can not be used again.
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
            asked: AtomicU64::new(now),
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

    /// Bytes have come.
    pub(crate) fn reads(&self) {
        match self.phase() {
            Phase::Fresh => self.enter(Phase::Head),
            Phase::Idle | Phase::Flushing => self.enter_at(Phase::Head, NEVER),
            Phase::Head | Phase::Handling | Phase::Writing | Phase::Closing => {}
        }
    }

    /// A request's head is complete. Returns when the request began, if that was before now.
    pub(crate) fn asks(&self) -> Option<Millis> {
        // one that came together with the request before it, else
        let since = if self.phase() == Phase::Head { self.since.load(Relaxed) } else { NEVER };
        if self.shared.limits.write.is_some() {
            self.asked.store(self.shared.now(), Relaxed);
        }
        self.enter(Phase::Handling);
        Some(since).filter(|since| *since != NEVER)
    }

    /// There is an answer.
    pub(crate) fn answers(&self) {
        self.due.store(true, Relaxed);
        self.enter(Phase::Writing);
    }

    /// The answer is complete; since when, where somebody has asked the clock.
    pub(crate) fn has_answered(&self, ended: Option<Instant>) {
        self.enter_at(Phase::Flushing, ended.map_or(NEVER, |ended| self.shared.clock.at(ended)));
    }

    /// The connection was looked after, and has to wait.
    pub(crate) fn waits(&self) {
        match self.phase() {
            Phase::Flushing if !self.is_blocked() => match self.since.load(Relaxed) {
                NEVER => self.enter_at(Phase::Idle, self.shared.now()),
                // it was flushed at once
                _ => self.enter(Phase::Idle),
            },
            Phase::Head if self.since.load(Relaxed) == NEVER => self.since.store(self.shared.now(), Relaxed),
            _ => {}
        }
    }

    pub(crate) fn closes(&self) {
        if self.phase() != Phase::Closing {
            self.enter_at(Phase::Closing, self.shared.now());
        }
    }

    fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed) != NEVER
    }

    /// The client takes something of what is sent, or nothing.
    pub(crate) fn sends(&self, takes: bool) {
        if takes == self.is_blocked() {
            self.blocked.store(if takes { NEVER } else { self.shared.now() }, Relaxed);
            if self.phase() == Phase::Flushing {
                // the client was waited for: it is idle from when it has all, and not from the answer's end
                self.since.store(NEVER, Relaxed);
            }
        }
    }

    /// Is what is written now an answer of the service, or a part of one? What else is written is hyper's own.
    pub(crate) fn is_answer_due(&self) -> bool {
        self.due.load(Relaxed) || matches!(self.phase(), Phase::Handling | Phase::Writing)
    }

    /// All that there was to write is written.
    pub(crate) fn has_written(&self) {
        if self.phase() == Phase::Flushing {
            self.due.store(false, Relaxed);
        }
    }

    pub(crate) fn refuse(&self, why: Refusal) {
        self.refused.store(why as u8, Relaxed);
    }

    /// Was the body of this request refused? Asked once.
    pub(crate) fn take_refused(&self) -> Option<Refusal> {
        if self.refused.load(Relaxed) == 0 {
            return None;
        }
        Refusal::of(self.refused.swap(0, Relaxed))
    }

    /// A request's body was not read to its end, so the connection can not be used again.
    pub(crate) fn leaves_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// The answer that is due is the last one of this connection.
    pub(crate) fn answers_last(&self) {
        self.last.store(true, Relaxed);
    }

    pub(crate) fn is_last(&self) -> bool {
        self.last.load(Relaxed)
    }

    /// May there be bytes of the client that nobody has read?
    pub(crate) fn has_unread(&self) -> bool {
        self.unread.load(Relaxed) || self.phase() == Phase::Head
    }

    /// Is a request in flight?
    pub(crate) fn is_serving(&self) -> bool {
        matches!(self.phase(), Phase::Head | Phase::Handling | Phase::Writing | Phase::Flushing)
    }

    /// When the connection is to be closed, if nothing happens.
    pub(crate) fn ends(&self) -> Millis {
        let limits = &self.shared.limits;
        let since = || self.since.load(Relaxed);
        let draining = || match self.shared.clock.drains_since() {
            Some(drain) => after(since().max(drain), Some(LINGER)),
            None => NEVER,
        };
        let of_phase = match self.phase() {
            Phase::Fresh => after(since(), limits.head).min(draining()),
            Phase::Head => after(since(), limits.head),
            // the service and the request's body have their own
            Phase::Handling => NEVER,
            Phase::Writing | Phase::Flushing => after(self.asked.load(Relaxed), limits.write),
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

    /// The answer's end is known where requests are counted.
    #[tokio::test(start_paused = true)]
    async fn a_client_is_idle_from_when_it_has_all_of_the_answer() {
        let pulse = Pulse::new(Arc::new(Shared::new(Router::new())));
        let idle_from = |pulse: &Pulse| {
            pulse.waits();
            assert_eq!(pulse.phase(), Phase::Idle);
            pulse.ends() - after(0, pulse.shared.limits.idle)
        };
        for (ended, waits_for_it, from) in
            [(true, false, 0), (false, false, 1000), (true, true, 31_000), (false, true, 31_000)]
        {
            let began = pulse.shared.now();
            pulse.reads();
            pulse.asks();
            pulse.answers();
            pulse.has_answered(ended.then(Instant::now));
            advance(Duration::from_secs(1)).await;
            if waits_for_it {
                pulse.sends(false);
                pulse.waits();
                assert_eq!(pulse.phase(), Phase::Flushing);
                advance(Duration::from_secs(30)).await;
                pulse.sends(true);
            }
            assert_eq!(idle_from(&pulse), began + from, "{ended} {waits_for_it}");
        }
    }
}
