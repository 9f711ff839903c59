//! [`Pauses`]: how long to wait before the next attempt.

use crate::agent::Backoff;
use std::time::Duration;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(50);
/// The longest wait in the first minute, so that a server that comes back is noticed soon.
const SOON: Duration = Duration::from_millis(500);
const MINUTE: Duration = Duration::from_secs(60);
const LATER: Duration = Duration::from_secs(5);

/// The waits between attempts to reach a server. They double from 50 ms to 500 ms in the first minute, then go up to 5
/// s. Each is shortened a little at random, so that agents do not all try at once.
///
/// ```
/// use cninfra::client::Pauses;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut pauses = Pauses::default();
/// assert!(pauses.next() <= Duration::from_millis(50));
/// pauses.reset(); // it has worked
/// # }
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct Pauses {
    since: Option<Instant>,
    failed: u32,
}

impl Pauses {
    /// How long to wait now.
    #[allow(clippy::should_implement_trait, reason = "it has no end, and is asked one by one")]
    pub fn next(&mut self) -> Duration {
        let since = *self.since.get_or_insert_with(Instant::now);
        let most = if since.elapsed() < MINUTE { SOON } else { LATER };
        self.failed = self.failed.saturating_add(1);
        Backoff::new(FIRST, most).delay(self.failed, fastrand::f64())
    }

    /// To be called after a success: the waits begin again with the shortest one.
    pub fn reset(&mut self) {
        *self = Pauses::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_are_short_at_first_and_never_long() {
        let mut pauses = Pauses::default();
        let waits: Vec<Duration> = (0..6).map(|_| pauses.next()).collect();
        assert!((FIRST / 2..=FIRST).contains(&waits[0]), "{waits:?}");
        assert!((SOON / 2..=SOON).contains(&waits[5]), "{waits:?}");
        tokio::time::advance(MINUTE).await;
        let _: Vec<Duration> = (0..6).map(|_| pauses.next()).collect();
        assert!(pauses.next() > SOON && pauses.next() <= LATER);
        pauses.reset();
        assert!(pauses.next() <= FIRST);
    }
}
