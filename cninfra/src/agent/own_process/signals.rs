//! The signals that an agent's process handles, and their meaning.

use futures_util::StreamExt as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::{
    future::pending,
    io,
    time::{Duration, Instant},
};

/// The same signal twice within this time counts once: some senders, such as `timeout`, signal both the process and its
/// group.
const SAME_REQUEST: Duration = Duration::from_millis(200);

/// The signal that has requested the stop, and when.
#[derive(Default)]
pub(super) struct StopRequest(Option<(u8, Instant)>);

/// The meaning of a signal that requests the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    Stop,
    /// A repetition of the signal that was just handled.
    Echo,
    /// Forces the end. Holds the first signal.
    Force(u8),
}

impl StopRequest {
    pub(super) fn receive(&mut self, number: u8, now: Instant) -> Meaning {
        match self.0 {
            None => {
                self.0 = Some((number, now));
                Meaning::Stop
            }
            Some((first, at)) if first == number && now.duration_since(at) < SAME_REQUEST => Meaning::Echo,
            Some((first, _)) => Meaning::Force(first),
        }
    }
}

/// SIGINT, SIGTERM and SIGHUP.
pub(super) struct Signals(signal_hook_tokio::Signals);

pub(super) enum Signal {
    /// A signal that requests the end, with its number.
    End(u8),
    Hangup,
}

/// The name of a signal that requests the end.
pub(super) fn name(number: u8) -> &'static str {
    if number == 2 { "SIGINT" } else { "SIGTERM" }
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        signal_hook_tokio::Signals::new([SIGINT, SIGTERM, SIGHUP]).map(Signals)
    }

    pub(super) async fn next(&mut self) -> Signal {
        match self.0.next().await {
            Some(SIGINT) => Signal::End(2),
            Some(SIGTERM) => Signal::End(15),
            Some(_) => Signal::Hangup,
            // The stream ends only if it is closed, which nobody does.
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_signal_twice_at_once_is_one() {
        let (mut request, began) = (StopRequest::default(), Instant::now());
        let mut hear = |number, after| request.receive(number, began + Duration::from_millis(after));
        let heard = [hear(15, 0), hear(15, 1), hear(15, 199), hear(2, 1), hear(15, 200)];
        assert_eq!(heard, [Meaning::Stop, Meaning::Echo, Meaning::Echo, Meaning::Force(15), Meaning::Force(15)]);
    }
}
