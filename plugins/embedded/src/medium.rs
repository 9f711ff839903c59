//! [`Medium`]: where the database is: in a file, or in memory.

use redb::{Builder, Database, backends::InMemoryBackend};
use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
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
}

impl OnDisk {
    pub(crate) fn new(path: &Path) -> Self {
        let mut reserve = path.as_os_str().to_owned();
        reserve.push(".reserve");
        OnDisk { path: path.to_path_buf(), reserve: reserve.into() }
    }
}

impl Medium for OnDisk {
    fn open(&self, builder: &Builder) -> Result<Database, redb::Error> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let is_new = !self.path.try_exists()?;
        let database = builder.create(&self.path)?;
        if is_new {
            // a file is there after a power cut when its folder is written, too
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(database)
    }

    fn keep_reserve(&self) -> io::Result<()> {
        let has = fs::metadata(&self.reserve).map_or(0, |found| found.len());
        if has >= RESERVE as u64 {
            return Ok(());
        }
        // what there is room for is better than nothing: it is left as far as it comes
        let mut file = File::options().create(true).append(true).open(&self.reserve)?;
        let more = vec![0; RESERVE - usize::try_from(has).unwrap_or(0)];
        file.write_all(&more)?;
        file.sync_all()
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

/// In memory: nothing is left of it when it is closed.
#[derive(Debug)]
pub(crate) struct InMemory;

impl Medium for InMemory {
    fn open(&self, builder: &Builder) -> Result<Database, redb::Error> {
        Ok(builder.create_with_backend(InMemoryBackend::new())?)
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
