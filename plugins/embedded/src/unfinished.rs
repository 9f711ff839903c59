//! Removes files whose creation by redb was interrupted.

use redb::{Builder, StorageBackend, backends::InMemoryBackend};
use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

/// The first bytes of a redb file.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";
/// An interrupted file is never larger.
const MOST: u64 = 16 << 20;

/// When redb creates a file, it sets the length, then writes a header without the magic number, and the magic number
/// last. If the process is killed meanwhile, redb would refuse the remaining file forever. Such a file is emptied,
/// unless another process is creating it: but only if it is byte for byte what redb leaves. Any other file may belong
/// to somebody, even one of zeros, and is left to redb to refuse.
pub(crate) fn forget_unfinished(path: &Path, builder: &Builder) -> io::Result<()> {
    // If it cannot be opened, redb will report that.
    let Ok(file) = File::options().read(true).write(true).open(path) else { return Ok(()) };
    let mut start = Vec::new();
    (&file).take(MAGIC.len() as u64).read_to_end(&mut start)?;
    if start.len() < MAGIC.len() || start.iter().any(|byte| *byte != 0) || file.metadata()?.len() > MOST {
        return Ok(());
    }
    if file.try_lock().is_err() {
        return Ok(());
    }
    let mut found = start;
    (&file).take(MOST).read_to_end(&mut found)?;
    let left = unfinished_bytes(builder)?;
    // The file may already have its length, but no header yet.
    let is_unfinished = found == left || (found.len() == left.len() && found.iter().all(|byte| *byte == 0));
    if is_unfinished { file.set_len(0) } else { Ok(()) }
}

/// The bytes that redb leaves if it is interrupted before the magic number.
fn unfinished_bytes(builder: &Builder) -> io::Result<Vec<u8>> {
    let unfinished = UnfinishedFile::default();
    // This fails, as intended.
    let _ = builder.create_with_backend(unfinished.clone());
    let mut left = vec![0; usize::try_from(StorageBackend::len(&unfinished)?).unwrap_or(0)];
    StorageBackend::read(&unfinished, 0, &mut left)?;
    Ok(left)
}

/// A file in memory that refuses to write the magic number.
#[derive(Clone, Default, Debug)]
struct UnfinishedFile(Arc<InMemoryBackend>);

impl StorageBackend for UnfinishedFile {
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
        if offset == 0 && data.starts_with(&MAGIC) {
            return Err(io::Error::other("it comes no further"));
        }
        self.0.write(offset, data)
    }
}
