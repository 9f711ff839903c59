//! [`Teller`]: writes to the log on a separate thread.

use crate::{Logger, logging::Level};
use std::{
    fmt,
    panic::Location,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SendError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// The maximum number of waiting records. Further ones are lost, because nobody reads the log or because it is read too
/// slowly. The number of lost records is logged in their place.
const MAX_WAITING: usize = 64;
/// How long to wait for records that have to be in the log before all that follows.
pub(super) const FIRST: Duration = Duration::from_millis(50);
/// How long to wait for the last records.
pub(super) const LAST: Duration = Duration::from_millis(200);

/// How long to wait for records that are all that the process logs before it ends.
pub(super) const ALL: Duration = Duration::from_secs(5);

/// Logs for code that acts on signals and limits. A log that nobody reads blocks those that write to it, while they
/// hold the lock of the output; here it blocks only the teller's thread.
#[derive(Clone, Default)]
pub(super) struct Teller(Arc<OnceLock<Queue>>);

struct Queue {
    /// Unbounded, so that a flush can always be sent. The number of records is bounded by `counts`.
    to: Sender<Message>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    /// The number of records that are not written yet.
    waiting: AtomicUsize,
    /// The number of lost records that have not been reported yet.
    lost: AtomicUsize,
}

enum Message {
    Record(Record),
    /// Asks for an answer when everything before it is written.
    Written(Sender<()>),
}

struct Record {
    log: Logger,
    level: Level,
    what: String,
    location: &'static Location<'static>,
    /// How many records were lost just before this one.
    lost: usize,
}

impl Teller {
    /// The queue. Its thread starts with the first record, since most agents that start log nothing here. It ends when
    /// the last teller is dropped.
    fn queue(&self) -> &Queue {
        self.0.get_or_init(|| {
            let ((to, messages), counts) = (channel(), Arc::<Counts>::default());
            let counted = counts.clone();
            // If there is no thread, nothing that is sent is written.
            let _ = thread::Builder::new().name("cninfra-log".to_string()).spawn(move || write(&messages, &counted));
            Queue { to, counts }
        })
    }

    #[track_caller]
    pub(super) fn say(&self, log: &Logger, level: Level, what: impl fmt::Display) {
        if !log.is_enabled(level) {
            return;
        }
        let Queue { to, counts } = self.queue();
        if counts.waiting.load(Relaxed) >= MAX_WAITING {
            counts.lost.fetch_add(1, Relaxed);
            return;
        }
        let (log, location, lost) = (log.clone(), Location::caller(), counts.lost.swap(0, Relaxed));
        counts.waiting.fetch_add(1, Relaxed);
        let sent = to.send(Message::Record(Record { log, level, what: what.to_string(), location, lost }));
        if let Err(SendError(message)) = sent {
            message.write(counts);
        }
    }

    /// Waits until everything is written, at most `within`.
    pub(super) fn flush(&self, within: Duration) {
        let Some(queue) = self.0.get() else { return };
        let (written, all) = channel();
        if queue.to.send(Message::Written(written)).is_ok() {
            let _ = all.recv_timeout(within);
        }
    }
}

fn write(messages: &Receiver<Message>, counts: &Counts) {
    messages.iter().for_each(|message| message.write(counts));
}

impl Message {
    fn write(self, counts: &Counts) {
        match self {
            Message::Record(Record { log, level, what, location, lost }) => {
                log_loss(&log, lost);
                log.log_at(level, &what, location);
                // Otherwise the waiting records or the next one report the loss.
                if counts.waiting.fetch_sub(1, Relaxed) == 1 {
                    log_loss(&log, counts.lost.swap(0, Relaxed));
                }
            }
            Message::Written(written) => {
                // The caller may have stopped waiting.
                let _ = written.send(());
            }
        }
    }
}

/// Logged whatever the logger's level is, since a lost record may have been an error.
fn log_loss(log: &Logger, lost: usize) {
    if lost > 0 {
        let what = if lost == 1 { "record was" } else { "records were" };
        let what = format_args!("{lost} {what} lost here: they came faster than this log was written");
        log.with("lost", lost).log_at(Level::Warn, &what, Location::caller());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        logging::{Loggers, Output},
        testing::log::Log,
    };
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
        // Like another thread that is stuck in writing.
        Output::to(move || Stuck(writer.clone())).install();
        let (teller, log) = (Teller::default(), Loggers::default().of_agent());
        let began = Instant::now();
        (0..2 * MAX_WAITING).for_each(|count| teller.say(&log, Level::Info, count));
        teller.flush(LAST);
        assert!(began.elapsed() < 10 * LAST, "{:?}", began.elapsed());
        drop(held);
    }

    /// A teller whose records are written when the test asks for it.
    fn by_hand() -> (Teller, Receiver<Message>, Arc<Counts>) {
        let ((to, messages), counts) = (channel(), Arc::<Counts>::default());
        let teller = Teller::default();
        assert!(teller.0.set(Queue { to, counts: counts.clone() }).is_ok());
        (teller, messages, counts)
    }

    #[test]
    fn what_is_lost_is_counted_and_told_in_its_place() {
        let (log, (teller, messages, counts)) = (Loggers::default().of_agent(), by_hand());
        let tell = |range: std::ops::Range<usize>| {
            range.for_each(|at| teller.say(&log, Level::Info, format_args!("no {at}.")))
        };
        let written = Log::default();
        let write = |many: usize| written.during(|| (0..many).for_each(|_| messages.recv().unwrap().write(&counts)));
        tell(0..MAX_WAITING + 7);
        write(1);
        tell(100..102);
        write(MAX_WAITING);
        let lines =
            |text: &str| text.lines().map(|line| line.split("agent: ").last().unwrap().to_string()).collect::<Vec<_>>();
        let text = written.text();
        let at = |part: &str| {
            lines(&text).iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {text}"))
        };
        let told = "7 records were lost here: they came faster than this log was written";
        assert_eq!((at("no 0."), at("no 63."), at(told), at("no 100.")), (0, 63, 64, 65), "{text}");
        // No record follows these.
        assert_eq!(at("1 record was lost here: "), 66, "{text}");
        assert!(!text.contains("no 101.") && text.lines().count() == 67 && text.contains("lost=1"), "{text}");
        // Nothing remains to be reported.
        tell(200..201);
        write(1);
        assert_eq!(written.text().lines().count(), 68, "{}", written.text());
    }

    #[test]
    fn a_full_queue_is_waited_for_as_any_other() {
        let (log, (teller, messages, counts)) = (Loggers::default().of_agent(), by_hand());
        (0..MAX_WAITING).for_each(|count| teller.say(&log, Level::Info, count));
        let writer = thread::spawn({
            let counts = counts.clone();
            move || {
                thread::sleep(Duration::from_millis(50));
                write(&messages, &counts);
            }
        });
        teller.flush(Duration::from_secs(20));
        assert_eq!(counts.waiting.load(Relaxed), 0, "all is written");
        drop(teller);
        writer.join().unwrap();
    }
}
