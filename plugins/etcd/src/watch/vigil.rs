//! [`Vigil`]: whether a stream, and the connection that it shares with others, is still alive.

use crate::{
    pulse::{SILENCE, grace},
    wire::Wire,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// So often a connection is asked for a sign of life, and each stream of it while there are few.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// So many streams are asked in that time, however many there are: to ask thousands each second is more work than all their events.
const ASKED: u32 = 50;
/// A stream that answers nothing for so long is dead, though the connection is not: 3.6 does not answer before it has told all that was.
const STUCK: Duration = Duration::from_secs(10);

/// Of one stream.
pub(super) struct Vigil {
    wire: Arc<Wire>,
    heard: Instant,
    /// When the first question was put over it that nothing has come after.
    asked: Option<Instant>,
    /// When the next one is put.
    next: Instant,
    /// It had more time, since it was looked late.
    has_grace: bool,
}

/// What was found.
pub(super) enum Found {
    /// It is to be looked again then.
    Alive(Instant),
    /// It is the stream.
    Stuck,
    /// It is the connection.
    Dead,
}

impl Vigil {
    /// Something has come over this stream, which begins.
    pub(super) fn begin(wire: Arc<Wire>) -> Self {
        let now = Instant::now();
        wire.pulse.begins();
        wire.pulse.hears(now);
        let mut vigil = Vigil { wire, heard: now, asked: None, next: now, has_grace: false };
        // they do not come all at once
        vigil.next = now + vigil.pause().mul_f64(fastrand::f64());
        vigil
    }

    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// How long it is until this stream is asked again.
    fn pause(&self) -> Duration {
        let streams = u32::try_from(self.wire.pulse.streams()).unwrap_or(u32::MAX);
        EVERY * streams.saturating_sub(1) / ASKED
    }

    /// A message has come.
    pub(super) fn hears(&mut self) {
        self.heard = Instant::now();
        self.asked = None;
        self.wire.pulse.hears(self.heard);
    }

    /// Whether it is to be asked for a sign of life now, which is looked for each second.
    pub(super) fn has_to_ask(&mut self) -> bool {
        let now = Instant::now();
        let asks = now >= self.next || self.wire.pulse.has_to_be_asked(EVERY);
        if asks {
            self.next = now + self.pause();
            self.asked.get_or_insert(now);
            self.wire.pulse.asks(now);
        }
        asks
    }

    /// When to look, at first.
    pub(super) fn first(&self) -> Instant {
        self.heard + SILENCE
    }

    /// Looks, which was to be then.
    pub(super) fn look(&mut self, due: Instant) -> Found {
        let (now, pulse) = (Instant::now(), &self.wire.pulse);
        if pulse.is_dead() {
            return match grace(due).filter(|_| !self.has_grace) {
                Some(grace) => {
                    self.has_grace = true;
                    Found::Alive(now + grace)
                }
                None => Found::Dead,
            };
        }
        self.has_grace = false;
        if self.asked.is_some_and(|asked| now.saturating_duration_since(asked) >= STUCK) {
            return Found::Stuck;
        }
        // where it has been quiet for that long, and was asked just now
        let soon = now + EVERY / 10;
        Found::Alive(pulse.dead_at().max(soon))
    }
}

impl Drop for Vigil {
    fn drop(&mut self) {
        self.wire.pulse.ends();
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

    /// How many of them ask in so many seconds, where each is answered.
    async fn asked(vigils: &mut [Vigil], seconds: usize) -> usize {
        let mut asked = 0;
        for _ in 0..seconds {
            advance(EVERY).await;
            for vigil in &mut *vigils {
                if vigil.has_to_ask() {
                    asked += 1;
                    vigil.hears();
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
            assert!(hangs.has_to_ask() && lives.has_to_ask());
            lives.hears();
            match hangs.look(Instant::now()) {
                Found::Alive(then) => assert!(then > Instant::now() && began.elapsed() <= STUCK),
                Found::Stuck => break,
                Found::Dead => panic!("others have an answer"),
            }
        }
        assert!(began.elapsed() >= STUCK);
        // and when there is no answer any more, it is the connection
        sleep(EVERY).await;
        assert!(lives.has_to_ask());
        let then = wire.pulse.dead_at();
        sleep(then - Instant::now()).await;
        assert!(matches!(lives.look(then), Found::Dead));
        // who looks late himself looks once more
        advance(SILENCE).await;
        let Found::Alive(later) = hangs.look(then) else { panic!("it is late") };
        sleep(later - Instant::now()).await;
        assert!(matches!(hangs.look(later), Found::Dead));
    }
}
