//! [`Patience`]: reads the config files again while the agent runs, and waits a limited time for each read.

use super::{
    search::{Again, Silent},
    within::{Unanswered, Unread, within},
};
use crate::{
    Error,
    config::{Reload, Reloader},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long one look waits for the files.
const ANSWERS: Duration = Duration::from_secs(5);

/// The limit of a look, and the files that did not answer within it: they are left out until they answer.
pub(super) struct Patience {
    limit: Duration,
    silent: Vec<Silent>,
}

/// The result of a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Looked {
    /// The change in the files that answer; `None` if it is not known which these are.
    pub(super) reload: Option<Reload>,
    /// Files that answered before, but not this time.
    pub(super) fell_silent: Vec<PathBuf>,
    /// Files that answer again.
    pub(super) answer: Vec<PathBuf>,
}

impl Default for Patience {
    fn default() -> Self {
        Patience::of(ANSWERS)
    }
}

impl Patience {
    pub(super) fn of(limit: Duration) -> Self {
        Patience { limit, silent: Vec::new() }
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// The files that do not answer.
    pub(super) fn silent(&self) -> impl Iterator<Item = &Path> {
        self.silent.iter().map(|silent| &*silent.path)
    }

    /// Reads the files. Those that do not answer count as unchanged.
    ///
    /// # Errors
    /// The files cannot be read at all, because there is no thread to read them on, or because reading panicked.
    ///
    /// # Cancel safety
    /// Cancel safe: the next look sees what this one would have seen.
    pub(super) async fn look(&mut self, reloader: &mut Reloader) -> Result<Looked, Error> {
        let mut looked = Looked::default();
        let answer = self.silent.extract_if(.., |silent| !silent.is_silent());
        looked.answer = answer.map(|silent| silent.path).collect();
        // Without the directory, it is not known which files there are.
        while !self.silent().any(|path| path == reloader.dir()) {
            let (at, reads) = (reloader.instead_of(self.silent()), reloader.clone());
            let silent = match within(self.limit, at, move || reads.read(), self.again(reloader)).await {
                Ok(read) => {
                    looked.reload = Some(reloader.judge(read));
                    break;
                }
                Err(Unread::Silent(Unanswered { silent, .. })) => silent,
                Err(Unread::Failed(error)) => return Err(error),
            };
            for silent in silent {
                if looked.answer.contains(&silent.path) {
                    looked.answer.retain(|answer| *answer != silent.path);
                } else {
                    looked.fell_silent.push(silent.path.clone());
                }
                self.silent.push(silent);
            }
        }
        Ok(looked)
    }

    /// Reads the files without some more of them. The result is dropped: the next look reads the files again.
    fn again(&self, reloader: &Reloader) -> Again<()> {
        let (reloader, silent) = (reloader.clone(), self.silent().map(Path::to_path_buf).collect::<Vec<_>>());
        Box::new(move |without| {
            // Without the directory, it is not known which files there are.
            if without.iter().any(|path| path == reloader.dir()) {
                return None;
            }
            let (at, reads) = (reloader.instead_of(silent.iter().chain(without).map(|path| &**path)), reloader.clone());
            Some((at, Box::new(move || drop(reads.read()))))
        })
    }
}

#[cfg(all(test, feature = "testing"))]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;
    use crate::{
        agent::files::reading::Reading,
        config::{At, Known, Live, Secret, Section as _},
    };
    use cninfra_testbed::{Folder, Silent};
    use std::time::Instant;

    /// Long enough for files that do answer, even on a busy machine.
    const LIMIT: Duration = Duration::from_secs(1);

    #[derive(Default, serde::Serialize, serde::Deserialize)]
    #[serde(default)]
    struct Pair {
        a: u8,
        password: Secret,
    }

