//! [`Pulse`]: the signs of life of a connection, by which it is judged once for all streams on it.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// A connection is dead, whatever TCP says, if nothing has arrived for this long and a question is unanswered.
pub(crate) const SILENCE: Duration = Duration::from_millis(2800);
/// How long that question has to be unanswered. Without a question, silence proves nothing.
const UNANSWERED: Duration = Duration::from_millis(1700);
/// A task that wakes up this much too late lacks processor time. Then the answer may have arrived without being read
/// yet.
const LATE: Duration = Duration::from_millis(100);
/// The longest extra time that such a task grants.
const GRACE: Duration = Duration::from_secs(1);

/// When something last arrived on a connection, and when it was last asked for a sign of life. A slow answer does not
/// mean that the connection is dead if others were answered meanwhile.
pub(crate) struct Pulse {
    born: Instant,
    /// When something last arrived, in microseconds since `born`; 0 for never.
    heard: AtomicU64,
    /// When the first question was asked since something last arrived.
    asked: AtomicU64,
    /// When the last question was asked.
    asked_last: AtomicU64,
    streams: AtomicUsize,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        let [heard, asked, asked_last] = [const { AtomicU64::new(0) }; 3];
        Pulse { born: Instant::now(), heard, asked, asked_last, streams: AtomicUsize::new(0) }
    }

    fn at(&self, then: Instant) -> u64 {
        // 0 stands for never.
        u64::try_from(then.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX).max(1)
    }

    fn elapsed(&self, since: u64) -> Duration {
        Instant::now().saturating_duration_since(self.born + Duration::from_micros(since))
    }

    /// Something has arrived.
    pub(crate) fn record_arrival(&self, now: Instant) {
        self.heard.store(self.at(now), Relaxed);
    }

    /// A question is being asked.
    pub(crate) fn record_question(&self, now: Instant) {
        let now = self.at(now);
        self.asked_last.store(now, Relaxed);
        if self.asked.load(Relaxed) <= self.heard.load(Relaxed) {
            self.asked.store(now, Relaxed);
        }
    }

    /// Whether anything has ever arrived.
    pub(crate) fn is_proven(&self) -> bool {
        self.heard.load(Relaxed) > 0
    }

    /// How long nothing has arrived.
    pub(crate) fn quiet(&self) -> Duration {
        self.elapsed(self.heard.load(Relaxed))
    }

    /// When the connection is dead, if nothing arrives before.
    pub(crate) fn dead_at(&self) -> Instant {
        self.born + Duration::from_micros(self.heard.load(Relaxed)) + SILENCE
    }

    /// Whether nothing has arrived for so long that the connection is dead, although something was asked.
    pub(crate) fn is_dead(&self) -> bool {
        let (heard, asked) = (self.heard.load(Relaxed), self.asked.load(Relaxed));
        asked > heard && self.elapsed(asked) >= UNANSWERED && self.elapsed(heard) >= SILENCE
    }

    /// Whether the caller has to ask, since nothing has arrived for `every`. Of several concurrent callers, one gets
    /// `true`.
    pub(crate) fn claim_question(&self, every: Duration) -> bool {
        let last = self.asked_last.load(Relaxed);
        let is_due = self.elapsed(last.max(self.heard.load(Relaxed))) >= every;
        is_due && self.asked_last.compare_exchange(last, self.at(Instant::now()), Relaxed, Relaxed).is_ok()
    }

    /// The number of streams.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Relaxed)
    }

    pub(crate) fn add_stream(&self) {
        self.streams.fetch_add(1, Relaxed);
    }

    pub(crate) fn remove_stream(&self) {
        self.streams.fetch_sub(1, Relaxed);
    }
}

/// The extra time for what was due at `due`, if the caller checks it late.
pub(crate) fn grace(due: Instant) -> Option<Duration> {
    let late = Instant::now().saturating_duration_since(due);
    (late >= LATE).then_some(late.min(GRACE))
}

/// Sleeps until `then`, and a bit longer if it wakes up late.
pub(crate) async fn sleep_with_grace(then: Instant) {
    sleep_until(then).await;
    if let Some(grace) = grace(then) {
        sleep_until(Instant::now() + grace).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_is_dead_where_nobody_was_answered() {
        let pulse = Pulse::new();
        assert!(!pulse.is_proven());
        for _ in 0..5 {
            pulse.record_question(Instant::now());
            sleep(SECOND).await;
            // The answer may be for any of the streams.
            pulse.record_arrival(Instant::now());
        }
        assert!(pulse.is_proven() && !pulse.is_dead());
        // Nobody has asked anything, so silence proves nothing.
        sleep(5 * SECOND).await;
        assert!(!pulse.is_dead() && pulse.quiet() == 5 * SECOND);
        pulse.record_question(Instant::now());
        sleep(UNANSWERED - Duration::from_millis(1)).await;
        // A second question does not extend the time.
        pulse.record_question(Instant::now());
        assert!(!pulse.is_dead());
        sleep(Duration::from_millis(1)).await;
        assert!(pulse.is_dead());
        pulse.record_arrival(Instant::now());
        assert!(!pulse.is_dead());
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_dead_as_soon_as_it_was_silent_for_long() {
        let pulse = Pulse::new();
        sleep(SECOND).await;
        pulse.record_arrival(Instant::now());
        let heard = Instant::now();
        sleep(SECOND).await;
        pulse.record_question(Instant::now());
        assert_eq!(pulse.dead_at(), heard + SILENCE);
        sleep(SILENCE - SECOND - Duration::from_millis(1)).await;
        assert!(!pulse.is_dead());
        sleep(Duration::from_millis(1)).await;
        assert!(pulse.is_dead());
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_one_asks() {
        let pulse = Pulse::new();
        advance(SECOND).await;
        let asked = |pulse: &Pulse| (0..9).filter(|_| pulse.claim_question(SECOND)).count();
        assert_eq!(asked(&pulse), 1);
        advance(SECOND).await;
        assert_eq!(asked(&pulse), 1);
        advance(SECOND / 2).await;
        pulse.record_arrival(Instant::now());
        advance(SECOND / 2).await;
        assert_eq!(asked(&pulse), 0, "something has come");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_late_waits_longer() {
        let then = Instant::now() + SECOND;
        assert_eq!(grace(then), None);
        advance(SECOND + LATE / 2).await;
        assert_eq!(grace(then), None);
        advance(3 * LATE).await;
        assert_eq!(grace(then), Some(LATE * 7 / 2));
        advance(9 * SECOND).await;
        let began = Instant::now();
        sleep_with_grace(then).await;
        assert_eq!(began.elapsed(), GRACE);
    }
}
