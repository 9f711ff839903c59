//! [`Backoff`]: how long is waited before something is tried again.

use std::time::Duration;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(50);
/// In the first minute: who comes back is noticed at once.
const SOON: Duration = Duration::from_millis(500);
const MINUTE: Duration = Duration::from_secs(60);
const LATER: Duration = Duration::from_secs(5);

/// The waits between attempts: from 50 ms doubling to 500 ms in the first minute, then up to 5 s; each a bit shorter, by chance, so that agents do not come together.
#[derive(Default)]
pub(crate) struct Backoff {
    since: Option<Instant>,
    last: Duration,
}

impl Backoff {
    /// How long to wait now.
    pub(crate) fn next(&mut self) -> Duration {
        let since = *self.since.get_or_insert_with(Instant::now);
        let most = if since.elapsed() < MINUTE { SOON } else { LATER };
        self.last = (self.last * 2).clamp(FIRST, most);
        self.last.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// It has worked.
    pub(crate) fn reset(&mut self) {
        *self = Backoff::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_short_at_first_and_never_long() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..6).map(|_| backoff.next()).collect();
        assert!((FIRST / 2..=FIRST).contains(&waits[0]), "{waits:?}");
        assert!((SOON / 2..=SOON).contains(&waits[5]), "{waits:?}");
        tokio::time::advance(MINUTE).await;
        let _: Vec<Duration> = (0..6).map(|_| backoff.next()).collect();
        assert!(backoff.next() > SOON && backoff.next() <= LATER);
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