    /// Waits until no thread waits for a file any more.
    async fn all_come_back(patience: &Patience) {
        let until = Instant::now() + Duration::from_secs(20);
        while patience.silent.iter().any(|silent| silent.reading.waits_for().is_some()) {
            assert!(Instant::now() < until, "the thread does not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_file_that_does_not_answer_is_left_out_and_the_others_are_followed() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1\npassword-file: password");
        folder.write("other.conf", "a: 1");
        folder.write("password", "hunter2");
        let known = Known::none().with("one", <Live<Pair>>::META).with("other", <Live<Pair>>::META);
        let (config, mut reloader) = Reloader::in_dir(folder.path(), known);
        let (one, other) =
            (<Live<Pair>>::__read(&config, "one").unwrap(), <Live<Pair>>::__read(&config, "other").unwrap());
        let mut patience = Patience::of(LIMIT);
        for file in ["one.conf", "password"] {
            let path = folder.path().join(file);
            let silent = Silent::file(&path);
            folder.write("other.conf", if file == "password" { "a: 3" } else { "a: 2" });
            let told = patience.look(&mut reloader).await.unwrap();
            let fell_silent =
                Looked { reload: Some(Reload::Unsettled), fell_silent: vec![path.clone()], answer: vec![] };
            assert_eq!(told, fell_silent);
            // The file is reported once, and not waited for again.
            let began = Instant::now();
            let taken = Some(Reload::Taken { live: vec!["other"], fixed: vec![], later: vec![], odd: vec![] });
            let told = patience.look(&mut reloader).await.unwrap();
            assert_eq!(told, Looked { reload: taken, ..Looked::default() });
            assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
            assert_eq!((one.get().a, one.get().password.reveal().as_str()), (1, "hunter2"));
            assert_eq!(other.get().a, if file == "password" { 3 } else { 2 });
            drop(silent);
            all_come_back(&patience).await;
            let told = patience.look(&mut reloader).await.unwrap();
            assert_eq!(told, Looked { reload: Some(Reload::Same), fell_silent: vec![], answer: vec![path] });
        }
        folder.write("one.conf", "a: 7\npassword-file: password");
        patience.look(&mut reloader).await.unwrap();
        patience.look(&mut reloader).await.unwrap();
        assert_eq!(one.get().a, 7);
    }

    #[tokio::test]
    async fn all_files_are_waited_for_within_one_limit() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1\npassword-file: password");
        folder.write("other.conf", "a: 1\npassword-file: secret");
        folder.write("fixed.conf", "a: 1");
        let files = ["other.conf", "password", "secret"].map(|name| folder.path().join(name));
        files[1..].iter().for_each(|secret| std::fs::write(secret, "hunter2").unwrap());
        let known = Known::none().with("fixed", Pair::META).with("one", <Live<Pair>>::META);
        let (config, mut reloader) = Reloader::in_dir(folder.path(), known.with("other", <Live<Pair>>::META));
        let one = <Live<Pair>>::__read(&config, "one").unwrap();
        let silent = files.clone().map(Silent::file);
        let mut late = Silent::file(folder.path().join("fixed.conf"));
        let late = std::thread::spawn(move || {
            late.asked();
            std::thread::sleep(Duration::from_millis(500));
        });
        folder.write("one.conf", "a: 2\npassword-file: password");
        let limit = Duration::from_secs(2);
        let (mut patience, began) = (Patience::of(limit), Instant::now());
        let mut told = patience.look(&mut reloader).await.unwrap();
        let took = began.elapsed();
        assert!((limit..limit * 2).contains(&took), "{took:?}");
        told.fell_silent.sort();
        assert_eq!(told, Looked { reload: Some(Reload::Unsettled), fell_silent: files.to_vec(), answer: vec![] });
        assert_eq!(patience.look(&mut reloader).await.unwrap(), taken(&["one"], &[]));
        assert_eq!((one.get().a, patience.silent().count()), (2, 3));
        late.join().unwrap();
        drop(silent);
        all_come_back(&patience).await;
        let mut told = patience.look(&mut reloader).await.unwrap();
        told.answer.sort();
        assert_eq!(told, Looked { reload: Some(Reload::Same), fell_silent: vec![], answer: files.to_vec() });
    }

