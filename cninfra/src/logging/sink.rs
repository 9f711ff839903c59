//! [`Sink`]: writes the records of an output as a whole, even if writing fails for a while.

use super::{
    Level, Record,
    output::{Lines, now},
};
use std::{
    io::{self, ErrorKind, Write},
    mem::take,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing::Metadata;
use tracing_subscriber::fmt::{MakeWriter, writer::BoxMakeWriter};

/// Writes records to the writer of an output. A full disk, or a pipe with a slow reader, takes a record in part or not
/// at all. The rest of such a record is written before anything else, so that no record is torn. Lost records are
/// counted, and reported by a record when writing works again.
///
/// If several threads write at once, their writers have to keep records whole: a writer that is made for a record may
/// hold a lock, as that of standard error does.
#[derive(Clone)]
pub(super) struct Sink(Arc<Inner>);

struct Inner {
    lines: Lines,
    writer: BoxMakeWriter,
    /// Whether something is owed: a usual record checks only this.
    is_owed: AtomicBool,
    /// Not locked while anything is formatted or written.
    owed: Mutex<Owed>,
}

/// What the writer has not taken yet.
#[derive(Default)]
struct Owed {
    /// The rest of a record that was written in part.
    rest: Vec<u8>,
    lost: Option<Lost>,
}

/// Records of which nothing was written.
#[derive(Clone)]
struct Lost {
    many: u64,
    /// When the first one was lost, and why.
    since: String,
    error: String,
}

/// A record that reports this many lost ones.
struct LossNotice {
    many: u64,
    line: String,
}

impl Sink {
    pub(super) fn new(lines: Lines, writer: BoxMakeWriter) -> Self {
        Sink(Arc::new(Inner { lines, writer, is_owed: AtomicBool::new(false), owed: Mutex::default() }))
    }

    pub(super) fn lines(&self) -> &Lines {
        &self.0.lines
    }
}

impl Inner {
    /// Formats the report of lost records, if there are any. This comes before the writer is made, which may hold a
    /// lock, since the format may be code of the program.
    fn notice(&self) -> Option<LossNotice> {
        if !self.is_owed.load(Ordering::Acquire) {
            return None;
        }
        let Lost { many, since, error } = self.owed().lost.clone()?;
        let what = if many == 1 { "record was" } else { "records were" };
        let record = Record {
            time: &now().ok()?,
            level: Level::Warn,
            agent: "",
            logger: "agent",
            message: &format!("{many} {what} lost here, since {since}: {error}"),
            location: "",
            fields: &[("lost".into(), many.into())],
            span: "",
        };
        let mut line = String::new();
        self.lines.write_record(&record, &mut line).ok()?;
        Some(LossNotice { many, line })
    }

    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, writer: &mut dyn Write, notice: Option<LossNotice>, line: &[u8]) {
        let was_owed = self.is_owed.load(Ordering::Acquire);
        let mut owed = if was_owed { take(&mut *self.owed()) } else { Owed::default() };
        owed.settle(writer, notice, line);
        if was_owed || owed.is_any() {
            // Other threads may have lost records meanwhile.
            let mut all = self.owed();
            owed.add(take(&mut *all));
            self.is_owed.store(owed.is_any(), Ordering::Release);
            *all = owed;
        }
    }
}

impl Owed {
    fn is_any(&self) -> bool {
        !self.rest.is_empty() || self.lost.is_some()
    }

    /// Writes what is owed, and then this record.
    fn settle(&mut self, writer: &mut dyn Write, notice: Option<LossNotice>, line: &[u8]) {
        let is_current = |notice: &LossNotice| self.lost.as_ref().is_some_and(|lost| lost.many == notice.many);
        let noticed = match notice.filter(is_current) {
            Some(notice) => self.write(writer, notice.line.as_bytes()).map(|()| self.lost = None),
            None => Ok(()),
        };
        if let Err(error) = noticed.and_then(|()| self.write(writer, line)) {
            self.lose(&error);
        }
    }

    /// Writes a record after the rest of the one before. If it is written in part, its rest is owed.
    ///
    /// # Errors
    /// Nothing of the record was written.
    fn write(&mut self, writer: &mut dyn Write, record: &[u8]) -> io::Result<()> {
        let rest = take(&mut self.rest);
        let (written, failed) = put(writer, &rest);
        if let Some(error) = failed {
            self.rest = rest[written..].to_vec();
            return Err(error);
        }
        match put(writer, record) {
            (0, Some(error)) => Err(error),
            (written, _) => {
                self.rest = record[written..].to_vec();
                Ok(())
            }
        }
    }

    fn lose(&mut self, error: &io::Error) {
        let new = || Lost { many: 0, since: now().unwrap_or_default(), error: error.to_string() };
        self.lost.get_or_insert_with(new).many += 1;
    }

    fn add(&mut self, mut later: Owed) {
        self.rest.append(&mut later.rest);
        match (&mut self.lost, later.lost) {
            (Some(lost), Some(more)) => lost.many += more.many,
            (None, more @ Some(_)) => self.lost = more,
            (_, None) => {}
        }
    }
}

/// Writes as much as the writer takes. Returns how much that is, and why it is not everything.
fn put(writer: &mut dyn Write, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while written < bytes.len() {
        match writer.write(&bytes[written..]) {
            Ok(0) => return (written, Some(ErrorKind::WriteZero.into())),
            Ok(more) => written = bytes.len().min(written.saturating_add(more)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        let notice = self.0.notice();
        Line { inner: &self.0, notice, writer: self.0.writer.make_writer() }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        let notice = self.0.notice();
        Line { inner: &self.0, notice, writer: self.0.writer.make_writer_for(metadata) }
    }
}

/// A writer for one record, which is written as a whole.
pub(super) struct Line<'a> {
    inner: &'a Inner,
    notice: Option<LossNotice>,
    writer: Box<dyn Write + 'a>,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.inner.write(&mut *self.writer, self.notice.take(), line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
