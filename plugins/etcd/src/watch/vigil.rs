//! [`Vigil`]: whether a stream, and the connection that it shares with others, is still alive.

use crate::{
    pulse::{SILENCE, grace},
    wire::Wire,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often a connection is asked for a sign of life, and each of its streams while there are few.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// How many streams are asked in that time, however many there are: asking thousands each second would be more work
/// than all their events.
const ASKED: u32 = 50;
/// A stream that answers nothing for this long is dead, even if the connection is not. The time is long, since etcd 3.6
/// answers only after it has sent all earlier events.
const STUCK: Duration = Duration::from_secs(10);

/// The signs of life of one stream.
pub(super) struct Vigil {
    wire: Arc<Wire>,
    heard: Instant,
    /// When the first question was asked on it since something last arrived.
    asked: Option<Instant>,
    /// When to ask next.
    next: Instant,
    /// Extra time was already granted, since the check was late.
    has_grace: bool,
}

/// The result of a check.
pub(super) enum Health {
    /// Alive: the next check is due then.
    Alive(Instant),
    /// Only the stream is dead.
    Stuck,
    /// The connection is dead.
    Dead,
}

impl Vigil {
    /// To be called when something has arrived on a new stream.
    pub(super) fn begin(wire: Arc<Wire>) -> Self {
        let now = Instant::now();
        wire.pulse.add_stream();
        wire.pulse.record_arrival(now);
        let mut vigil = Vigil { wire, heard: now, asked: None, next: now, has_grace: false };
        // Spread over time, so that not all streams ask at once.
        vigil.next = now + vigil.pause().mul_f64(fastrand::f64());
        vigil
    }

    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// The pause between two questions to this stream.
    fn pause(&self) -> Duration {
        let streams = u32::try_from(self.wire.pulse.streams()).unwrap_or(u32::MAX);
        EVERY * streams.saturating_sub(1) / ASKED
    }

    /// A message has arrived.
    pub(super) fn record_message(&mut self) {
        self.heard = Instant::now();
        self.asked = None;
        self.wire.pulse.record_arrival(self.heard);
    }

    /// Whether to ask the stream for a sign of life now. To be called once a second.
    pub(super) fn record_question_if_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next || self.wire.pulse.claim_question(EVERY);
        if is_due {
            self.next = now + self.pause();
            self.asked.get_or_insert(now);
            self.wire.pulse.record_question(now);
        }
        is_due
    }

    /// When the first check is due.
    pub(super) fn first_check(&self) -> Instant {
        self.heard + SILENCE
    }

    /// Checks the stream and its connection. The check was due at `due`.
    pub(super) fn check(&mut self, due: Instant) -> Health {
        let (now, pulse) = (Instant::now(), &self.wire.pulse);
        if pulse.is_dead() {
            return match grace(due).filter(|_| !self.has_grace) {
                Some(grace) => {
                    self.has_grace = true;
                    Health::Alive(now + grace)
                }
                None => Health::Dead,
            };
        }
        self.has_grace = false;
        if self.asked.is_some_and(|asked| now.saturating_duration_since(asked) >= STUCK) {
            return Health::Stuck;
        }
        // The connection may have been quiet for that long, but was asked only just now.
        let soon = now + EVERY / 10;
        Health::Alive(pulse.dead_at().max(soon))
    }
}

impl Drop for Vigil {
    fn drop(&mut self) {
        self.wire.pulse.remove_stream();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EtcdConfig,
        wire::{Carries, Dial, Slot},
    };
    use tokio::time::{advance, sleep};

    async fn wire() -> Arc<Wire> {
        Slot::new(Arc::new(Dial::new(&EtcdConfig::at(["a:1"])).unwrap()), Carries::Watches).get().await.unwrap()
    }

    /// How many questions are asked in `seconds`, if each is answered.
    async fn asked(vigils: &mut [Vigil], seconds: usize) -> usize {
        let mut asked = 0;
        for _ in 0..seconds {
            advance(EVERY).await;
            for vigil in &mut *vigils {
                if vigil.record_question_if_due() {
                    asked += 1;
                    vigil.record_message();
                }
            }
        }
        asked
    }

    #[tokio::test(start_paused = true)]
    async fn each_is_asked_while_there_are_few_and_of_thousands_some() {
        let wire = wire().await;
        let begin = |count| (0..count).map(|_| Vigil::begin(wire.clone())).collect::<Vec<_>>();
        assert_eq!(asked(&mut begin(20), 10).await, 200);
        let mut thousands = begin(3000);
        asked(&mut thousands, 10).await;
        let some = asked(&mut thousands, 10).await;
        assert!((100..1500).contains(&some), "{some}");
        drop(thousands);
        assert_eq!(asked(&mut begin(1), 10).await, 10, "who has ended does not count");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_hangs_alone_is_no_dead_connection() {
        let wire = wire().await;
        let [mut hangs, mut lives] = [(); 2].map(|()| Vigil::begin(wire.clone()));
        let began = Instant::now();
        loop {
            sleep(EVERY).await;
            assert!(hangs.record_question_if_due() && lives.record_question_if_due());
            lives.record_message();
            match hangs.check(Instant::now()) {
                Health::Alive(then) => assert!(then > Instant::now() && began.elapsed() <= STUCK),
                Health::Stuck => break,
                Health::Dead => panic!("others have an answer"),
            }
        }
        assert!(began.elapsed() >= STUCK);
        // When the other stream has no answer either, it is the connection.
        sleep(EVERY).await;
        assert!(lives.record_question_if_due());
        let then = wire.pulse.dead_at();
        sleep(then - Instant::now()).await;
        assert!(matches!(lives.check(then), Health::Dead));
        // A check that is itself late is repeated once.
        advance(SILENCE).await;
        let Health::Alive(later) = hangs.check(then) else { panic!("it is late") };
        sleep(later - Instant::now()).await;
        assert!(matches!(hangs.check(later), Health::Dead));
    }
}
