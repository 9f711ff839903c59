//! [`Reloader`]: reads the files again while the agent runs, and puts changes into effect.

use super::{
    agent_keys::{self, AgentKeyValues},
    checking::Purpose,
    config::Config,
    files::{Files, Stamp, stamp},
    known::{Known, KnownSection},
};
use crate::{
    config::{
        said::{
            entry::Entry,
            file::{self, At, ReadResult},
        },
        written::place::Place,
        wrong::mistake::Mistake,
    },
    foreign,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Follows the config files of an agent.
#[derive(Clone)]
pub(crate) struct Reloader {
    /// The config in force.
    now: Config,
    files: Files,
    known: Known,
    /// What each section consisted of when it last took effect.
    contents: BTreeMap<&'static str, Content>,
    /// What was read last and is not in force yet: the files may still be being written.
    unsettled: Option<(Snapshot, Vec<Stamp>)>,
    /// What was refused last.
    refused: Option<Snapshot>,
    /// The result of reading each file the last time, be it content or an error.
    last_results: BTreeMap<PathBuf, ReadResult>,
}

/// What is compared between two looks: the files with their contents, the mistakes, and what each section consists of.
type Snapshot = (Vec<(PathBuf, ReadResult)>, Vec<Mistake>, BTreeMap<&'static str, Content>);

/// What the files say about a section: its values; of a live one also its secrets and the agent's keys.
#[derive(Clone, Default, PartialEq)]
struct Content {
    values: Vec<String>,
    secrets: Vec<(PathBuf, String)>,
    keys: AgentKeyValues,
}

/// The result of reading the files once.
pub(crate) struct FilesRead {
    new: Config,
    snapshot: Snapshot,
    /// With full messages; those in `snapshot` leave out what a type words differently each time.
    mistakes: Vec<Mistake>,
    stamps: Vec<Stamp>,
    odd: Vec<String>,
}

/// What followed from reading the files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// Nothing has changed.
    Same,
    /// Something has changed: look again, to see whether it stays the same.
    Unsettled,
    /// The changes are in force. `live`: the sections that have changed. `fixed`: changed sections that need a restart
    /// to take effect. `later`: messages about the agent's keys that need one, too. `odd`: warnings.
    Taken { live: Vec<&'static str>, fixed: Vec<&'static str>, later: Vec<String>, odd: Vec<String> },
    /// Something is wrong, so nothing was changed.
    Refused(Vec<String>),
    /// The same mistakes as before.
    StillRefused(Vec<String>),
    /// The mistakes are fixed, and the files say what is in force.
    Mended,
}

impl Reloader {
    /// `None` if no section is live, or there are no files.
    pub(crate) fn new(config: &Config, known: Known) -> Option<Self> {
        let files = config.origin.clone()?;
        if !known.iter().any(|section| section.meta.live) {
            return None;
        }
        let contents = config.all_contents(&known);
        let mut last_results = BTreeMap::new();
        last_results.extend(config.last_results());
        Some(Reloader { now: config.clone(), files, known, contents, unsettled: None, refused: None, last_results })
    }

    /// The config in force.
    pub(crate) fn config(&self) -> &Config {
        &self.now
    }

    /// The names of the live sections.
    pub(crate) fn live(&self) -> Vec<&'static str> {
        self.known.iter().filter(|section| section.meta.live).map(|section| section.name).collect()
    }

    /// The directory of the config files.
    pub(crate) fn dir(&self) -> &Path {
        &self.files.dir
    }

    /// Was this file read, successfully or not?
    pub(crate) fn has_read(&self, path: &Path) -> bool {
        self.last_results.contains_key(path)
    }

    /// Uses the results of the last reading instead of accessing these files.
    pub(crate) fn instead_of<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> At {
        At::with_substitutes(paths.map(|path| (path.to_path_buf(), self.last_results.get(path).cloned())).collect())
    }

    /// Reads the files, which may block. It changes nothing, so a thread that does not return can be abandoned.
    pub(crate) fn read(&self) -> FilesRead {
        // A type that panics does so at each look; that is reported once, like other mistakes, and not logged.
        foreign::quietly(|| self.read_once())
    }

    fn read_once(&self) -> FilesRead {
        let mut new = self.now.without_files();
        let odd = new.read_files(&self.files, &self.known);
        let contents = new.all_contents(&self.known);
        let mut mistakes = self.missing_files(&new);
        // A section that is not live is not checked again while it is unchanged: its secrets do not matter.
        let is_new =
            |section: &KnownSection| section.meta.live || contents.get(section.name) != self.contents.get(section.name);
        mistakes.extend(new.check_sections(&self.known, Purpose::Reload, None, is_new));
        // Times are compared, too: two looks at a file that is repeatedly overwritten may find the same half.
        let secrets = contents.values().flat_map(|content| &content.secrets);
        let stamps = new.stamps.iter().cloned().chain(secrets.filter_map(|(path, _)| stamp(path))).collect();
        let unvarying = mistakes.iter().map(Mistake::unvarying).collect();
        FilesRead { snapshot: (new.texts.clone(), unvarying, contents), mistakes, new, stamps, odd }
    }

    /// Puts what was read into effect if it is new, valid and settled. No file is accessed.
    pub(crate) fn judge(&mut self, read: FilesRead) -> Reload {
        let FilesRead { new, snapshot, mistakes, stamps, odd } = read;
        // A wrong file may have kept another one from being read: for that the last result is kept.
        self.last_results = BTreeMap::new();
        self.last_results.extend(self.now.last_results().chain(new.last_results()));
        if snapshot.1.is_empty() && snapshot.2 == self.contents {
            self.unsettled = None;
            return if self.refused.take().is_some() { Reload::Mended } else { Reload::Same };
        }
        if self.refused.as_ref() == Some(&snapshot) {
            self.unsettled = None;
            return Reload::StillRefused(messages(&mistakes));
        }
        let looked = Some((snapshot, stamps));
        if self.unsettled != looked {
            self.unsettled = looked;
            return Reload::Unsettled;
        }
        self.unsettled = None;
        let Some((snapshot, _)) = looked else { return Reload::Same };
        if !snapshot.1.is_empty() {
            self.refused = Some(snapshot);
            return Reload::Refused(messages(&mistakes));
        }
        self.put_in_force(new, snapshot.2, odd)
    }

    /// Puts valid changes into effect.
    fn put_in_force(&mut self, new: Config, contents: BTreeMap<&'static str, Content>, odd: Vec<String>) -> Reload {
        let changed = |section: &&KnownSection| contents.get(section.name) != self.contents.get(section.name);
        let (live, fixed): (Vec<&KnownSection>, Vec<&KnownSection>) =
            self.known.iter().filter(changed).partition(|section| section.meta.live);
        let names = |sections: Vec<&KnownSection>| sections.into_iter().map(|section| section.name).collect::<Vec<_>>();
        let none = AgentKeyValues::new();
        let later = live.iter().flat_map(|section| {
            let [now, before] = [&contents, &self.contents].map(|contents| contents.get(section.name));
            let [now, before] = [now, before].map(|content| content.map_or(&none, |content| &content.keys));
            agent_keys::restart_warnings(section.name, now, before)
        });
        let later = later.collect();
        let (live, fixed) = (names(live), names(fixed));
        (self.now, self.contents, self.refused) = (new, contents, None);
        // This copy has no followers, so that there is no reference cycle.
        let now = Arc::new(self.now.clone().without_followers());
        if !self.now.followers.put_in_force(&live, &now) {
            // Then the next look finds them changed again.
            live.iter().for_each(|section| drop(self.contents.remove(section)));
        }
        Reload::Taken { live, fixed, later, odd }
    }

    /// Mistakes for files of live sections that have disappeared. That is more likely an accident, or a moment during a
    /// replacement, than a wish for the defaults. It does not matter if the section is not live, or has appeared in
    /// another file.
    fn missing_files(&self, new: &Config) -> Vec<Mistake> {
        // Reading has already reported a missing directory, and missing files that are given by name.
        if file::check_dir(&self.files.dir).is_err() {
            return Vec::new();
        }
        let is_live = |entry: &&Entry| self.known.find(&entry.section).is_some_and(|section| section.meta.live);
        let has_come =
            |section: &str| new.files_of(section).any(|path| !self.now.files_of(section).any(|before| before == path));
        let missed = self.now.files.iter().filter(is_live).filter(|entry| !has_come(&entry.section));
        let files = missed.filter_map(|entry| entry.source.file());
        let mut paths: Vec<_> = files.map(|file| &file.path).collect();
        paths.dedup();
        // A file that exists but cannot be read is reported by `check`.
        let is_there = |path: &PathBuf| new.texts.iter().any(|(read, _)| read == path);
        let gone = paths.into_iter().filter(|path| !is_there(path) && !self.files.is_named(path));
        let mistake = |path: &PathBuf| {
            let place = Place { source: path.display().to_string(), at: None };
            Mistake::new(place, "the file is gone: its previous values stay in force")
                .help("put it back, or an empty one, which says nothing; or start the agent anew")
        };
        gone.map(mistake).collect()
    }
}

