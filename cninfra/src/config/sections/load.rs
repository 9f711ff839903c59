//! Finds the config files of each section, and reads them.

use super::{
    config::Config,
    files::{Files, Incomplete, Stamp, stamp},
    known::{self, Known, KnownSection},
};
use crate::config::{
    said::{
        entry::Entry,
        file::{self, ReadResult},
        source::{File, Source},
    },
    written::{
        format::Format,
        json, key, lenient,
        malformed::{MOST, Malformed},
        place::{Part, Place},
        value,
        way::{Step, Way},
    },
    wrong::mistake::{Mistake, most},
};
use std::{
    borrow::Cow,
    collections::HashSet,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use yaml_serde::Value;

/// The name, without extension, of the file that holds all sections.
pub(super) const ALL_SECTIONS: &str = "agent";

impl Config {
    /// Reads the files again, replacing what they said before. A file that cannot be read or parsed is reported by
    /// [`Config::check`]; mere warnings are returned.
    pub(crate) fn read_files(&mut self, files: &Files, known: &Known) -> Vec<String> {
        self.files.clear();
        self.texts.clear();
        (self.secrets, self.unanswered, self.unread) = Default::default();
        if let Err(error) = file::check_dir(&files.dir) {
            let place = Place { source: files.dir.display().to_string(), at: None };
            let (what, help) = no_directory(&error);
            self.mistakes.push(Mistake::new(place, what).help(help));
            self.origin = Some(files.clone());
            return Vec::new();
        }
        let mut loader = Loader {
            files,
            known,
            listed: listed(&files.dir),
            files_read: HashSet::new(),
            stamps: Vec::new(),
            texts: Vec::new(),
            entries: Vec::new(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
            unanswered: Incomplete::default(),
            unread: Incomplete::default(),
        };
        for path in loader.paths(ALL_SECTIONS) {
            if let Some(file) = loader.read(path, None) {
                loader.add_all_sections(file);
            }
        }
        for section in known.iter().filter(|section| section.name != ALL_SECTIONS) {
            loader.add_section_files(section);
        }
        loader.warn_of_near_misses();
        self.mistakes.append(&mut loader.mistakes);
        self.files = loader.entries;
        self.stamps = loader.stamps;
        self.texts = loader.texts;
        (self.unanswered, self.unread) = (loader.unanswered, loader.unread);
        self.origin = Some(files.clone());
        loader.warnings
    }
}

/// The mistake if the directory cannot be entered, and its help.
fn no_directory(error: &io::Error) -> (String, &'static str) {
    let unread = || format!("the directory of the config files cannot be read: {error}");
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            ("there is no such directory for the config files".to_string(), "create it, or name another one")
        }
        io::ErrorKind::PermissionDenied => {
            (unread(), "let the user of the agent enter it, and each directory above it, or name another one")
        }
        _ => (unread(), "look at what it is and where it leads to, or name another one"),
    }
}

/// The files of a directory with extensions like those of config files; `None` if the directory cannot be listed (its
/// files may be readable all the same).
fn listed(dir: &Path) -> Option<Vec<PathBuf>> {
    let mut listed = Vec::new();
    for path in file::list(dir).ok()? {
        if path.extension().and_then(OsStr::to_str).and_then(extension_meant).is_some() {
            listed.push(path);
        }
    }
    listed.sort_unstable();
    Some(listed)
}

/// The extension of a config file that this one probably means. (`conf~` is ignored: some editors use it for backups.)
fn extension_meant(end: &str) -> Option<&'static str> {
    let is_word = end.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_word { key::nearest(end, Format::EXTENSIONS.iter().copied()) } else { None }
}

/// The files of a directory that may hold the section of this name. Listing the directory once is faster than trying
/// each of them.
fn paths(dir: &Path, listed: Option<&[PathBuf]>, name: &str) -> Vec<PathBuf> {
    let of_end = |end: &&str| {
        let is_it = |path: &PathBuf| path.file_name().is_some_and(|file| is_named(file, name, end));
        listed.is_none_or(|listed| listed.iter().any(is_it)).then(|| dir.join(format!("{name}.{end}")))
    };
    Format::EXTENSIONS.iter().filter_map(of_end).collect()
}

