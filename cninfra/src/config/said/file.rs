//! Reads config files and the files that they name: only regular files of a size that config may have. It also records
//! which file a thread is waiting for.

use crate::config::{
    written::{malformed::line_and_column, place::Place},
    wrong::mistake::Mistake,
};
use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    fs::{self, File, Metadata},
    io::{self, Error, ErrorKind, Read as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

/// 1 MiB, the limit for a ConfigMap or a Secret in Kubernetes.
const LONGEST: u64 = 1 << 20;

thread_local! {
    static RECORDER: RefCell<Option<At>> = const { RefCell::new(None) };
}

/// Tells other threads which file a thread is accessing, since the file system may not answer. It also holds the
/// results to use instead of accessing certain files.
#[derive(Clone, Debug, Default)]
pub(crate) struct At {
    last_access: Arc<Mutex<LastAccess>>,
    instead: Arc<Substitutes>,
}

#[derive(Debug, Default)]
struct LastAccess {
    path: PathBuf,
    /// The file system has not answered yet.
    is_waiting: bool,
}

/// The result of reading a file.
pub(in crate::config) type ReadResult = Result<Arc<str>, ReadError>;

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct ReadError {
    kind: ErrorKind,
    message: String,
    /// The line and column of the first byte that is not valid UTF-8.
    at: Option<(usize, usize)>,
}

impl ReadError {
    pub(in crate::config) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The mistake to report for this file.
    pub(in crate::config) fn mistake(&self, path: &Path) -> Mistake {
        let place = Place { source: path.display().to_string(), at: self.at };
        Mistake::new(place, format!("the file cannot be read: {self}")).help_if(self.help().map(str::to_string))
    }

    /// How to fix it, unless the message says so.
    pub(super) fn help(&self) -> Option<&'static str> {
        match self.kind {
            ErrorKind::IsADirectory => Some("put a file in its place, or remove it"),
            ErrorKind::PermissionDenied => Some("let the user of the agent read it, and enter each directory above it"),
            ErrorKind::FileTooLarge => Some("check that it is the right file: config has less"),
            ErrorKind::InvalidData | ErrorKind::Other => None,
            _ => Some("look at what it is and where it leads to"),
        }
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        ReadError { kind: error.kind(), message: error.to_string(), at: None }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Results to use instead of accessing files; `None` if a file has not answered.
pub(super) type Substitutes = HashMap<PathBuf, Option<ReadResult>>;

impl At {
    /// These results are used instead of accessing the files.
    pub(in crate::config) fn with_substitutes(files: Substitutes) -> Self {
        At { last_access: Arc::default(), instead: Arc::new(files) }
    }

    /// Neither these files nor anything in these directories is accessed; nothing is known about them.
    pub(crate) fn without(paths: &[PathBuf]) -> Self {
        At::with_substitutes(paths.iter().map(|path| (path.clone(), None)).collect())
    }

    /// Runs a closure, and records each file that is accessed meanwhile on this thread.
    pub(crate) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        /// Ends the recording, even if the closure panics.
        struct StopRecording;
        impl Drop for StopRecording {
            fn drop(&mut self) {
                RECORDER.set(None);
            }
        }
        RECORDER.set(Some(self.clone()));
        let _done = StopRecording;
        run()
    }

    /// The file that was accessed last.
    pub(crate) fn path(&self) -> PathBuf {
        self.last_access().path.clone()
    }

    /// The file that has not answered yet.
    pub(crate) fn waits_for(&self) -> Option<PathBuf> {
        let last_access = self.last_access();
        last_access.is_waiting.then(|| last_access.path.clone())
    }

    fn last_access(&self) -> MutexGuard<'_, LastAccess> {
        self.last_access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn substitute_for(&self, path: &Path) -> Option<Option<ReadResult>> {
        let in_silence = || path.ancestors().skip(1).any(|dir| self.instead.get(dir) == Some(&None));
        self.instead.get(path).cloned().or_else(|| in_silence().then_some(None))
    }
}

/// The result to use instead of accessing this file, if there is one.
fn instead(path: &Path) -> Option<Option<ReadResult>> {
    RECORDER.with_borrow(|here| here.as_ref().and_then(|at| at.substitute_for(path)))
}

/// Accesses the file system. Meanwhile other threads can see for which file.
pub(crate) fn recorded<T>(path: &Path, ask: impl FnOnce() -> T) -> T {
    let Some(at) = RECORDER.with_borrow(Clone::clone) else { return ask() };
    path.clone_into(&mut at.last_access().path);
    at.last_access().is_waiting = true;
    let answer = ask();
    at.last_access().is_waiting = false;
    answer
}

/// When the file was last modified; `None` if that is unknown.
pub(in crate::config) fn modified(path: &Path) -> Option<SystemTime> {
    match instead(path) {
        Some(_) => None,
        None => recorded(path, || fs::metadata(path)).and_then(|file| file.modified()).ok(),
    }
}

/// Is there anything of this name? If that cannot be determined, yes: then reading it reports why.
pub(crate) fn is_there(path: &Path) -> bool {
    match instead(path) {
        Some(instead) => instead.is_some(),
        None => !matches!(recorded(path, || fs::metadata(path)), Err(error) if error.kind() == ErrorKind::NotFound),
    }
}

/// Is this a file that has not answered, so that nothing is known about it?
pub(in crate::config) fn is_silent(path: &Path) -> bool {
    instead(path) == Some(None)
}

/// Is there a symbolic link of this name, wherever it leads?
pub(in crate::config) fn is_link(path: &Path) -> bool {
    instead(path).is_none() && recorded(path, || path.is_symlink())
}

/// Is it a directory? If that cannot be determined, yes: then entering it reports why.
pub(crate) fn is_dir(dir: &Path) -> bool {
    if is_silent(dir) {
        return true;
    }
    match recorded(dir, || fs::metadata(dir)) {
        Ok(metadata) => metadata.is_dir(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Checks that this is a directory that may be entered.
///
/// # Errors
/// It is not, or there is none.
pub(in crate::config) fn check_dir(dir: &Path) -> io::Result<()> {
    // Nothing is known about a directory that does not answer.
    if is_silent(dir) {
        return Ok(());
    }
    // It accesses `.` in the directory, so that a directory that may not be entered is reported once, and not for each
    // of its files.
    recorded(dir, || fs::metadata(dir.join(".")).map(drop))
}

/// The paths of the entries of a directory.
///
/// # Errors
/// It cannot be listed.
pub(in crate::config) fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    if is_silent(dir) {
        return Err(ErrorKind::TimedOut.into());
    }
    recorded(dir, || fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect())
}

/// Reads a file. It does not wait for a pipe's writer, nor read a device to its end.
///
/// # Errors
/// It cannot be read, or is no regular file of a size that config may have.
pub(in crate::config) fn read(path: &Path) -> ReadResult {
    match instead(path) {
        Some(instead) => instead.unwrap_or_else(|| Err(Error::from(ErrorKind::NotFound).into())),
        None => text(recorded(path, || read_bytes(path))?),
    }
}

fn text(bytes: Vec<u8>) -> ReadResult {
    String::from_utf8(bytes).map(Arc::from).map_err(|error| {
        let right = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let at = Some(line_and_column(&right, right.len()));
        ReadError { at, ..Error::new(ErrorKind::InvalidData, "it is not UTF-8: save it as such").into() }
    })
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a directory"));
    }
    if is_null(&metadata) {
        return Ok(Vec::new());
    }
    if !metadata.is_file() {
        return Err(Error::other("it is a pipe, a socket or a device: put what it says into a file"));
    }
    let mut bytes = Vec::new();
    // Some files have no size in their metadata, and some grow.
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it has more than {LONGEST} bytes")));
    }
    Ok(bytes)
}

/// Is it `/dev/null` (or a link to it)? That often stands for an empty file.
fn is_null(metadata: &Metadata) -> bool {
    let is_same = |null: Metadata| null.file_type().is_char_device() && null.rdev() == metadata.rdev();
    metadata.file_type().is_char_device() && fs::metadata("/dev/null").is_ok_and(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cninfra_testbed::Folder;
    use std::{os::unix::fs::symlink, process::Command, sync::mpsc::channel, thread, time::Duration};

    /// The result of reading the file, which must not block.
    fn read_in_time(path: &Path) -> Result<String, String> {
        let (sender, receiver) = channel();
        let path = path.to_path_buf();
        thread::spawn(move || {
            sender.send(read(&path).map(|text| text.to_string()).map_err(|failed| failed.to_string()))
        });
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
        for (name, message) in [
            ("pipe", "it is a pipe, a socket or a device: put what it says into a file"),
            ("zero", "it is a pipe, a socket or a device: put what it says into a file"),
            ("loop", "Too many levels of symbolic links (os error 40)"),
            ("long", "it has more than 1048576 bytes"),
            ("latin1", "it is not UTF-8: save it as such"),
            ("folder", "it is a directory"),
        ] {
            assert_eq!(read_in_time(&at(name)), Err(message.to_string()), "{name}");
        }
        assert_eq!(read(&at("dangling")).unwrap_err().kind(), ErrorKind::NotFound);
        fs::write(at("latin1"), b"name: x\n\xc3\xa9 \xe9").unwrap();
        let message = read(&at("latin1")).unwrap_err().mistake(&at("latin1")).to_string();
        assert!(
            message.ends_with("latin1:2:3: the file cannot be read: it is not UTF-8: save it as such"),
            "{message}"
        );
        for (name, mend) in [
            ("folder", Some("put a file")),
            ("long", Some("check that it is the right file")),
            ("loop", Some("look at what it is")),
            // These messages say how to fix it.
            ("pipe", None),
            ("latin1", None),
        ] {
            let help = read(&at(name)).unwrap_err().help();
            assert_eq!(
                (help.is_some(), help.is_some_and(|help| help.starts_with(mend.unwrap_or("")))),
                (mend.is_some(), mend.is_some()),
                "{name}"
            );
        }
        fs::write(at("right"), vec![b'#'; longest]).unwrap();
        assert_eq!(
            (read_in_time(&at("right")).unwrap().len(), read_in_time(&at("null"))),
            (longest, Ok(String::new()))
        );
    }

    #[test]
    fn only_a_link_is_one() {
        let folder = Folder::new();
        let at = |name: &str| folder.path().join(name);
        folder.write("file", "");
        symlink("nosuch", at("dangling")).unwrap();
        assert_eq!(["file", "dangling", "none", ""].map(|name| is_link(&at(name))), [false, true, false, false]);
    }
}
