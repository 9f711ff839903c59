//! [`Turn`]: when a connection may begin with its next request.

use crate::shared::Shared;
use std::{
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// While a stop is requested and the agent has not noticed it, requests wait and check again at this interval.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The largest number of such checks: a program that embeds an agent may request a stop long before it closes the
/// agent.
const LOOKS: u32 = 20;

/// The turn of a connection. A client that sends many requests at once (pipelining) would occupy a thread for all of
/// them, and thousands of such clients would occupy all threads for many times that. So each request has a turn of its
/// own, and other connections come in between.
///
/// Twice the number of polls of the connection, plus one if a request has begun since the last one. Only the
/// connection's task changes it, so a plain load and store is enough.
#[derive(Default, Debug)]
pub(crate) struct Turn(AtomicU64);

impl Turn {
    /// The connection is polled.
    pub(crate) fn on_poll(&self) {
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
    /// Created while a stop has not been noticed.
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
            // Its connection is about to be ended.
            return Poll::Pending;
        }
        // The agent notices its stop in a task, which has to wait like any other: requests that begin now would keep
        // the threads from it.
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
