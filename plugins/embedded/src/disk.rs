//! [`Disk`]: the database, which is opened again when it has failed.

use crate::{
    medium::Medium,
    tables::{CURRENT, FORMAT, HISTORY, LEASES, LOG, META, OWNED, meta},
};
use cninfra::keyval::{Applied, Asked, KvError, Reason};
use redb::{Builder, Database, ReadTransaction, ReadableDatabase as _, TableHandle as _};
use std::{
    any::Any,
    io,
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

#[derive(Debug)]
pub(crate) struct Disk {
    medium: Box<dyn Medium>,
    cache: usize,
    /// `None` after it was closed, or if it could not be opened again.
    database: RwLock<Option<Database>>,
    name: Arc<str>,
}

/// How long to wait for a file that another store has open.
const LETS_GO: Duration = Duration::from_millis(500);

/// The error for a redb database of another program.
const FOREIGN: &str = "it is a database of redb, but none of this store";

impl Disk {
    pub(crate) fn open(medium: Box<dyn Medium>, cache: usize) -> Result<Self, KvError> {
        let name = Arc::from(medium.name());
        let disk = Disk { medium, cache, database: RwLock::new(None), name };
        let (began, mut has_reserve) = (Instant::now(), true);
        loop {
            match disk.reopen() {
                Ok(()) => return Ok(disk),
                // Creating a file needs room, and so may the repair of a file after a kill.
                Err(error) if is_full(&error) && has_reserve => {
                    disk.medium.give_up_reserve();
                    has_reserve = false;
                }
                // A store that was dropped closes its file only when its threads have ended.
                Err(redb::Error::DatabaseAlreadyOpen) if began.elapsed() < LETS_GO => thread::sleep(LETS_GO / 20),
                Err(error) => return Err(disk.not_opened(&error)),
            }
        }
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn medium(&self) -> &dyn Medium {
        &*self.medium
    }

    /// Runs a read transaction.
    pub(crate) fn read<T>(
        &self,
        run: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        self.with(|database| run(&database.begin_read()?))
    }

    pub(crate) fn with<T>(&self, run: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, redb::Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        run(database.as_ref().ok_or(redb::Error::DatabaseClosed)?)
    }

    /// Opens the database again, since redb writes nothing more after an error.
    pub(crate) fn reopen(&self) -> Result<(), redb::Error> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old one has to be closed first.
        *database = None;
        let opened = self.medium.open(Builder::new().set_cache_size(self.cache))?;
        prepare(&opened)?;
        *database = Some(opened);
        Ok(())
    }

    /// Shrinks the file. Reads and writes wait meanwhile.
    pub(crate) fn shrink(&self) -> Result<(), redb::Error> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &mut *database {
            database.compact()?;
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn is_open(&self) -> bool {
        self.database.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The error for callers.
    pub(crate) fn error(&self, asked: &Asked, error: &redb::Error, applied: Applied) -> KvError {
        let reason = match reason(error) {
            // Whatever the error was, the database will be opened again.
            Reason::Other if !self.is_open() => Reason::Unavailable,
            reason => reason,
        };
        let described = asked.error(reason, applied).at(self.name.clone()).because(error.to_string());
        match error {
            error if is_full(error) => described.with_help(FULL),
            redb::Error::Corrupted(_) => described.with_help(is_damaged(&self.name)),
            _ => described,
        }
    }

    /// The error of opening a store, with advice.
    pub(crate) fn not_opened(&self, error: &redb::Error) -> KvError {
        not_opened(&self.name, error)
    }
}

/// The error if redb panics over damaged data while it opens a file.
pub(crate) fn damaged(name: &Arc<str>, panic: &(dyn Any + Send)) -> KvError {
    not_opened(name, &redb::Error::Corrupted(format!("redb has panicked: {}", text_of(panic))))
}

/// The message of a panic.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a text")
}

/// The advice for a damaged file.
fn is_damaged(name: &Arc<str>) -> String {
    format!("`{name}` is damaged: restore it from a copy, or move it away to begin without data")
}

fn not_opened(name: &Arc<str>, error: &redb::Error) -> KvError {
    let help = match error {
        redb::Error::DatabaseAlreadyOpen => {
            format!("another process has `{name}` open, or another store of this one: give each a `path` of its own")
        }
        redb::Error::Io(io) => match io.kind() {
            io::ErrorKind::IsADirectory => format!("`{name}` is a folder: name a file in it by `path`"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                format!("let this process read and write `{name}` and its folder, or choose another `path`")
            }
            io::ErrorKind::InvalidData => {
                format!("`{name}` is a file of something else: choose another `path`, or move it away")
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                format!("a part of the path of `{name}` is a file and no folder: choose another `path`")
            }
            // The file is shorter than a header.
            io::ErrorKind::UnexpectedEof => is_damaged(name),
            _ if is_full(error) => format!("make room on the disk that `{name}` is on: it is not opened before"),
            _ => format!("look at the disk that `{name}` is on, or choose another `path`"),
        },
        redb::Error::Corrupted(what) if what == FOREIGN => {
            format!("`{name}` is of another program: choose another `path`")
        }
        redb::Error::Corrupted(_) => is_damaged(name),
        _ => format!("choose another `path` than `{name}`, or move that away to begin without data"),
    };
    let reason = match error {
        redb::Error::DatabaseAlreadyOpen => Reason::Unavailable,
        error => reason(error),
    };
    let described = KvError::new("open", reason).not_applied().at(name.clone()).because(error.to_string());
    described.with_help(help)
}

pub(crate) const FULL: &str =
    "make room on the disk: deletes and compactions go on meanwhile, and writes do as soon as there is room";

/// Whether the disk is full.
pub(crate) fn is_full(error: &redb::Error) -> bool {
    let redb::Error::Io(error) = error else { return false };
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// Whether the disk has failed, now or earlier.
pub(crate) fn is_of_the_disk(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo)
}

fn reason(error: &redb::Error) -> Reason {
    match error {
        error if is_full(error) => Reason::Full,
        redb::Error::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => Reason::Denied,
        redb::Error::DatabaseClosed | redb::Error::PreviousIo => Reason::Unavailable,
        redb::Error::ValueTooLarge(_) => Reason::TooLarge,
        _ => Reason::Other,
    }
}

/// Creates the tables of a new database, and refuses a database of another program.
fn prepare(database: &Database) -> Result<(), redb::Error> {
    let found = {
        let read = database.begin_read()?;
        let names: Vec<String> = read.list_tables()?.map(|table| table.name().to_string()).collect();
        match names.iter().any(|name| name == META.name()) {
            true => read.open_table(META)?.get(meta::FORMAT)?.map(|format| format.value()),
            false if names.is_empty() => None,
            false => Some(0),
        }
    };
    match found {
        Some(FORMAT) => Ok(()),
        Some(0) => Err(redb::Error::Corrupted(FOREIGN.to_string())),
        Some(format) => Err(redb::Error::UpgradeRequired(u8::try_from(format).unwrap_or(u8::MAX))),
        None => {
            let write = database.begin_write()?;
            {
                write.open_table(CURRENT)?;
                write.open_table(LOG)?;
                write.open_table(HISTORY)?;
                write.open_table(LEASES)?;
                write.open_table(OWNED)?;
                write.open_table(META)?.insert(meta::FORMAT, FORMAT)?;
            }
            Ok(write.commit()?)
        }
    }
}
