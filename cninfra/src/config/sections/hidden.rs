//! What the secrets of a section hold: for a test that looks whether one is told.

use super::{config::Config, known::Known};

impl Config {
    /// The secrets that are set in a section, as texts.
    pub(crate) fn hidden(&self, known: &Known, section: &str) -> Vec<String> {
        let Some(section) = known.find(section) else { return Vec::new() };
        section.read(&self.entries(section.name), false).0.notes.hidden
    }
}
