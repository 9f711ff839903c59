//! [`Folder`]: a temporary folder.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// A new folder of its own in the system's place for temporary files. It goes when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    ///
    /// # Panics
    /// It can not be made.
    #[expect(clippy::new_without_default, reason = "it touches the disk")]
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let name = format!("cninfra-test-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = env::temp_dir().join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Folder(path),
                // left over from a process of the same number
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    ///
    /// # Panics
    /// It can not be written.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        if let Err(error) = fs::write(&path, text) {
            panic!("{}: {error}", path.display());
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // what is left over does no harm
        let _ = fs::remove_dir_all(&self.0);
    }
}