    #[tokio::test]
    async fn a_file_that_answers_within_the_limit_is_not_left_out() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1");
        let (one, mut reloader) = one_and_fixed(&folder);
        folder.write("one.conf", "a: 2");
        let mut silent = Silent::file(folder.path().join("one.conf"));
        // This is longer than it takes until the other files are read without this one.
        let answers = std::thread::spawn(move || {
            silent.asked();
            std::thread::sleep(Duration::from_secs(1));
        });
        let mut patience = Patience::of(Duration::from_secs(10));
        let told = patience.look(&mut reloader).await.unwrap();
        assert_eq!(told, Looked { reload: Some(Reload::Unsettled), ..Looked::default() });
        assert_eq!(patience.look(&mut reloader).await.unwrap(), taken(&["one"], &[]));
        assert_eq!(one.get().a, 2);
        answers.join().unwrap();
    }

    #[tokio::test]
    async fn while_the_directory_does_not_answer_nothing_is_followed() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1");
        let known = Known::none().with("one", <Live<Pair>>::META);
        let (config, mut reloader) = Reloader::in_dir(folder.path(), known);
        let one = <Live<Pair>>::__read(&config, "one").unwrap();
        let (mut patience, dir) = (Patience::of(Duration::from_secs(20)), folder.path().to_path_buf());
        // As if an earlier look at the directory had not returned yet.
        let (answer, answered) = std::sync::mpsc::channel::<()>();
        let waits = move || (crate::config::is_dir(&dir), answered.recv().is_err());
        let reading = Reading::begin(At::default(), waits, drop).unwrap();
        patience.silent.push(super::Silent { path: folder.path().into(), reading });
        while !patience.silent[0].is_silent() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        folder.write("one.conf", "a: 2");
        for _ in 0..3 {
            assert_eq!(patience.look(&mut reloader).await.unwrap(), Looked::default());
        }
        assert_eq!((one.get().a, patience.silent().count()), (1, 1));
        drop(answer);
        all_come_back(&patience).await;
        let answers =
            Looked { reload: Some(Reload::Unsettled), answer: vec![folder.path().into()], ..Looked::default() };
        assert_eq!(patience.look(&mut reloader).await.unwrap(), answers);
        patience.look(&mut reloader).await.unwrap();
        assert_eq!(one.get().a, 2);
    }

    /// A live section from `one.conf`, and a reloader of it and of `fixed.conf`, whose section does not follow its
    /// file.
    fn one_and_fixed(folder: &Folder) -> (Live<Pair>, Reloader) {
        let known = Known::none().with("one", <Live<Pair>>::META).with("fixed", Pair::META);
        let (config, reloader) = Reloader::in_dir(folder.path(), known);
        (<Live<Pair>>::__read(&config, "one").unwrap(), reloader)
    }

    /// The result of the look at which the new content has settled.
    async fn settled(reloader: &mut Reloader) -> Looked {
        let mut patience = Patience::of(LIMIT);
        let first = patience.look(reloader).await.unwrap();
        if first.reload == Some(Reload::Unsettled) { patience.look(reloader).await.unwrap() } else { first }
    }

    fn taken(live: &[&'static str], fixed: &[&'static str]) -> Looked {
        let taken = Reload::Taken { live: live.to_vec(), fixed: fixed.to_vec(), later: vec![], odd: vec![] };
        Looked { reload: Some(taken), ..Looked::default() }
    }

    #[tokio::test]
    async fn the_secret_of_a_section_that_follows_no_file_holds_up_nobody() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1");
        folder.write("fixed.conf", "password-file: password");
        folder.write("password", "hunter2");
        let (one, mut reloader) = one_and_fixed(&folder);
        let silent = Silent::file(folder.path().join("password"));
        folder.write("one.conf", "a: 2");
        assert_eq!(settled(&mut reloader).await, taken(&["one"], &[]));
        assert_eq!(one.get().a, 2);
        // The rest of the section's new content still has to be valid.
        folder.write("one.conf", "a: 3");
        folder.write("fixed.conf", "a: x\npassword-file: password");
        let looked = settled(&mut reloader).await;
        let Some(Reload::Refused(words)) = looked.reload else { panic!("{looked:?}") };
        assert!(words.len() == 1 && words[0].contains("key `fixed.a` takes"), "{words:?}");
        folder.write("fixed.conf", "a: 1\npassword-file: password");
        assert_eq!(settled(&mut reloader).await.reload, taken(&["one"], &["fixed"]).reload);
        assert_eq!(one.get().a, 3);
        // If the secret is then missing, that is not an error either.
        drop(silent);
        std::fs::remove_file(folder.path().join("password")).unwrap();
        folder.write("one.conf", "a: 4");
        assert_eq!(settled(&mut reloader).await, taken(&["one"], &[]));
    }

    #[tokio::test]
    async fn what_was_refused_stays_refused_while_it_does_not_answer() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1\npassword-file: password");
        folder.write("password", "hunter2");
        let (one, mut reloader) = one_and_fixed(&folder);
        for (file, wrong, right, what) in [
            ("one.conf", "a: x", "a: 1\npassword-file: password", "key `one.a` takes"),
            ("password", &*"x".repeat(2 << 20), "hunter2", "password cannot be read: it has more than"),
        ] {
            folder.write(file, wrong);
            let Some(Reload::Refused(words)) = settled(&mut reloader).await.reload else { panic!("it is taken in") };
            assert!(words.len() == 1 && words[0].contains(what), "{words:?}");
            let mut patience = Patience::of(LIMIT);
            let path = folder.path().join(file);
            let silent = Silent::file(&path);
            let told = patience.look(&mut reloader).await.unwrap();
            let still = Looked { reload: Some(Reload::StillRefused(words)), fell_silent: vec![path], answer: vec![] };
            assert_eq!(told, still);
            assert_eq!(patience.look(&mut reloader).await.unwrap(), Looked { fell_silent: vec![], ..still });
            drop(silent);
            folder.write(file, right);
            assert_eq!(settled(&mut reloader).await.reload, Some(Reload::Mended));
        }
        assert_eq!((one.get().a, one.get().password.reveal().as_str()), (1, "hunter2"));
    }

    #[tokio::test]
    async fn a_new_secret_that_does_not_answer_is_not_told_to_be_missing() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1");
        folder.write("password", "hunter2");
        let (one, mut reloader) = one_and_fixed(&folder);
        let path = folder.path().join("password");
        let silent = Silent::file(&path);
        folder.write("one.conf", "a: 2\npassword-file: password");
        let mut patience = Patience::of(LIMIT);
        let told = patience.look(&mut reloader).await.unwrap();
        assert_eq!(told, Looked { reload: Some(Reload::Unsettled), fell_silent: vec![path.clone()], answer: vec![] });
        assert!(!reloader.has_read(&path) && reloader.has_read(&folder.path().join("one.conf")));
        let looked = patience.look(&mut reloader).await.unwrap();
        let Some(Reload::Refused(words)) = looked.reload else { panic!("{looked:?}") };
        let what = format!("one.conf:2:16: key `one.password-file`: the file {} does not answer", path.display());
        assert!(words.len() == 1 && words[0].contains(&what), "{words:?}");
        drop(silent);
        assert_eq!(settled(&mut reloader).await.reload, taken(&["one"], &[]).reload);
        assert_eq!((one.get().a, one.get().password.reveal().as_str()), (2, "hunter2"));
    }

    #[tokio::test]
    async fn a_secret_that_is_named_no_more_is_not_asked() {
        let folder = Folder::new();
        folder.write("one.conf", "a: 1\npassword-file: before");
        folder.write("before", "hunter1");
        folder.write("now", "hunter2");
        let (one, mut reloader) = one_and_fixed(&folder);
        let _silent = Silent::file(folder.path().join("before"));
        folder.write("one.conf", "a: 1\npassword-file: now");
        let began = Instant::now();
        assert_eq!(settled(&mut reloader).await, taken(&["one"], &[]));
        assert!(began.elapsed() < Duration::from_secs(10), "the runtime waited for it: {:?}", began.elapsed());
        assert_eq!(one.get().password.reveal(), "hunter2");
    }
}
