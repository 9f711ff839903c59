//! [`Gate`]: limits how many streams are opened at once.

use super::open::WITHIN;
use crate::wire::{Slot, Wire};
use cninfra::client::Pauses;
use std::sync::Arc;
use tokio::{
    sync::{Mutex, MutexGuard, Notify, Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout},
};

/// How many streams are opened at once. If thousands were, all answers would come too late; with turns, each comes
/// soon.
const TURNS: usize = 16;

/// Where all watches of a store wait before they open a stream. While the connection is known to answer, they wait for
/// a turn. If it is not, one of them finds out for all, with a pause after each failure. Otherwise an outage would
/// cause a flood of attempts, and each watch would judge the connection for itself.
pub(crate) struct Gate {
    turns: Semaphore,
    scout: Mutex<Scouting>,
    /// Notified when the connection is known to answer again.
    opened: Notify,
}

#[derive(Default)]
pub(super) struct Scouting {
    pauses: Pauses,
    not_before: Option<Instant>,
}

/// Permission to open a stream, until it is dropped.
pub(super) enum Pass<'g> {
    /// On this connection.
    Turn(Arc<Wire>, #[allow(dead_code, reason = "it is held")] SemaphorePermit<'g>),
    /// On a connection that may be dead.
    Scout(MutexGuard<'g, Scouting>),
}

impl Default for Gate {
    fn default() -> Self {
        Gate { turns: Semaphore::new(TURNS), scout: Mutex::default(), opened: Notify::new() }
    }
}

impl Gate {
    /// Waits for a turn, however long, while others are answered. `None` if finding out whether the server answers
    /// takes too long.
    pub(super) async fn enter(&self, slot: &Slot) -> Option<Pass<'_>> {
        let proven = || slot.current().filter(|wire| wire.pulse.is_proven());
        loop {
            if let Some(wire) = proven() {
                // The semaphore is never closed.
                let turn = self.turns.acquire().await.ok()?;
                // The connection may have been replaced meanwhile.
                if proven().is_some_and(|now| Arc::ptr_eq(&now, &wire)) {
                    return Some(Pass::Turn(wire, turn));
                }
                continue;
            }
            let scouting = async {
                let scout = self.scout.lock().await;
                if proven().is_none()
                    && let Some(then) = scout.not_before
                {
                    sleep_until(then).await;
                }
                scout
            };
            let scout = timeout(WITHIN, scouting).await.ok()?;
            if proven().is_none() {
                return Some(Pass::Scout(scout));
            }
        }
    }

    /// Waits until the connection is known to answer again.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }

    /// Reports the result of an attempt.
    pub(super) fn record_attempt(&self, pass: Pass<'_>, has_opened: bool) {
        let Pass::Scout(mut scout) = pass else { return };
        if has_opened {
            *scout = Scouting::default();
            self.opened.notify_waiters();
        } else {
            scout.not_before = Some(Instant::now() + scout.pauses.next());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EtcdConfig,
        wire::{Carries, Dial},
    };
    use futures_util::FutureExt as _;
    use std::{pin::pin, time::Duration};

    fn slot() -> Slot {
        Slot::new(Arc::new(Dial::new(&EtcdConfig::at(["a:1"])).unwrap()), Carries::Watches)
    }

    #[tokio::test(start_paused = true)]
    async fn while_nobody_knows_whether_the_server_answers_one_finds_out() {
        let (slot, gate) = (slot(), Gate::default());
        let scout = gate.enter(&slot).await.unwrap();
        assert!(matches!(scout, Pass::Scout(_)));
        // A waiting watch gets `None` after the limit.
        let began = Instant::now();
        assert!(gate.enter(&slot).await.is_none());
        assert_eq!(began.elapsed(), WITHIN);
        // After a failure, the next attempt waits for the pause.
        gate.record_attempt(scout, false);
        let began = Instant::now();
        let scout = gate.enter(&slot).await.unwrap();
        assert!(matches!(scout, Pass::Scout(_)) && began.elapsed() >= Duration::from_millis(25));
        // Those that wait for this attempt, or for their next one, go on at once when it succeeds.
        let mut waits = pin!(gate.enter(&slot));
        let mut sleeps = pin!(gate.opened());
        assert!(waits.as_mut().now_or_never().is_none() && sleeps.as_mut().now_or_never().is_none());
        slot.get().await.unwrap().pulse.record_arrival(Instant::now());
        gate.record_attempt(scout, true);
        assert!(sleeps.now_or_never().is_some());
        assert!(matches!(waits.await, Some(Pass::Turn(..))));
    }

    #[tokio::test(start_paused = true)]
    async fn thousands_open_one_after_the_other() {
        let (slot, gate) = (slot(), Gate::default());
        let wire = slot.get().await.unwrap();
        wire.pulse.record_arrival(Instant::now());
        let mut turns = Vec::new();
        while let Some(Some(Pass::Turn(on, turn))) = gate.enter(&slot).now_or_never() {
            assert!(Arc::ptr_eq(&on, &wire));
            turns.push(turn);
        }
        assert_eq!(turns.len(), TURNS);
        let mut waits = pin!(gate.enter(&slot));
        tokio::select! {
            biased;
            _ = waits.as_mut() => panic!("it has no turn"),
            // It waits however long that takes.
            () = tokio::time::sleep(WITHIN * 10) => {}
        }
        // When its turn comes, the connection is a new one, about which nothing is known yet.
        slot.replace(&wire);
        turns.pop();
        assert!(matches!(waits.await, Some(Pass::Scout(_))));
    }
}
