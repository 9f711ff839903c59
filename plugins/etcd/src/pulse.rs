//! [`Pulse`]: the signs of life of a connection, by which it is judged once for all that goes over it.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// Without any sign of life for so long a connection is gone, whatever TCP says,
pub(crate) const SILENCE: Duration = Duration::from_millis(2800);
/// where a question was not answered for so long: nobody has to say something who is not asked.
const UNANSWERED: Duration = Duration::from_millis(1700);
/// Who looks so much later than he wanted has no processor: so it may be with what he looks for, which is there perhaps and was not read yet.
const LATE: Duration = Duration::from_millis(100);
/// So much time it has more, at most.
const GRACE: Duration = Duration::from_secs(1);

/// When something was heard over a connection, and when something was asked. A slow answer is no sign of death where others were answered meanwhile.
pub(crate) struct Pulse {
    born: Instant,
    /// In microseconds since then: when something came last. 0 is never.
    heard: AtomicU64,
    /// When the first question was put that nothing has come after.
    asked: AtomicU64,
    /// When the last one was put.
    asked_last: AtomicU64,
    streams: AtomicUsize,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        let [heard, asked, asked_last] = [const { AtomicU64::new(0) }; 3];
        Pulse { born: Instant::now(), heard, asked, asked_last, streams: AtomicUsize::new(0) }
    }

    fn at(&self, then: Instant) -> u64 {
        // not 0, which is never
        u64::try_from(then.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX).max(1)
    }

    fn elapsed(&self, since: u64) -> Duration {
        Instant::now().saturating_duration_since(self.born + Duration::from_micros(since))
    }

    /// Something has come.
    pub(crate) fn hears(&self, now: Instant) {
        self.heard.store(self.at(now), Relaxed);
    }

    /// Something is asked.
    pub(crate) fn asks(&self, now: Instant) {
        let now = self.at(now);
        self.asked_last.store(now, Relaxed);
        if self.asked.load(Relaxed) <= self.heard.load(Relaxed) {
            self.asked.store(now, Relaxed);
        }
    }

    /// Has anything come, ever?
    pub(crate) fn is_proven(&self) -> bool {
        self.heard.load(Relaxed) > 0
    }

    /// How long nothing has come.
    pub(crate) fn quiet(&self) -> Duration {
        self.elapsed(self.heard.load(Relaxed))
    }

    /// When it is dead, if nothing comes until then.
    pub(crate) fn dead_at(&self) -> Instant {
        self.born + Duration::from_micros(self.heard.load(Relaxed)) + SILENCE
    }

    /// Nothing has come for so long that it is gone, though something was asked.
    pub(crate) fn is_dead(&self) -> bool {
        let (heard, asked) = (self.heard.load(Relaxed), self.asked.load(Relaxed));
        asked > heard && self.elapsed(asked) >= UNANSWERED && self.elapsed(heard) >= SILENCE
    }

    /// Whether somebody has to ask, since nothing has come for so long: of all who look at the same time, one.
    pub(crate) fn has_to_be_asked(&self, every: Duration) -> bool {
        let last = self.asked_last.load(Relaxed);
        let is_due = self.elapsed(last.max(self.heard.load(Relaxed))) >= every;
        is_due && self.asked_last.compare_exchange(last, self.at(Instant::now()), Relaxed, Relaxed).is_ok()
    }

    /// How many streams there are.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Relaxed)
    }

    pub(crate) fn begins(&self) {
        self.streams.fetch_add(1, Relaxed);
    }

    pub(crate) fn ends(&self) {
        self.streams.fetch_sub(1, Relaxed);
    }
}

/// How much more time there is for what was to be there until `due`, where it is looked late now.
pub(crate) fn grace(due: Instant) -> Option<Duration> {
    let late = Instant::now().saturating_duration_since(due);
    (late >= LATE).then_some(late.min(GRACE))
}

/// Sleeps until then, and a bit longer where it wakes up late.
pub(crate) async fn patiently(then: Instant) {
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
            pulse.asks(Instant::now());
            sleep(SECOND).await;
            // one of many
            pulse.hears(Instant::now());
        }
        assert!(pulse.is_proven() && !pulse.is_dead());
        // nobody asks, so nobody has to answer
        sleep(5 * SECOND).await;
        assert!(!pulse.is_dead() && pulse.quiet() == 5 * SECOND);
        pulse.asks(Instant::now());
        sleep(UNANSWERED - Duration::from_millis(1)).await;
        // that it is asked again gives it no more time
        pulse.asks(Instant::now());
        assert!(!pulse.is_dead());
        sleep(Duration::from_millis(1)).await;
        assert!(pulse.is_dead());
        pulse.hears(Instant::now());
        assert!(!pulse.is_dead());
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_dead_as_soon_as_it_was_silent_for_long() {
        let pulse = Pulse::new();
        sleep(SECOND).await;
        pulse.hears(Instant::now());
        let heard = Instant::now();
        sleep(SECOND).await;
        pulse.asks(Instant::now());
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
        let asked = |pulse: &Pulse| (0..9).filter(|_| pulse.has_to_be_asked(SECOND)).count();
        assert_eq!(asked(&pulse), 1);
        advance(SECOND).await;
        assert_eq!(asked(&pulse), 1);
        advance(SECOND / 2).await;
        pulse.hears(Instant::now());
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
        patiently(then).await;
        assert_eq!(began.elapsed(), GRACE);
    }
}