/// Is it this name, with this extension? Case does not matter, since some file systems ignore it. It allocates nothing,
/// since most comparisons fail.
fn is_named(file: &OsStr, name: &str, end: &str) -> bool {
    let file = file.as_encoded_bytes();
    file.split_at_checked(name.len()).is_some_and(|(before, after)| {
        let is_end = after.strip_prefix(b".").is_some_and(|after| after.eq_ignore_ascii_case(end.as_bytes()));
        is_end && before.eq_ignore_ascii_case(name.as_bytes())
    })
}

struct Loader<'a> {
    files: &'a Files,
    known: &'a Known,
    /// The files of the directory: see [`listed`].
    listed: Option<Vec<PathBuf>>,
    files_read: HashSet<PathBuf>,
    stamps: Vec<Stamp>,
    texts: Vec<(PathBuf, ReadResult)>,
    entries: Vec<Entry>,
    mistakes: Vec<Mistake>,
    warnings: Vec<String>,
    unanswered: Incomplete,
    unread: Incomplete,
}

/// Parses a file as far as possible, and says what is wrong with it as a whole. A duplicate key inside a secret is not
/// named.
pub(super) fn parse(
    path: PathBuf,
    text: Arc<str>,
    is_in_secret: &dyn Fn(&[Step]) -> bool,
) -> (Option<(Arc<Source>, Value)>, Vec<Mistake>) {
    let format = Format::of(&path);
    // Some editors write a byte order mark, which is not part of the content.
    let text = text.strip_prefix('\u{feff}').map(Arc::from).unwrap_or(text);
    let is_json = format == Format::Json;
    let json = is_json.then(|| json::malformed(&text)).flatten();
    let mut text = match format.prepared(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(text) => text.into(),
    };
    let (mut value, mut malformed) = format.parse(&text);
    if value.is_none()
        && format == Format::Toml
        && let Some(rewritten) = lenient::large_as_floats(&text)
    {
        text = rewritten.into();
        (value, malformed) = format.parse(&text);
    }
    for Malformed { message, help, duplicate_key, .. } in malformed.iter_mut().filter(|_| is_json) {
        let words = if duplicate_key.is_some() { "not valid JSON" } else { "JSON that is not read" };
        *message = message.replacen("not valid YAML", words, 1);
        // Help about YAML syntax is of no use for JSON.
        *help = help.filter(|help| !help.contains("YAML"));
    }
    if let Some(json) = json {
        // A text that is neither JSON nor YAML is reported as JSON only.
        malformed.retain(|_| value.is_some());
        malformed.push(json);
    }
    let source = Arc::new(Source::File(File { path, format, text }));
    let mistake = |Malformed { message, at, help, duplicate_key }| {
        let place = Place { source: source.to_string(), at };
        let message = match duplicate_key.as_deref().filter(|way| !is_in_secret(way)).and_then(<[_]>::last) {
            Some(Step::Key(key)) => message.replace("a key", &format!("the key `{key}`")),
            _ => message,
        };
        Mistake::new(place, message).help_if(help.map(str::to_string))
    };
    let mistakes = malformed.into_iter().map(mistake).collect();
    (value.map(|value| (source, value)), mistakes)
}