/// The messages, each with its help.
fn messages(mistakes: &[Mistake]) -> Vec<String> {
    mistakes.iter().map(|mistake| format!("{:?}", crate::Error::from(mistake.clone()))).collect()
}

impl Config {
    /// The config with only those layers that do not change: program, variables and flags.
    fn without_files(&self) -> Self {
        Config { files: Vec::new(), mistakes: Vec::new(), ..self.clone() }
    }

    /// The files that were read and those of secrets, with their contents or errors.
    fn last_results(&self) -> impl Iterator<Item = (PathBuf, ReadResult)> + use<> {
        self.texts.clone().into_iter().chain(self.secrets.read_results())
    }

    /// The files that say something about a section.
    fn files_of(&self, section: &str) -> impl Iterator<Item = &PathBuf> {
        let entries = self.files.iter().filter(move |entry| entry.section == section);
        entries.filter_map(|entry| entry.source.file()).map(|file| &file.path)
    }

    /// Do the files of the two configs say different things about a section?
    pub(in crate::config) fn differs(&self, other: &Config, section: &KnownSection) -> bool {
        self.content_of(section) != other.content_of(section)
    }

    fn all_contents(&self, known: &Known) -> BTreeMap<&'static str, Content> {
        let mut all = BTreeMap::new();
        all.extend(known.iter().map(|section| (section.name, self.content_of(section))));
        all
    }

    fn content_of(&self, section: &KnownSection) -> Content {
        let entries = self.entries(section.name);
        let values = entries.all.iter().filter(|entry| entry.source.file().is_some());
        // As texts, so that NaN equals itself.
        let values = values.map(|entry| format!("{:?}", entry.value)).collect();
        if !section.meta.live {
            return Content { values, ..Content::default() };
        }
        let read = section.read(&entries, false).0;
        Content { values, keys: self.agent_key_values(section, &read), secrets: read.notes.secrets }
    }
}

