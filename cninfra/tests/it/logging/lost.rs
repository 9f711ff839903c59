//! The log while it cannot be written for some time.

use super::written::{during, objects};
use cninfra::logging::{Format, LogSettings, Loggers, Output};
use std::{
    io::{self, ErrorKind},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};
use tracing::Dispatch;
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt as _, registry};

/// A disk with limited space.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    space: usize,
    /// The error that it returns when it is full.
    full: Option<ErrorKind>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Disk>>);

struct Writes<'a>(MutexGuard<'a, Disk>);

impl io::Write for Writes<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let disk = &mut *self.0;
        let taken = bytes.len().min(disk.space);
        if taken == 0 {
            return Err(disk.full.unwrap_or(ErrorKind::StorageFull).into());
        }
        disk.bytes.extend_from_slice(&bytes[..taken]);
        disk.space -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Shared {
    type Writer = Writes<'a>;

    fn make_writer(&'a self) -> Writes<'a> {
        Writes(self.0.lock().unwrap())
    }
}

impl Shared {
    fn space(&self, space: usize) {
        self.0.lock().unwrap().space = space;
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().bytes.clone()).unwrap()
    }
}

fn log() -> cninfra::Logger {
    Loggers::new("app", LogSettings::new()).get("store")
}

/// Logs five records. Of the second one only the first `kept` bytes can be written, and nothing of the next two.
fn five(format: Format, kept: usize, full: ErrorKind) -> String {
    let (disk, log) = (Shared::default(), log());
    disk.0.lock().unwrap().full = Some(full);
    let spaces = [usize::MAX, kept, 0, 0, usize::MAX];
    during(Output::to(disk.clone()).format(format), || {
        for (at, space) in spaces.into_iter().enumerate() {
            disk.space(space);
            log.info(format_args!("record {}", at + 1));
        }
        log.info("record 6");
    });
    disk.text()
}

#[test]
fn a_record_that_was_written_in_part_is_completed_and_those_that_were_lost_are_told() {
    // It breaks off within the time or later in the line, in both formats.
    for (full, kept) in [(ErrorKind::StorageFull, 11), (ErrorKind::WouldBlock, 11), (ErrorKind::BrokenPipe, 70)] {
        let text = five(Format::Text, kept, full);
        let lines: Vec<_> = text.lines().collect();
        let parts = [
            "store: record 1",
            "store: record 2",
            "WARN  agent: 2 records were lost here, since 2",
            "record 5",
            "record 6",
        ];
        assert_eq!(lines.len(), parts.len(), "{text}");
        for (line, part) in lines.iter().zip(parts) {
            assert!(line.starts_with("20") && line.contains(part), "{part}: {text}");
        }
        assert!(lines[2].ends_with(&format!("Z: {} lost=2", io::Error::from(full))), "{text}");
        let lines = objects(&five(Format::Json, kept, full));
        let told: Vec<_> = lines.iter().map(|line| (line["msg"].as_str().unwrap(), line["lost"].as_u64())).collect();
        assert_eq!(told[1], ("record 2", None), "{told:?}");
        assert!(told[2].0.starts_with("2 records were lost here, since 2") && told[2].1 == Some(2), "{told:?}");
        assert_eq!(told[3..], [("record 5", None), ("record 6", None)], "it is told once");
    }
    let text = five(Format::Text, 0, ErrorKind::StorageFull);
    assert!(!text.contains("record 2") && text.contains("WARN  agent: 3 records were lost here"), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
}

/// Checks that no line is torn, and that each record is either written or counted as lost.
fn add_up(text: &str, all: u64) {
    let (mut written, mut lost) = (0, 0);
    for line in objects(text) {
        match line["lost"].as_u64() {
            Some(many) => lost += many,
            None => written += 1,
        }
    }
    assert_eq!(written + lost, all, "{written} are written, and {lost} are told to be lost");
    assert!(written > 0 && lost > 0, "{written} and {lost}");
}

#[test]
fn wherever_the_space_ends_no_line_is_torn_and_each_record_is_written_or_counted() {
    const RECORDS: u64 = 3000;
    let (disk, log) = (Shared::default(), log());
    // A pseudorandom sequence that is the same in each run.
    let mut state = 7_u64;
    let mut chance = move |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    during(Output::to(disk.clone()).format(Format::Json), || {
        for at in 0..RECORDS {
            disk.space([0, chance(60), chance(600)][usize::try_from(chance(3)).unwrap()].try_into().unwrap());
            log.info(at);
        }
        disk.space(usize::MAX);
        log.info("at last");
    });
    add_up(&disk.text(), RECORDS + 1);
}

#[test]
fn so_it_is_where_many_threads_log() {
    const RECORDS: u64 = 2000;
    let disk = Shared::default();
    let output = Output::to(disk.clone()).format(Format::Json);
    let dispatch = Dispatch::new(registry().with(output.layer()));
    let log_all = || {
        tracing::dispatcher::with_default(&dispatch, || {
            let log = log();
            for at in 0..RECORDS {
                disk.space([0, 20, 500][usize::try_from(at % 3).unwrap()]);
                log.info(at);
            }
        });
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(log_all);
        }
    });
    disk.space(usize::MAX);
    // Two records, since one of them reports the loss of another thread just before it.
    (0..2).for_each(|_| tracing::dispatcher::with_default(&dispatch, || log().info("at last")));
    add_up(&disk.text(), 4 * RECORDS + 2);
}

#[test]
fn a_format_of_the_program_is_called_without_the_lock_of_the_writer() {
    let (disk, log) = (Shared::default(), log());
    let held = disk.clone();
    let format = Format::custom(move |record, to| {
        assert!(held.0.try_lock().is_ok());
        to.write_str(record.message)
    });
    during(Output::to(disk.clone()).format(format), || {
        log.info("lost");
        disk.space(usize::MAX);
        log.info("written");
    });
    let text = disk.text();
    assert!(text.starts_with("1 record was lost here, since ") && text.ends_with("\nwritten\n"), "{text}");
}
