//! [`Teller`]: writes to the log on a thread of its own.

use crate::{Logger, logging::Level};
use std::{
    fmt,
    panic::Location,
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel},
    },
    thread,
    time::Duration,
};

/// So many records wait at most; what is more is lost, since nobody reads the log.
const QUEUE: usize = 64;
/// So long is waited for what is to stand before all that follows.
pub(super) const FIRST: Duration = Duration::from_millis(50);
/// So long is waited for the last ones.
pub(super) const LAST: Duration = Duration::from_millis(200);

/// So long is waited for what is all that the process says before it ends.
pub(super) const ALL: Duration = Duration::from_secs(5);

/// Who acts on a signal or a limit says through it what it does: a log that nobody reads blocks those that write to it, and the lock
/// of the output with them.
#[derive(Clone, Default)]
pub(super) struct Teller(Arc<OnceLock<SyncSender<Said>>>);

enum Said {
    Record(Logger, Level, String, &'static Location<'static>),
    /// What was said before is written.
    Written(Sender<()>),
}

impl Teller {
    /// The thread begins with the first record: most agents that start have nothing to say here. It ends with the last teller.
    fn thread(&self) -> &SyncSender<Said> {
        self.0.get_or_init(|| {
            let (to, said) = sync_channel(QUEUE);
            // without it nobody takes what is sent
            let _ = thread::Builder::new().name("cninfra-log".to_string()).spawn(move || write(&said));
            to
        })
    }

    #[track_caller]
    pub(super) fn say(&self, log: &Logger, level: Level, what: impl fmt::Display) {
        if log.is_enabled(level) {
            let record = Said::Record(log.clone(), level, what.to_string(), Location::caller());
            match self.thread().try_send(record) {
                // a full queue is one that nobody empties
                Ok(()) | Err(TrySendError::Full(_)) => {}
                Err(TrySendError::Disconnected(record)) => record.write(),
            }
        }
    }

    /// Waits until all is written, but no longer than this.
    pub(super) fn flush(&self, within: Duration) {
        let Some(thread) = self.0.get() else { return };
        let (written, all) = channel();
        if thread.try_send(Said::Written(written)).is_ok() {
            let _ = all.recv_timeout(within);
        }
    }
}

fn write(said: &Receiver<Said>) {
    said.iter().for_each(Said::write);
}

impl Said {
    fn write(self) {
        match self {
            Said::Record(log, level, what, location) => log.log_at(level, &what, location),
            Said::Written(written) => {
                // who asked may have gone on
                let _ = written.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::{Loggers, Output};
    use std::{io, sync::Mutex, time::Instant};

    #[derive(Clone)]
    struct Stuck(Arc<Mutex<()>>);
    impl io::Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _stuck = self.0.lock();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_is_stuck_holds_nobody_up() {
        let stuck = Arc::new(Mutex::new(()));
        let writer = stuck.clone();
        let held = stuck.lock().unwrap();
        // as by another thread that writes, and does not come back
        Output::to(move || Stuck(writer.clone())).install();
        let (teller, log) = (Teller::default(), Loggers::default().of_agent());
        let began = Instant::now();
        (0..2 * QUEUE).for_each(|count| teller.say(&log, Level::Info, count));
        teller.flush(LAST);
        assert!(began.elapsed() < 10 * LAST, "{:?}", began.elapsed());
        drop(held);
    }
}
