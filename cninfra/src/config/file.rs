//! Reads the files that config is in, and that it names: regular ones of a size that config has.

use std::{
    cell::RefCell,
    fs::{self, File, Metadata},
    io::{self, Error, ErrorKind, Read as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// As much as a ConfigMap and a Secret of Kubernetes have.
const LONGEST: u64 = 1 << 20;

thread_local! {
    static HERE: RefCell<Option<At>> = const { RefCell::new(None) };
}

/// Which file a thread looks at, to be asked by another one: a file system may not answer.
#[derive(Clone, Default)]
pub(crate) struct At(Arc<Mutex<PathBuf>>);

impl At {
    /// Runs, and notes each file that is looked at meanwhile on this thread.
    pub(crate) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        HERE.set(Some(self.clone()));
        let done = run();
        HERE.set(None);
        done
    }

    /// The last one.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// From here on this one is looked at.
pub(super) fn looks_at(path: &Path) {
    HERE.with_borrow(|here| {
        if let Some(At(at)) = here {
            path.clone_into(&mut at.lock().unwrap_or_else(PoisonError::into_inner));
        }
    });
}

/// Reads a file. It neither waits for the writer of a pipe nor reads a device to its end.
///
/// # Errors
/// It can not be read, or should not be.
pub(super) fn read(path: &Path) -> io::Result<String> {
    looks_at(path);
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a directory"));
    }
    if is_null(&metadata) {
        return Ok(String::new());
    }
    if !metadata.is_file() {
        return Err(Error::other("it is a pipe, a socket or a device: put what it says into a file"));
    }
    let mut bytes = Vec::new();
    // some tell no size, and some grow
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it has more than {LONGEST} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8: save it as such"))
}

/// `/dev/null`, by whatever name: what is to be without content is often made to be this.
fn is_null(metadata: &Metadata) -> bool {
    let is_same = |null: Metadata| null.file_type().is_char_device() && null.rdev() == metadata.rdev();
    metadata.file_type().is_char_device() && fs::metadata("/dev/null").is_ok_and(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cninfra_testbed::Folder;
    use std::{os::unix::fs::symlink, process::Command, sync::mpsc::channel, thread, time::Duration};

    /// What reading it says; that it ends is the point.
    fn read_in_time(path: &Path) -> Result<String, String> {
        let (sender, receiver) = channel();
        let path = path.to_path_buf();
        thread::spawn(move || sender.send(read(&path).map_err(|error| error.to_string())));
        receiver.recv_timeout(Duration::from_secs(20)).expect("it ends")
    }

    #[test]
    fn what_is_no_file_of_text_is_told_at_once() {
        let folder = Folder::new();
        let at = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        for (name, target) in [("zero", "/dev/zero"), ("loop", "loop"), ("dangling", "nosuch"), ("null", "/dev/null")] {
            symlink(target, at(name)).unwrap();
        }
        let longest = usize::try_from(LONGEST).unwrap();
        fs::write(at("long"), vec![b'#'; longest + 1]).unwrap();
        fs::write(at("latin1"), b"name: \xe9").unwrap();
        fs::create_dir(at("folder")).unwrap();
        for (name, words) in [
            ("pipe", "it is a pipe, a socket or a device: put what it says into a file"),
            ("zero", "it is a pipe, a socket or a device: put what it says into a file"),
            ("loop", "Too many levels of symbolic links (os error 40)"),
            ("long", "it has more than 1048576 bytes"),
            ("latin1", "it is not UTF-8: save it as such"),
            ("folder", "it is a directory"),
        ] {
            assert_eq!(read_in_time(&at(name)), Err(words.to_string()), "{name}");
        }
        assert_eq!(read(&at("dangling")).unwrap_err().kind(), ErrorKind::NotFound);
        fs::write(at("right"), vec![b'#'; longest]).unwrap();
        assert_eq!(
            (read_in_time(&at("right")).unwrap().len(), read_in_time(&at("null"))),
            (longest, Ok(String::new()))
        );
    }
}
