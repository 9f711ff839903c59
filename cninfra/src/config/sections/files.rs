//! [`Files`]: where the files of an agent are, and what is known of those that were read.

use super::known::KnownSection;
use crate::config::said::file;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Where the files of an agent are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) dir: PathBuf,
    /// Files that are named by themselves, by section: what `--http-config` says, and where that was said.
    pub(crate) named: Vec<(&'static str, String, String)>,
}

/// Of which sections there is a file that does not tell what it says: it may say more of them.
#[derive(Clone, Default)]
pub(super) struct Untold {
    all: bool,
    sections: HashSet<&'static str>,
}

impl Untold {
    /// Such a file of a section, or of all.
    pub(super) fn add(&mut self, of: Option<&KnownSection>) {
        match of {
            Some(section) => drop(self.sections.insert(section.name)),
            None => self.all = true,
        }
    }

    pub(super) fn may_say_more(&self, section: &str) -> bool {
        self.all || self.sections.contains(section)
    }
}

/// When a file was last written to.
pub(super) type Stamp = (PathBuf, SystemTime);

/// `None` where there is no file, or no clock.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    Some((path.to_path_buf(), file::modified(path)?))
}
