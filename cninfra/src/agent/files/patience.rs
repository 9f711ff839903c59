//! [`ConfigPoller`]: reads the config files again while the agent runs, and waits a limited time for each read.

use super::{
    search::{ReadWithout, UnresponsiveFile},
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

/// How long one poll waits for the files.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The limit of a poll, and the files that did not answer within it: they are left out until they answer.
pub(super) struct ConfigPoller {
    limit: Duration,
    unresponsive: Vec<UnresponsiveFile>,
}

/// The result of a poll.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PollResult {
    /// The change in the files that answer; `None` if it is not known which these are.
    pub(super) reload: Option<Reload>,
    /// Files that answered before, but not this time.
    pub(super) newly_unresponsive: Vec<PathBuf>,
    /// Files that answer again.
    pub(super) responsive_again: Vec<PathBuf>,
}

impl Default for ConfigPoller {
    fn default() -> Self {
        ConfigPoller::of(ANSWER_LIMIT)
    }
}

impl ConfigPoller {
    pub(super) fn of(limit: Duration) -> Self {
        ConfigPoller { limit, unresponsive: Vec::new() }
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// The files that do not answer.
    pub(super) fn unresponsive(&self) -> impl Iterator<Item = &Path> {
        self.unresponsive.iter().map(|unresponsive| &*unresponsive.path)
    }

    /// Reads the files. Those that do not answer count as unchanged.
    ///
    /// # Errors
    /// The files cannot be read at all, because there is no thread to read them on, or because reading panicked.
    ///
    /// # Cancel safety
    /// Cancel safe: the next poll sees what this one would have seen.
    pub(super) async fn poll(&mut self, reloader: &mut Reloader) -> Result<PollResult, Error> {
        let mut result = PollResult::default();
        let responsive_again = self.unresponsive.extract_if(.., |unresponsive| !unresponsive.is_unresponsive());
        result.responsive_again = responsive_again.map(|unresponsive| unresponsive.path).collect();
        // Without the directory, it is not known which files there are.
        while !self.unresponsive().any(|path| path == reloader.dir()) {
            let (at, reader) = (reloader.instead_of(self.unresponsive()), reloader.clone());
            let unresponsive = match within(self.limit, at, move || reader.read(), self.read_without(reloader)).await {
                Ok(read) => {
                    result.reload = Some(reloader.judge(read));
                    break;
                }
                Err(Unread::Unresponsive(Unanswered { unresponsive, .. })) => unresponsive,
                Err(Unread::Failed(error)) => return Err(error),
            };
            for unresponsive in unresponsive {
                if result.responsive_again.contains(&unresponsive.path) {
                    result.responsive_again.retain(|path| *path != unresponsive.path);
                } else {
                    result.newly_unresponsive.push(unresponsive.path.clone());
                }
                self.unresponsive.push(unresponsive);
            }
        }
        Ok(result)
    }

    /// Reads the files without some more of them. The result is dropped: the next poll reads the files again.
    fn read_without(&self, reloader: &Reloader) -> ReadWithout<()> {
        let (reloader, unresponsive) =
            (reloader.clone(), self.unresponsive().map(Path::to_path_buf).collect::<Vec<_>>());
        Box::new(move |without| {
            // Without the directory, it is not known which files there are.
            if without.iter().any(|path| path == reloader.dir()) {
                return None;
            }
            let (at, reader) =
                (reloader.instead_of(unresponsive.iter().chain(without).map(|path| &**path)), reloader.clone());
            Some((at, Box::new(move || drop(reader.read()))))
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
    async fn all_come_back(poller: &ConfigPoller) {
        let until = Instant::now() + Duration::from_secs(20);
        while poller.unresponsive.iter().any(|unresponsive| unresponsive.reading.waits_for().is_some()) {
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
        let mut poller = ConfigPoller::of(LIMIT);
        for file in ["one.conf", "password"] {
            let path = folder.path().join(file);
            let silent = Silent::file(&path);
            folder.write("other.conf", if file == "password" { "a: 3" } else { "a: 2" });
            let told = poller.poll(&mut reloader).await.unwrap();
            let newly_unresponsive = PollResult {
                reload: Some(Reload::Unsettled),
                newly_unresponsive: vec![path.clone()],
                responsive_again: vec![],
            };
            assert_eq!(told, newly_unresponsive);
            // The file is reported once, and not waited for again.
            let began = Instant::now();
            let taken = Some(Reload::Taken { live: vec!["other"], fixed: vec![], later: vec![], odd: vec![] });
            let told = poller.poll(&mut reloader).await.unwrap();
            assert_eq!(told, PollResult { reload: taken, ..PollResult::default() });
            assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
            assert_eq!((one.get().a, one.get().password.reveal().as_str()), (1, "hunter2"));
            assert_eq!(other.get().a, if file == "password" { 3 } else { 2 });
            drop(silent);
            all_come_back(&poller).await;
            let told = poller.poll(&mut reloader).await.unwrap();
            assert_eq!(
                told,
                PollResult { reload: Some(Reload::Same), newly_unresponsive: vec![], responsive_again: vec![path] }
            );
        }
        folder.write("one.conf", "a: 7\npassword-file: password");
        poller.poll(&mut reloader).await.unwrap();
        poller.poll(&mut reloader).await.unwrap();
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
            late.wait_for_open();
            std::thread::sleep(Duration::from_millis(500));
        });
        folder.write("one.conf", "a: 2\npassword-file: password");
        let limit = Duration::from_secs(2);
        let (mut poller, began) = (ConfigPoller::of(limit), Instant::now());
        let mut told = poller.poll(&mut reloader).await.unwrap();
        let took = began.elapsed();
        assert!((limit..limit * 2).contains(&took), "{took:?}");
        told.newly_unresponsive.sort();
        assert_eq!(
            told,
            PollResult {
                reload: Some(Reload::Unsettled),
                newly_unresponsive: files.to_vec(),
                responsive_again: vec![]
            }
        );
        assert_eq!(poller.poll(&mut reloader).await.unwrap(), taken(&["one"], &[]));
        assert_eq!((one.get().a, poller.unresponsive().count()), (2, 3));
        late.join().unwrap();
        drop(silent);
        all_come_back(&poller).await;
        let mut told = poller.poll(&mut reloader).await.unwrap();
        told.responsive_again.sort();
        assert_eq!(
            told,
            PollResult { reload: Some(Reload::Same), newly_unresponsive: vec![], responsive_again: files.to_vec() }
        );
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
            silent.wait_for_open();
            std::thread::sleep(Duration::from_secs(1));
        });
        let mut poller = ConfigPoller::of(Duration::from_secs(10));
        let told = poller.poll(&mut reloader).await.unwrap();
        assert_eq!(told, PollResult { reload: Some(Reload::Unsettled), ..PollResult::default() });
        assert_eq!(poller.poll(&mut reloader).await.unwrap(), taken(&["one"], &[]));
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
        let (mut poller, dir) = (ConfigPoller::of(Duration::from_secs(20)), folder.path().to_path_buf());
        // As if an earlier poll of the directory had not returned yet.
        let (answer, answered) = std::sync::mpsc::channel::<()>();
        let waits = move || (crate::config::is_dir(&dir), answered.recv().is_err());
        let reading = Reading::begin(At::default(), waits, drop).unwrap();
        poller.unresponsive.push(super::UnresponsiveFile { path: folder.path().into(), reading });
        while !poller.unresponsive[0].is_unresponsive() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        folder.write("one.conf", "a: 2");
        for _ in 0..3 {
            assert_eq!(poller.poll(&mut reloader).await.unwrap(), PollResult::default());
        }
        assert_eq!((one.get().a, poller.unresponsive().count()), (1, 1));
        drop(answer);
        all_come_back(&poller).await;
        let answers = PollResult {
            reload: Some(Reload::Unsettled),
            responsive_again: vec![folder.path().into()],
            ..PollResult::default()
        };
        assert_eq!(poller.poll(&mut reloader).await.unwrap(), answers);
        poller.poll(&mut reloader).await.unwrap();
        assert_eq!(one.get().a, 2);
    }

    /// A live section from `one.conf`, and a reloader of it and of `fixed.conf`, whose section does not follow its
    /// file.
    fn one_and_fixed(folder: &Folder) -> (Live<Pair>, Reloader) {
        let known = Known::none().with("one", <Live<Pair>>::META).with("fixed", Pair::META);
        let (config, reloader) = Reloader::in_dir(folder.path(), known);
        (<Live<Pair>>::__read(&config, "one").unwrap(), reloader)
    }

    /// The result of the poll at which the new content has settled.
    async fn settled(reloader: &mut Reloader) -> PollResult {
        let mut poller = ConfigPoller::of(LIMIT);
        let first = poller.poll(reloader).await.unwrap();
        if first.reload == Some(Reload::Unsettled) { poller.poll(reloader).await.unwrap() } else { first }
    }

    fn taken(live: &[&'static str], fixed: &[&'static str]) -> PollResult {
        let taken = Reload::Taken { live: live.to_vec(), fixed: fixed.to_vec(), later: vec![], odd: vec![] };
        PollResult { reload: Some(taken), ..PollResult::default() }
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
        let result = settled(&mut reloader).await;
        let Some(Reload::Refused(words)) = result.reload else { panic!("{result:?}") };
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
            let mut poller = ConfigPoller::of(LIMIT);
            let path = folder.path().join(file);
            let silent = Silent::file(&path);
            let told = poller.poll(&mut reloader).await.unwrap();
            let still = PollResult {
                reload: Some(Reload::StillRefused(words)),
                newly_unresponsive: vec![path],
                responsive_again: vec![],
            };
            assert_eq!(told, still);
            assert_eq!(poller.poll(&mut reloader).await.unwrap(), PollResult { newly_unresponsive: vec![], ..still });
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
        let mut poller = ConfigPoller::of(LIMIT);
        let told = poller.poll(&mut reloader).await.unwrap();
        assert_eq!(
            told,
            PollResult {
                reload: Some(Reload::Unsettled),
                newly_unresponsive: vec![path.clone()],
                responsive_again: vec![]
            }
        );
        assert!(!reloader.has_read(&path) && reloader.has_read(&folder.path().join("one.conf")));
        let result = poller.poll(&mut reloader).await.unwrap();
        let Some(Reload::Refused(words)) = result.reload else { panic!("{result:?}") };
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
