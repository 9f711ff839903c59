//! Reads the files that config is in, and that it names: regular ones of a size that config has.

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

/// As much as a ConfigMap and a Secret of Kubernetes have.
const LONGEST: u64 = 1 << 20;

thread_local! {
    static HERE: RefCell<Option<At>> = const { RefCell::new(None) };
}

/// Which file a thread looks at, to be asked by another one: a file system may not answer. And what is said in the place of files that are
/// not asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct At {
    looks: Arc<Mutex<Looks>>,
    instead: Arc<Instead>,
}

#[derive(Debug, Default)]
struct Looks {
    path: PathBuf,
    /// The file system has not answered yet.
    waits: bool,
}

/// What came of reading a file.
pub(in crate::config) type Held = Result<Arc<str>, Failed>;

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Failed {
    kind: ErrorKind,
    words: String,
    /// The line and the column that are no text.
    at: Option<(usize, usize)>,
}

impl Failed {
    pub(in crate::config) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// That such a file can not be read.
    pub(in crate::config) fn mistake(&self, path: &Path) -> Mistake {
        let place = Place { source: path.display().to_string(), at: self.at };
        Mistake::new(place, format!("the file cannot be read: {self}")).help_if(self.help().map(str::to_string))
    }

    /// The mend, where the words do not say it.
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

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed { kind: error.kind(), words: error.to_string(), at: None }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// What came of reading files, without asking them; `None` is one that has not been read.
pub(super) type Instead = HashMap<PathBuf, Option<Held>>;

impl At {
    /// These files are not asked.
    pub(in crate::config) fn instead_of(files: Instead) -> Self {
        At { looks: Arc::default(), instead: Arc::new(files) }
    }

    /// Nothing is known of these files, and of what is in these directories; they are not asked.
    pub(crate) fn without(paths: &[PathBuf]) -> Self {
        At::instead_of(paths.iter().map(|path| (path.clone(), None)).collect())
    }

    /// Runs, and notes each file that is looked at meanwhile on this thread.
    pub(crate) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        /// Also where it panics.
        struct Done;
        impl Drop for Done {
            fn drop(&mut self) {
                HERE.set(None);
            }
        }
        HERE.set(Some(self.clone()));
        let _done = Done;
        run()
    }

    /// The last one.
    pub(crate) fn path(&self) -> PathBuf {
        self.looks().path.clone()
    }

    /// The one that is waited for: it has not answered yet.
    pub(crate) fn waits_for(&self) -> Option<PathBuf> {
        let looks = self.looks();
        looks.waits.then(|| looks.path.clone())
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instead_of_path(&self, path: &Path) -> Option<Option<Held>> {
        let in_silence = || path.ancestors().skip(1).any(|dir| self.instead.get(dir) == Some(&None));
        self.instead.get(path).cloned().or_else(|| in_silence().then_some(None))
    }
}

/// What this file holds, where it is not to be asked.
fn instead(path: &Path) -> Option<Option<Held>> {
    HERE.with_borrow(|here| here.as_ref().and_then(|at| at.instead_of_path(path)))
}

/// Asks the file system for this file: who looks from another thread sees it meanwhile.
pub(crate) fn asking<T>(path: &Path, ask: impl FnOnce() -> T) -> T {
    let Some(at) = HERE.with_borrow(Clone::clone) else { return ask() };
    path.clone_into(&mut at.looks().path);
    at.looks().waits = true;
    let answer = ask();
    at.looks().waits = false;
    answer
}

/// When it was last written to; `None` where there is no file, or no clock.
pub(in crate::config) fn modified(path: &Path) -> Option<SystemTime> {
    match instead(path) {
        Some(_) => None,
        None => asking(path, || fs::metadata(path)).and_then(|file| file.modified()).ok(),
    }
}

/// Is there anything of this name? What can not be looked at is told when it is read.
pub(crate) fn is_there(path: &Path) -> bool {
    match instead(path) {
        Some(instead) => instead.is_some(),
        None => !matches!(asking(path, || fs::metadata(path)), Err(error) if error.kind() == ErrorKind::NotFound),
    }
}

/// Has it not answered, so that nothing is known of it?
pub(in crate::config) fn is_silent(path: &Path) -> bool {
    instead(path) == Some(None)
}

/// Is there a link of this name, wherever it leads to?
pub(in crate::config) fn is_link(path: &Path) -> bool {
    instead(path).is_none() && asking(path, || path.is_symlink())
}

/// Is it a directory? One that can not be looked at is told when it is entered.
pub(crate) fn is_dir(dir: &Path) -> bool {
    if is_silent(dir) {
        return true;
    }
    match asking(dir, || fs::metadata(dir)) {
        Ok(metadata) => metadata.is_dir(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Is it a directory that may be entered?
///
/// # Errors
/// It is not, or there is none.
pub(in crate::config) fn enter(dir: &Path) -> io::Result<()> {
    // of one that does not answer nothing is known
    if is_silent(dir) {
        return Ok(());
    }
    // what is in it, so that one that may not be entered is told once, and not for each of its files
    asking(dir, || fs::metadata(dir.join(".")).map(drop))
}

/// The paths of what is in a directory.
///
/// # Errors
/// It can not be listed.
pub(in crate::config) fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    if is_silent(dir) {
        return Err(ErrorKind::TimedOut.into());
    }
    asking(dir, || fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect())
}

/// Reads a file. It neither waits for the writer of a pipe nor reads a device to its end.
///
/// # Errors
/// It can not be read, or should not be.
pub(in crate::config) fn read(path: &Path) -> Held {
    match instead(path) {
        Some(instead) => instead.unwrap_or_else(|| Err(Error::from(ErrorKind::NotFound).into())),
        None => text(asking(path, || ask(path))?),
    }
}

fn text(bytes: Vec<u8>) -> Held {
    String::from_utf8(bytes).map(Arc::from).map_err(|error| {
        let right = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let at = Some(line_and_column(&right, right.len()));
        Failed { at, ..Error::new(ErrorKind::InvalidData, "it is not UTF-8: save it as such").into() }
    })
}

fn ask(path: &Path) -> io::Result<Vec<u8>> {
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
    // some tell no size, and some grow
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it has more than {LONGEST} bytes")));
    }
    Ok(bytes)
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
        fs::write(at("latin1"), b"name: x\n\xc3\xa9 \xe9").unwrap();
        let told = read(&at("latin1")).unwrap_err().mistake(&at("latin1")).to_string();
        assert!(told.ends_with("latin1:2:3: the file cannot be read: it is not UTF-8: save it as such"), "{told}");
        for (name, mend) in [
            ("folder", Some("put a file")),
            ("long", Some("check that it is the right file")),
            ("loop", Some("look at what it is")),
            // these words are the mend
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
