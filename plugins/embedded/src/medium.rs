//! [`Medium`]: where the database is stored: in a file, or in memory.

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

/// How much of the disk is reserved for when it is full: deletes and compactions write too.
const RESERVE: usize = 4 << 20;

pub(crate) trait Medium: fmt::Debug + Send + Sync {
    /// Opens the database, or creates it.
    fn open(&self, builder: &Builder) -> Result<Database, redb::Error>;

    /// Makes the reserve as large as possible. An error if it does not have its full size.
    fn keep_reserve(&self) -> io::Result<()>;

    /// Releases the reserve, so that there is room.
    fn give_up_reserve(&self);

    /// The name for messages.
    fn name(&self) -> String;

    /// The size of the database; `None` if it does not matter.
    fn len(&self) -> Option<u64>;
}

/// In a file, with the reserve beside it.
#[derive(Debug)]
pub(crate) struct OnDisk {
    path: PathBuf,
    reserve: PathBuf,
    /// Whether it was opened before.
    is_known: AtomicBool,
}

impl OnDisk {
    pub(crate) fn new(path: &Path) -> Self {
        let mut reserve = path.as_os_str().to_owned();
        reserve.push(".reserve");
        OnDisk { path: path.to_path_buf(), reserve: reserve.into(), is_known: AtomicBool::new(false) }
    }
}

/// The folder that contains a file or a folder.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folders to sync so that a new file survives a power cut: its own, and each one in which a folder still has to be
/// created.
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
            // The file may have been deleted meanwhile. A new, empty one in its place would look as if all data were
            // gone.
            return Ok(builder.open(&self.path)?);
        }
        // Opening a pipe could block forever.
        if fs::metadata(&self.path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file").into());
        }
        let folders = folders_to_sync(&self.path);
        fs::create_dir_all(folder_of(&self.path))?;
        forget_unfinished(&self.path, builder)?;
        let database = builder.create(&self.path)?;
        // Also if the file is not new: the process that created it may have been killed before this.
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
        // As much room is left for what has to be written.
        let wanted = (has.saturating_add(room) / 2).min(RESERVE);
        if wanted > has {
            // If this fails in the middle, a smaller reserve is still better than none.
            let mut file = File::options().create(true).append(true).open(&self.reserve)?;
            file.write_all(&vec![0; wanted - has])?;
            file.sync_all()?;
        }
        if wanted == RESERVE { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn give_up_reserve(&self) {
        // If there is none, there is no more room, and the next write says so.
        let _ = fs::remove_file(&self.reserve);
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn len(&self) -> Option<u64> {
        fs::metadata(&self.path).ok().map(|found| found.len())
    }
}

/// In memory: the data is lost when the store is closed, but not when the database is opened again.
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
