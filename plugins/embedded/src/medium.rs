//! [`Medium`]: where the database is: in a file, or in memory.

use crate::unfinished::forget_unfinished;
use redb::{Builder, Database, StorageBackend, backends::InMemoryBackend};
use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// So much of the disk is kept for times when nothing else is left: deletes and compactions write, too.
const RESERVE: usize = 4 << 20;

/// Where the database is.
pub(crate) trait Medium: fmt::Debug + Send + Sync {
    /// Opens the database, or makes it.
    fn open(&self, builder: &Builder) -> Result<Database, redb::Error>;

    /// Sees to it that the reserve is whole.
    fn keep_reserve(&self) -> io::Result<()>;

    /// Gives up the reserve, so that there is room.
    fn give_up_reserve(&self);

    /// How it is called in messages.
    fn name(&self) -> String;

    /// How large it is; nothing where that does not matter.
    fn len(&self) -> Option<u64>;
}

/// In a file, beside which there is the reserve.
#[derive(Debug)]
pub(crate) struct OnDisk {
    path: PathBuf,
    reserve: PathBuf,
    /// It was opened before.
    is_known: AtomicBool,
}

impl OnDisk {
    pub(crate) fn new(path: &Path) -> Self {
        let mut reserve = path.as_os_str().to_owned();
        reserve.push(".reserve");
        OnDisk { path: path.to_path_buf(), reserve: reserve.into(), is_known: AtomicBool::new(false) }
    }
}

/// The folder that a file or a folder is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folders that have to be written, too, so that a file is there after a power cut: its own, and those in which one is still to be made.
fn folders_to_sync(path: &Path) -> Vec<&Path> {
    let mut folders = vec![folder_of(path)];
    while let Some(last) = folders.last().filter(|last| !last.is_dir()) {
        folders.push(folder_of(last));
    }
    folders
}

impl Medium for OnDisk {
    fn open(&self, builder: &Builder) -> Result<Database, redb::Error> {
        if self.is_known.load(Ordering::Relaxed) {
            // somebody may have deleted it: an empty one in its place would be told for all there is
            return Ok(builder.open(&self.path)?);
        }
        // one could wait for a pipe for ever
        if fs::metadata(&self.path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file").into());
        }
        let folders = folders_to_sync(&self.path);
        fs::create_dir_all(folder_of(&self.path))?;
        forget_unfinished(&self.path, builder)?;
        let database = builder.create(&self.path)?;
        // also where the file is not new: who made it may have come no further
        for folder in folders {
            File::open(folder)?.sync_all()?;
        }
        self.is_known.store(true, Ordering::Relaxed);
        Ok(database)
    }

    fn keep_reserve(&self) -> io::Result<()> {
        let has = fs::metadata(&self.reserve).map_or(0, |found| usize::try_from(found.len()).unwrap_or(RESERVE));
        if has >= RESERVE {
            return Ok(());
        }
        let disk = rustix::fs::statvfs(folder_of(&self.reserve))?;
        let room = usize::try_from(disk.f_bavail.saturating_mul(disk.f_frsize)).unwrap_or(usize::MAX);
        // the same is left for what is to be written
        let wanted = (has.saturating_add(room) / 2).min(RESERVE);
        if wanted > has {
            // what there is room for is better than nothing: it is left as far as it comes
            let mut file = File::options().create(true).append(true).open(&self.reserve)?;
            file.write_all(&vec![0; wanted - has])?;
            file.sync_all()?;
        }
        if wanted == RESERVE { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn give_up_reserve(&self) {
        // one that is not there gives no room, which the next write tells
        let _ = fs::remove_file(&self.reserve);
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn len(&self) -> Option<u64> {
        fs::metadata(&self.path).ok().map(|found| found.len())
    }
}

/// In memory: nothing is left of it when it is closed. Opened once more it has what it had.
#[derive(Clone, Default, Debug)]
pub(crate) struct InMemory(Arc<InMemoryBackend>);

impl StorageBackend for InMemory {
    fn len(&self) -> io::Result<u64> {
        StorageBackend::len(&*self.0)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        StorageBackend::read(&*self.0, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        StorageBackend::write(&*self.0, offset, data)
    }
}

impl Medium for InMemory {
    fn open(&self, builder: &Builder) -> Result<Database, redb::Error> {
        Ok(builder.create_with_backend(self.clone())?)
    }

    fn keep_reserve(&self) -> io::Result<()> {
        Ok(())
    }

    fn give_up_reserve(&self) {}

    fn name(&self) -> String {
        "memory".to_string()
    }

    fn len(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use redb::TableDefinition;

    const NUMBERS: TableDefinition<'_, u64, u64> = TableDefinition::new("numbers");

    #[test]
    fn all_folders_that_are_made_are_synced() {
        let path = std::env::temp_dir().join(format!("cninfra-medium-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let file = path.join("a/b/data.redb");
        let [made, above] = [path.join("a"), path.join("a/b")];
        assert_eq!(folders_to_sync(&file), [&*above, &*made, &*path, &*std::env::temp_dir()]);
        OnDisk::new(&file).open(&Builder::new()).unwrap();
        assert_eq!(folders_to_sync(&file), [&*above]);
        assert_eq!(folders_to_sync(Path::new("data.redb")), [Path::new(".")]);
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_file_that_was_deleted_meanwhile_is_not_made_anew() {
        let path = std::env::temp_dir().join(format!("cninfra-medium-{}.redb", std::process::id()));
        let disk = Disk::open(Box::new(OnDisk::new(&path)), 1 << 20).unwrap();
        fs::remove_file(&path).unwrap();
        let error = disk.reopen().unwrap_err();
        assert!(matches!(&error, redb::Error::Io(why) if why.kind() == io::ErrorKind::NotFound), "{error:?}");
        assert!(!path.exists());
    }

    #[test]
    fn what_is_in_memory_is_there_when_it_is_opened_again() {
        let disk = Disk::open(Box::new(InMemory::default()), 1 << 20).unwrap();
        let written = disk.with(|database| {
            let write = database.begin_write()?;
            write.open_table(NUMBERS)?.insert(1, 2)?;
            Ok(write.commit()?)
        });
        written.unwrap();
        disk.reopen().unwrap();
        let found = disk.read(|txn| Ok(txn.open_table(NUMBERS)?.get(1)?.map(|found| found.value())));
        assert_eq!(found.unwrap(), Some(2));
    }
}