impl Loader<'_> {
    /// The files of the directory that may hold the section of this name.
    fn paths(&self, name: &str) -> Vec<PathBuf> {
        paths(&self.files.dir, self.listed.as_deref(), name)
    }

    /// Reads a file, if it exists: that of one section, or (`None`) of all. It notes which sections may be incomplete
    /// because the file does not answer or is wrong as a whole.
    fn read(&mut self, path: PathBuf, of: Option<&KnownSection>) -> Option<(Arc<Source>, Value)> {
        if self.files_read.contains(&path) {
            return None;
        }
        if file::is_silent(&path) {
            self.unanswered.add(of);
        }
        let before = self.mistakes.len();
        let read = self.read_unread(path, of);
        if read.is_none() && self.mistakes.len() > before {
            self.unread.add(of);
        }
        read
    }

    fn read_unread(&mut self, path: PathBuf, of: Option<&KnownSection>) -> Option<(Arc<Source>, Value)> {
        // The time is taken before the file is read: a later write then makes a difference.
        self.stamps.extend(stamp(&path));
        let read = file::read(&path);
        if !matches!(&read, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            self.texts.push((path.clone(), read.clone()));
        }
        let text = match read {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link shows that the file should exist.
                if file::is_link(&path) {
                    let place = Place { source: path.display().to_string(), at: None };
                    let mistake = Mistake::new(place, "the file is a link to what is not there");
                    self.mistakes.push(mistake.help("make what it leads to, or take the link out"));
                }
                return None;
            }
            Err(error) => {
                self.mistakes.push(error.mistake(&path));
                return None;
            }
        };
        self.files_read.insert(path.clone());
        let known = self.known;
        let is_in_secret = |way: &[Step]| match (of, way) {
            (Some(section), way) => section.is_in_secret(way),
            (None, [Step::Key(name), way @ ..]) => known.find(name).is_some_and(|section| section.is_in_secret(way)),
            _ => false,
        };
        let (read, mut mistakes) = parse(path, text, &is_in_secret);
        self.mistakes.append(&mut mistakes);
        read
    }

    /// Takes the entries of a file with all sections.
    fn add_all_sections(&mut self, (source, value): (Arc<Source>, Value)) {
        let sections = match value {
            Value::Null => return,
            Value::Mapping(sections) => sections,
            _ => {
                let place = source.place(&[], Part::Value);
                let what = "the file takes a mapping of sections, a section for each plugin";
                self.mistakes.push(Mistake::new(place, what).help(self.known.suggestion("")));
                return;
            }
        };
        let mut unknown = 0;
        let most = most(source.file().map_or(0, |file| file.text.len()));
        for (name, value) in sections {
            let (name, value) = (value::key_text(&name), value::from_yaml(value));
            let way = vec![Step::Key(name.clone())];
            match self.known.find(&name) {
                Some(section) => {
                    self.entries.push(Entry { section: section.name.into(), source: source.clone(), way, value })
                }
                None if unknown == most => {
                    self.mistakes.push(Mistake::more(source.place(&[], Part::Value), "the file", true));
                    return;
                }
                None => {
                    unknown += 1;
                    let place = source.place(&way, Part::Key);
                    let what = format!("there is no section `{name}`");
                    self.mistakes.push(Mistake::new(place, what).help(self.known.suggestion_for_whole_file(&name)));
                }
            }
        }
    }

    /// Reads the files of a single section.
    fn add_section_files(&mut self, section: &KnownSection) {
        let named: Vec<_> = self.files.named.iter().filter(|(name, ..)| *name == section.name).cloned().collect();
        if named.is_empty() {
            for name in known::names(section) {
                for path in self.paths(name) {
                    self.add_own_file(section, path);
                }
            }
        }
        // The last path given counts; an empty one means no file.
        if let Some((_, path, origin)) = named.last().filter(|(_, path, _)| !path.is_empty()) {
            let wrong = |what: &str, help: &str| {
                let place = Place { source: origin.clone(), at: None };
                Mistake::new(place, format!("{what} {path}")).in_section(section.name).help(help)
            };
            let places = self.files.places(path);
            match places.iter().find(|path| file::is_there(path)).cloned() {
                Some(path) if self.files_read.contains(&path) => {
                    let help = "give each its own file, or put the sections of all into `agent.yaml`";
                    self.mistakes.push(wrong("another section is read from the file", help));
                }
                Some(path) => self.add_own_file(section, path),
                None if places.iter().any(|path| file::is_silent(path)) => {
                    self.unanswered.add(Some(section));
                }
                None => {
                    let dir = self.files.dir.display();
                    let help = format!(
                        "it is neither in the current directory nor in the config directory ({dir}): create it, or correct \
                         its name; without a name it is `{}.conf` of the config directory, and an empty name means no file",
                        section.name
                    );
                    self.mistakes.push(wrong("there is no file", &help));
                }
            }
        }
    }

    fn add_own_file(&mut self, section: &KnownSection, path: PathBuf) {
        if let Some((source, value)) = self.read(path, Some(section)) {
            let value = value::from_yaml(value);
            self.entries.push(Entry { section: section.name.to_string(), source, way: Way::new(), value });
        }
    }

    /// Warns about files that are not read, but whose names are similar to those of config files.
    fn warn_of_near_misses(&mut self) {
        let before = self.warnings.len();
        for path in self.listed.iter().flatten() {
            if self.warnings.len() == before + MOST {
                self.warnings.push(format!("there are more files in {} with such names", self.files.dir.display()));
                return;
            }
            let (Some(stem), Some(end)) = (path.file_stem(), path.extension()) else { continue };
            let (stem, end) = (stem.to_string_lossy(), end.to_string_lossy());
            if self.files_read.contains(path) || self.is_config_file(&stem, &end) || file::is_silent(path) {
                continue;
            }
            let Some(meant_extension) = extension_meant(&end) else { continue };
            let is_end = end.eq_ignore_ascii_case(meant_extension);
            let meant = self.known.nearest_with(&stem, Some(ALL_SECTIONS));
            // If both name and extension are misspelled, it may be any file.
            if let Some(meant) = meant.filter(|meant| is_end || key::same(meant, &stem)) {
                self.warnings
                    .push(format!("{} is not read: did you mean `{meant}.{meant_extension}`?", path.display()));
            }
        }
    }

    /// Would this file be read if no other one had been given by name?
    fn is_config_file(&self, stem: &str, end: &str) -> bool {
        Format::EXTENSIONS.contains(&end) && (stem == ALL_SECTIONS || self.known.all_names().contains(&stem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{At, Invalid, Section as _, check_config};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};
    use std::fs;

    /// A part of it (`tls`) has no default.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Store {
        endpoint: String,
        tls: Tls,
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tls {
        port: u16,
        name: String,
    }

    fn check(store: &Store) -> Result<(), Invalid> {
        let is_said = !store.endpoint.is_empty();
        if is_said { Ok(()) } else { Err(Invalid::key("endpoint", "is needed")) }
    }

    #[test]
    fn what_may_follow_from_a_file_that_does_not_answer_is_not_told() {
        let folder = Folder::new();
        let meta = Store::META.__checked(|section| check_config::<Store>(section, check));
        let known = Known::none().with("store", meta).with("other", meta);
        folder.write("named", "");
        let at = |name: &str| folder.path().join(name);
        let messages = |silent: &[&str], named: &str| {
            let mut config = Config::new();
            config.set_flag("store", "tls.port", "7", "store-port");
            config.set_flag("store", "prot", "7", "store-prot");
            let named = ("other", named.to_string(), "flag --other-config".to_string());
            let files = Files { dir: folder.path().into(), named: vec![named] };
            let silent: Vec<PathBuf> = silent.iter().map(|name| at(name)).collect();
            At::without(&silent).during(|| config.read_files(&files, &known));
            let mut messages: Vec<_> = config.check(&known).iter().map(ToString::to_string).collect();
            messages.sort();
            messages
        };
        let prot = "flag --store-prot: key `store.prot` is unknown";
        let needed = |section: &str| format!("default: key `{section}.endpoint` is needed");
        let missing = "flag --store-port: key `store.tls`: the key `name` is missing";
        for name in ["store.conf", "agent.yaml"] {
            folder.write(name, "");
        }
        assert_eq!(messages(&[], "named"), [needed("other").as_str(), missing, prot]);
        assert_eq!(messages(&["store.conf"], "named"), [needed("other").as_str(), prot]);
        // `agent.yaml` may hold any section.
        assert_eq!(messages(&["agent.yaml"], "named"), [prot]);
        assert_eq!(messages(&["named"], "named"), [missing, prot]);
        // No file there is accessed, so nothing is known to be missing.
        assert_eq!(messages(&[""], at("named").to_str().unwrap()), [prot]);
    }

    #[test]
    fn a_file_that_cannot_be_parsed_hides_nothing_of_others_and_nothing_follows_from_it() {
        let meta = Store::META.__checked(|section| check_config::<Store>(section, check));
        let known = Known::none().with("store", meta).with("other", meta);
        let messages = |files: &[(&str, &str)]| {
            let folder = Folder::new();
            files.iter().for_each(|(name, text)| folder.write(name, text));
            let mut config = Config::new();
            config.set_flag("store", "tls.port", "7", "store-port");
            config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
            let messages: Vec<_> = config.check(&known).iter().map(ToString::to_string).collect();
            messages
                .iter()
                .map(|message| message.replace(&format!("{}/", folder.path().display()), ""))
                .collect::<Vec<_>>()
        };
        let broken = |file: &str| format!("{file}:2:1: it is not valid YAML: did not find expected node content");
        let port = "other.conf:1:13: key `other.tls.port` takes a whole number from 0 to 65535, not the text `x`";
        let name = "other.conf:1:6: key `other.tls`: the key `name` is missing";
        // It is not known whether the file sets the endpoint and the name.
        let files = [("store.conf", "endpoint: ["), ("other.conf", "tls: {port: x}")];
        assert_eq!(messages(&files), [&*broken("store.conf"), name, port]);
        // It may hold any section.
        let files = [("agent.yaml", "store: ["), ("other.conf", "tls: {port: x}")];
        assert_eq!(messages(&files), [&*broken("agent.yaml"), port]);
        let files = [("store.conf", "endpoint: ["), ("other.toml", "endpoint ="), ("agent.yaml", "sore: 1")];
        let all = messages(&files);
        assert!(
            all.len() == 3 && all[0].contains("no section `sore`") && all[1].starts_with("other.toml:1"),
            "{all:?}"
        );
        // If only a key is duplicate, the other mistakes in the file are reported.
        let all = messages(&[("store.conf", "tls: {port: 1, name: n}\ntls: {port: 1, name: n}")]);
        assert!(all.len() == 3 && all[2].contains("`store.endpoint` is needed"), "{all:?}");
    }

    #[test]
    fn only_a_directory_that_is_not_there_is_to_be_made() {
        let mend = |error: io::Error| no_directory(&error).1.split(' ').next().map(str::to_string);
        for (kind, first) in [
            (io::ErrorKind::NotFound, "create"),
            (io::ErrorKind::NotADirectory, "create"),
            (io::ErrorKind::PermissionDenied, "let"),
            (io::ErrorKind::TimedOut, "look"),
        ] {
            assert_eq!(mend(kind.into()).as_deref(), Some(first), "{kind}");
        }
    }

    #[test]
    fn only_what_is_listed_is_looked_for() {
        let folder = Folder::new();
        for name in ["store.yaml", "STORE.TOML", "store.txt", "other.conf", "store"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |listed: Option<&[PathBuf]>| {
            let paths = paths(folder.path(), listed, "store");
            paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(listed(folder.path()).as_deref()), ["store.yaml", "store.toml"]);
        assert_eq!(names(Some(&[])), [""; 0]);
        // The files of a directory that cannot be listed may still be readable.
        assert!(listed(&folder.path().join("store.yaml")).is_none());
        assert_eq!(names(None), ["store.conf", "store.yaml", "store.yml", "store.toml", "store.json"]);
    }
}
