//! [`Files`]: where the config files of an agent are, and what is known about those that were read.

use super::known::KnownSection;
use crate::config::said::file;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Where the config files of an agent are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) dir: PathBuf,
    /// Files that are given one by one: the section, the path that `--<name>-config` says, and where that is said.
    pub(crate) named: Vec<(&'static str, String, String)>,
}

impl Files {
    /// Where a file that is given by its name is looked for, in this order.
    pub(super) fn places(&self, name: &str) -> [PathBuf; 2] {
        [PathBuf::from(name), self.dir.join(name)]
    }

    /// Is this file one that is given by its name?
    pub(super) fn is_named(&self, path: &Path) -> bool {
        self.named.iter().any(|(_, name, _)| self.places(name).iter().any(|place| place == path))
    }
}

/// The sections about which an unread file may say more.
#[derive(Clone, Default)]
pub(super) struct Incomplete {
    all: bool,
    sections: HashSet<&'static str>,
}

impl Incomplete {
    /// Adds the sections that an unread file may be about: one, or all of them.
    pub(super) fn add(&mut self, section: Option<&KnownSection>) {
        match section {
            Some(section) => drop(self.sections.insert(section.name)),
            None => self.all = true,
        }
    }

    pub(super) fn may_say_more(&self, section: &str) -> bool {
        self.all || self.sections.contains(section)
    }
}

/// When a file was last modified.
pub(super) type Stamp = (PathBuf, SystemTime);

/// `None` if that is unknown.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    Some((path.to_path_buf(), file::modified(path)?))
}
