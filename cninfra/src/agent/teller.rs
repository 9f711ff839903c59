//! [`Teller`]: writes to the log on a thread of its own.

use crate::{Logger, logging::Level};
use std::{
    fmt, io,
    panic::Location,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
    time::Duration,
};

/// So many records wait at most; what is more is lost, since nobody reads the log.
const QUEUE: usize = 64;
/// So long is waited for what is to stand before all that follows.
pub(super) const FIRST: Duration = Duration::from_millis(50);
/// So long is waited for the last ones.
pub(super) const LAST: Duration = Duration::from_millis(200);

/// Who acts on a signal or a limit says through it what it does: a log that nobody reads blocks those that write to it, and the lock
/// of the output with them.
#[derive(Clone)]
pub(super) struct Teller(SyncSender<Said>);

enum Said {
    Record(Logger, Level, String, &'static Location<'static>),
    /// What was said before is written.
    Written(Sender<()>),
}

impl Teller {
    /// Starts the thread. It ends with the last teller.
    pub(super) fn start() -> io::Result<Self> {
        let (to, said) = sync_channel(QUEUE);
        thread::Builder::new().name("cninfra-log".to_string()).spawn(move || write(&said))?;
        Ok(Teller(to))
    }

    #[track_caller]
    pub(super) fn say(&self, log: &Logger, level: Level, what: impl fmt::Display) {
        if log.is_enabled(level) {
            // a full queue is one that nobody empties
            let _ = self.0.try_send(Said::Record(log.clone(), level, what.to_string(), Location::caller()));
        }
    }

    /// Waits until all is written, but no longer than this.
    pub(super) fn flush(&self, within: Duration) {
        let (written, all) = channel();
        if self.0.try_send(Said::Written(written)).is_ok() {
            let _ = all.recv_timeout(within);
        }
    }
}

fn write(said: &Receiver<Said>) {
    for said in said {
        match said {
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
    use std::{
        sync::{Arc, Mutex},
        time::Instant,
    };

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
        let (teller, log) = (Teller::start().unwrap(), Loggers::default().of_agent());
        let began = Instant::now();
        (0..2 * QUEUE).for_each(|count| teller.say(&log, Level::Info, count));
        teller.flush(LAST);
        assert!(began.elapsed() < 10 * LAST, "{:?}", began.elapsed());
        drop(held);
    }
}