#[cfg(test)]
impl Reloader {
    /// The config from the files in this directory, and its reloader.
    pub(crate) fn in_dir(dir: &Path, known: Known) -> (Config, Self) {
        let mut config = Config::new();
        // The flag of another section says, by an empty name, that it has no file.
        let named = vec![("none", String::new(), "--none-config".to_string())];
        config.read_files(&Files { dir: dir.into(), named }, &known);
        let reloader = Reloader::new(&config, known).expect("a section that follows its file");
        (config, reloader)
    }

    pub(crate) fn look(&mut self) -> Reload {
        let read = self.read();
        self.judge(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Live, Section as _},
        foreign::Panic,
    };
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};
    use std::{
        sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        thread::sleep,
        time::Duration,
    };

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Pair {
        a: u8,
        b: u8,
    }

    #[test]
    fn what_is_new_is_taken_in_when_it_has_settled() {
        let folder = Folder::new();
        folder.write("pair.conf", "a: 1\nb: 2");
        let known = Known::none().with("pair", <Live<Pair>>::META);
        let (config, mut reloader) = Reloader::in_dir(folder.path(), known);
        let live = <Live<Pair>>::__read(&config, "pair").unwrap();
        assert_eq!(reloader.look(), Reload::Same);
        // Overwritten again and again: the half that is there is the same, but the file has not settled.
        for _ in 0..3 {
            folder.write("pair.conf", "a: 2");
            assert_eq!(reloader.look(), Reload::Unsettled);
            // Longer than the resolution of file times.
            sleep(Duration::from_millis(20));
        }
        folder.write("pair.conf", "a: 2\nb: 4");
        folder.write("piar.conf", "");
        assert_eq!((reloader.look(), live.get().a), (Reload::Unsettled, 1));
        let odd = vec![format!("{}/piar.conf is not read: did you mean `pair.conf`?", folder.path().display())];
        assert_eq!(reloader.look(), Reload::Taken { live: vec!["pair"], fixed: vec![], later: vec![], odd });
        assert_eq!((live.get().a, live.get().b), (2, 4));
        assert_eq!(reloader.look(), Reload::Same);
        // It is refused once, and not reported again.
        folder.write("pair.conf", "a: x");
        assert_eq!(reloader.look(), Reload::Unsettled);
        let Reload::Refused(words) = reloader.look() else { panic!("it is taken in") };
        assert!(words.len() == 1 && words[0].contains("pair.conf:1:4: key `pair.a` takes"), "{words:?}");
        assert_eq!((reloader.look(), live.get().a), (Reload::StillRefused(words), 2));
        folder.write("pair.conf", "a: 2\nb: 4");
        assert_eq!((reloader.look(), reloader.look()), (Reload::Mended, Reload::Same));
    }

    /// Panics at each number but 0, with another message each time.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(try_from = "u8")]
    struct Counts;

    static COUNT: AtomicUsize = AtomicUsize::new(0);
    /// Was a panic reported to the log?
    static LOUD: AtomicBool = AtomicBool::new(false);

    impl TryFrom<u8> for Counts {
        type Error = String;
        fn try_from(number: u8) -> Result<Self, String> {
            if number > 0 {
                LOUD.fetch_or(!Panic::is_quiet(), Relaxed);
                panic!("read {} times", COUNT.fetch_add(1, Relaxed));
            }
            Ok(Counts)
        }
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Counting {
        counts: Counts,
    }

    #[test]
    fn a_type_that_panics_is_told_once_whatever_it_says() {
        let folder = Folder::new();
        folder.write("pair.conf", "counts: 0");
        let known = Known::none().with("pair", <Live<Counting>>::META);
        let (_, mut reloader) = Reloader::in_dir(folder.path(), known);
        folder.write("pair.conf", "counts: 1");
        assert_eq!(reloader.look(), Reload::Unsettled);
        let Reload::Refused(words) = reloader.look() else { panic!("it is not refused") };
        assert!(words.len() == 1 && words[0].contains("pair.conf:1:9: key `pair.counts`: reading it panicked: read "));
        for _ in 0..3 {
            assert!(matches!(reloader.look(), Reload::StillRefused(_)));
        }
        assert!(!LOUD.load(Relaxed));
        folder.write("pair.conf", "counts: 0");
        assert_eq!((reloader.look(), reloader.look()), (Reload::Mended, Reload::Same));
    }

    /// Panics when it is dropped, if it is 1.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Bomb {
        a: u8,
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(self.a != 1, "dropped");
        }
    }

    #[test]
    fn what_panics_when_it_is_dropped_ends_no_following() {
        let folder = Folder::new();
        folder.write("pair.conf", "a: 1");
        let known = Known::none().with("pair", <Live<Bomb>>::META);
        let (config, mut reloader) = Reloader::in_dir(folder.path(), known);
        let live = <Live<Bomb>>::__read(&config, "pair").unwrap();
        for a in [2, 1, 3] {
            folder.write("pair.conf", &format!("a: {a}"));
            assert_eq!(reloader.look(), Reload::Unsettled);
            assert!(matches!(reloader.look(), Reload::Taken { .. }));
            assert_eq!(live.get().a, a);
        }
    }

    #[test]
    fn what_only_a_start_reads_is_told_when_it_changes() {
        let folder = Folder::new();
        folder.write("pair.conf", "a: 1\nlimits: {init: 1s}");
        let known = Known::none().plugin("pair", <Live<Pair>>::META);
        let (_, mut reloader) = Reloader::in_dir(folder.path(), known);
        let mut warnings = |text: &str| {
            folder.write("pair.conf", text);
            assert_eq!(reloader.look(), Reload::Unsettled);
            let Reload::Taken { later, .. } = reloader.look() else { panic!("it is not taken in") };
            later
        };
        let dir = folder.path().display();
        let warning = |text: &str| format!("{dir}/pair.conf:{text}: a new start of the agent will see it");
        let policy = warning("2:1: key `pair.start-policy` has changed");
        let enabled = warning("4:1: key `pair.enabled` has changed");
        assert_eq!(warnings("a: 1\nstart-policy: retry\nlimits: {init: 1s}\nEnabled: false"), [enabled, policy]);
        assert_eq!(warnings("a: 2\nstart-policy: retry\nlimits: {init: 1000ms}\nEnabled: false"), [""; 0]);
        let limits = warning("3:1: key `pair.limits` has changed");
        assert_eq!(warnings("a: 2\nstart-policy: retry\nlimits: {init: 2s}\nEnabled: false"), [limits]);
        let gone = [
            "4:1: key `pair.enabled` is gone",
            "2:1: key `pair.start-policy` is gone",
            "3:1: key `pair.limits` is gone",
        ];
        assert_eq!(warnings(""), gone.map(warning));
    }

    #[test]
    fn a_file_that_goes_is_missed_only_where_it_still_holds() {
        let folder = Folder::new();
        folder.write("pair.conf", "a: 1");
        let known = Known::none().with("pair", <Live<Pair>>::META).with("fixed", Pair::META);
        let (config, mut reloader) = Reloader::in_dir(folder.path(), known);
        let live = <Live<Pair>>::__read(&config, "pair").unwrap();
        let mut settled = || match reloader.look() {
            Reload::Unsettled => reloader.look(),
            settled => settled,
        };
        let fixed = || Reload::Taken { live: vec![], fixed: vec!["fixed"], later: vec![], odd: vec![] };
        // It comes and goes without having been in force.
        folder.write("fixed.conf", "b: 1");
        assert_eq!(settled(), fixed());
        std::fs::remove_file(folder.path().join("fixed.conf")).unwrap();
        assert_eq!((settled(), settled()), (fixed(), Reload::Same));
        std::fs::remove_file(folder.path().join("pair.conf")).unwrap();
        let Reload::Refused(words) = settled() else { panic!("it is taken in") };
        assert!(words[0].contains("the file is gone: its previous values stay in force"), "{words:?}");
        folder.write("pair.conf", "");
        assert_eq!(settled(), Reload::Taken { live: vec!["pair"], fixed: vec![], later: vec![], odd: vec![] });
        assert_eq!(live.get().a, 0);
    }

    #[test]
    fn a_file_whose_section_has_come_in_another_one_has_not_gone() {
        let folder = Folder::new();
        folder.write("pair.conf", "a: 1");
        folder.write("agent.yaml", "other: {a: 0}");
        let known = Known::none().with("pair", <Live<Pair>>::META).with("other", <Live<Pair>>::META);
        let (config, mut reloader) = Reloader::in_dir(folder.path(), known);
        let live = <Live<Pair>>::__read(&config, "pair").unwrap();
        let mut settled = || match reloader.look() {
            Reload::Unsettled => reloader.look(),
            settled => settled,
        };
        let taken = |live| Reload::Taken { live, fixed: vec![], later: vec![], odd: vec![] };
        let remove = |name: &str| std::fs::remove_file(folder.path().join(name)).unwrap();
        // In another format, and in the file of all sections.
        for (before, now, text) in [
            ("pair.conf", "pair.toml", "a = 2\n"),
            ("pair.toml", "agent.yaml", "pair: {a: 3}\nother: {a: 1}\n"),
            ("agent.yaml", "agent.toml", "pair.a = 4\nother.a = 1\n"),
        ] {
            remove(before);
            folder.write(now, text);
            let sections = if now == "agent.yaml" { vec!["other", "pair"] } else { vec!["pair"] };
            assert_eq!(settled(), taken(sections), "{now}");
        }
        assert_eq!(live.get().a, 4);
        // The other section has disappeared with the file.
        remove("agent.toml");
        folder.write("pair.conf", "a: 5");
        let Reload::Refused(words) = settled() else { panic!("it is taken in") };
        assert!(words.len() == 1 && words[0].contains("agent.toml: the file is gone"), "{words:?}");
        folder.write("other.conf", "a: 1");
        assert_eq!((settled(), live.get().a), (taken(vec!["pair"]), 5));
    }
}
