//! [`Sweeping`]: whether compacted revisions are discarded now. If that runs into damaged data, it is postponed, so
//! that writes go on.

use super::Committer;
use crate::Health;
use std::time::{Duration, Instant};

/// The first pause after a failure. It doubles with each further one.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause. It is long, since each attempt opens the database again if it is the disk that fails.
const LAST: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(super) struct Sweeping {
    postponed: Option<Postponed>,
}

struct Postponed {
    until: Instant,
    pause: Duration,
    /// The text that was logged.
    why: String,
}

impl Sweeping {
    /// How long it is still postponed; zero if it is not.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.postponed.as_ref().map_or(Duration::ZERO, |postponed| postponed.until.saturating_duration_since(now))
    }

    /// Postpones it, for longer each time. Returns the text to log, the first time.
    fn postpone(&mut self, now: Instant, why: impl FnOnce() -> String) -> Option<&str> {
        let is_news = self.postponed.is_none();
        let postponed = self.postponed.get_or_insert_with(|| Postponed { until: now, pause: FIRST, why: why() });
        postponed.until = now + postponed.pause;
        postponed.pause = (postponed.pause * 2).min(LAST);
        is_news.then_some(&postponed.why)
    }
}

impl Committer {
    /// Compacted revisions cannot be discarded: it is tried again later.
    pub(super) fn postpone_sweep(&mut self, error: &redb::Error) {
        self.needs_sweep = true;
        let name = self.shared.disk.name();
        let why = || {
            format!(
                "`{name}` is damaged where it has old revisions, which cannot be thrown away ({error}): reads and writes go on, and it becomes larger; restore it from a copy, or move it away to begin without data"
            )
        };
        if let Some(why) = self.sweeping.postpone(Instant::now(), why) {
            tracing::warn!("{why}");
        }
    }

    /// Some revisions were discarded.
    pub(super) fn end_sweep_pause(&mut self) {
        if self.sweeping.postponed.take().is_some() {
            tracing::info!("old revisions of `{}` can be thrown away again", self.shared.disk.name());
        }
    }

    /// The health if the disk has room, and writing has not failed.
    pub(super) fn health_with_room(&self) -> Health {
        self.sweeping.postponed.as_ref().map_or(Health::Well, |postponed| Health::Damaged(postponed.why.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{disk::Disk, medium::InMemory, shared::Shared};
    use std::{
        io::{Error, Read as _, pipe},
        sync::{Arc, Mutex, mpsc},
    };

    #[test]
    fn it_is_put_off_for_longer_each_time_and_told_once() {
        let (mut sweeping, mut now) = (Sweeping::default(), Instant::now());
        assert!(sweeping.wait(now).is_zero());
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600] {
            let is_first = seconds == 1;
            assert_eq!(sweeping.postpone(now, || "damaged".to_string()), is_first.then_some("damaged"));
            assert_eq!(sweeping.wait(now), Duration::from_secs(seconds));
            now += Duration::from_secs(seconds);
            assert!(sweeping.wait(now).is_zero());
        }
    }

    #[test]
    fn the_log_says_once_what_is_damaged_and_what_can_be_done() {
        // If there is only one subscriber, other threads can switch off what is logged.
        let _other = tracing::Dispatch::new(tracing_subscriber::registry());
        let (mut log, writer) = pipe().unwrap();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(writer)).finish();
        let disk = Disk::open(Box::new(InMemory::default()), 0).unwrap();
        let name = disk.name().clone();
        let mut committer = Committer::new(Arc::new(Shared::new(disk, 0, 1)), mpsc::channel().1);
        assert_eq!(committer.health_with_room(), Health::Well);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..3 {
                committer.postpone_sweep(&redb::Error::Io(Error::other("the sector cannot be read")));
            }
        });
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        let described = format!("`{name}` is damaged where it has old revisions");
        assert!(text.contains("WARN") && text.contains("the sector") && text.contains("restore it"), "{text}");
        assert_eq!(text.matches(&described).count(), 1, "{text}");
        assert!(matches!(committer.health_with_room(), Health::Damaged(why) if why.starts_with(&described)));
    }
}
