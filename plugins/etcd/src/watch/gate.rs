//! [`Gate`]: who may open a stream now.

use super::open::WITHIN;
use crate::wire::{Slot, Wire};
use cninfra::client::Pauses;
use std::sync::Arc;
use tokio::{
    sync::{Mutex, MutexGuard, Notify, Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout},
};

/// So many streams are opened at once. Thousands that are opened at once would all be answered too late; one after the other, each is answered soon.
const TURNS: usize = 16;

/// Where all watches of a store wait that want to open a stream: for their turn, while the connection is known to answer. Where it is not, one of them finds out for all,
/// and is no hurry where the one before has failed: otherwise an outage would be a flood of attempts, and each would judge the connection for itself.
pub(crate) struct Gate {
    turns: Semaphore,
    scout: Mutex<Scouting>,
    /// The connection is known to answer, again.
    opened: Notify,
}

#[derive(Default)]
pub(super) struct Scouting {
    pauses: Pauses,
    not_before: Option<Instant>,
}

/// Somebody who may open a stream, until it is dropped.
pub(super) enum Pass<'g> {
    /// On this connection.
    Turn(Arc<Wire>, #[allow(dead_code, reason = "it is held")] SemaphorePermit<'g>),
    /// On one that may be of no use.
    Scout(MutexGuard<'g, Scouting>),
}

impl Default for Gate {
    fn default() -> Self {
        Gate { turns: Semaphore::new(TURNS), scout: Mutex::default(), opened: Notify::new() }
    }
}

impl Gate {
    /// Waits for a turn; however long that is, while others are answered. `None` where it takes too long to find out whether the server answers.
    pub(super) async fn enter(&self, slot: &Slot) -> Option<Pass<'_>> {
        let proven = || slot.current().filter(|wire| wire.pulse.is_proven());
        loop {
            if let Some(wire) = proven() {
                // it is never closed
                let turn = self.turns.acquire().await.ok()?;
                // it may have been replaced meanwhile
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

    /// Waits until it is known again that the connection answers.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }

    /// What became of it.
    pub(super) fn leave(&self, pass: Pass<'_>, has_opened: bool) {
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
        // who waits is told that it takes long
        let began = Instant::now();
        assert!(gate.enter(&slot).await.is_none());
        assert_eq!(began.elapsed(), WITHIN);
        // the next one is in no hurry, after one that has failed
        gate.leave(scout, false);
        let began = Instant::now();
        let scout = gate.enter(&slot).await.unwrap();
        assert!(matches!(scout, Pass::Scout(_)) && began.elapsed() >= Duration::from_millis(25));
        // who waits for it, or for another attempt, goes on at once when it has found out
        let mut waits = pin!(gate.enter(&slot));
        let mut sleeps = pin!(gate.opened());
        assert!(waits.as_mut().now_or_never().is_none() && sleeps.as_mut().now_or_never().is_none());
        slot.get().await.unwrap().pulse.hears(Instant::now());
        gate.leave(scout, true);
        assert!(sleeps.now_or_never().is_some());
        assert!(matches!(waits.await, Some(Pass::Turn(..))));
    }

    #[tokio::test(start_paused = true)]
    async fn thousands_open_one_after_the_other() {
        let (slot, gate) = (slot(), Gate::default());
        let wire = slot.get().await.unwrap();
        wire.pulse.hears(Instant::now());
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
            // however long that is
            () = tokio::time::sleep(WITHIN * 10) => {}
        }
        // when it is its turn, the connection is another one, of which nothing is known
        slot.replace(&wire);
        turns.pop();
        assert!(matches!(waits.await, Some(Pass::Scout(_))));
    }
}
