//! [`Turn`]: when a connection may begin with its next request.

use crate::shared::Shared;
use std::{
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// While a stop is asked for and not yet heard, requests wait, and look again so often.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// So often at most: a program that embeds an agent may ask for a stop long before it closes.
const LOOKS: u32 = 20;

/// The turn of a connection. A client that sends many requests at once would keep a thread for all of them, and thousands of such clients all threads
/// for many times that: so each request has a turn of its own, and other connections come in between.
///
/// Twice the number of times that the connection was looked after, and one more where a request has begun since. All that is done to it is done by the connection's
/// task, one after the other: so it is read and written, and not exchanged.
#[derive(Default, Debug)]
pub(crate) struct Turn(AtomicU64);

impl Turn {
    /// The connection is looked after.
    pub(crate) fn comes(&self) {
        self.0.store((self.0.load(Relaxed) | 1) + 1, Relaxed);
    }

    fn take(&self) -> bool {
        let turn = self.0.load(Relaxed);
        self.0.store(turn | 1, Relaxed);
        turn & 1 == 0
    }

    /// As long as this is the same, the connection has not waited for anything.
    pub(crate) fn number(&self) -> u64 {
        self.0.load(Relaxed) >> 1
    }
}

/// A request that waits for its turn.
#[derive(Default)]
pub(crate) struct Waiting {
    /// Made while a stop is not heard.
    alarm: Option<Pin<Box<Sleep>>>,
    looks: u32,
}

impl Waiting {
    /// Ready when the request may begin.
    pub(crate) fn poll(&mut self, turn: &Turn, shared: &Shared, task: &mut Context<'_>) -> Poll<()> {
        if !turn.take() {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        if shared.clock.has_ended() {
            // its connection is about to be ended
            return Poll::Pending;
        }
        // the agent hears of its stop by a task, which has to wait like any other: what is asked now would keep the threads from it
        while shared.is_stop_unheard() && self.looks < LOOKS {
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(LOOK_AGAIN)));
            if alarm.as_mut().poll(task).is_pending() {
                return Poll::Pending;
            }
            self.alarm = None;
            self.looks += 1;
        }
        Poll::Ready(())
    }
}
