//! The contents of a section's secrets, for tests that no message shows one.

use super::{config::Config, known::Known};

impl Config {
    /// The secrets in a section, as texts.
    pub(crate) fn hidden(&self, known: &Known, section: &str) -> Vec<String> {
        let Some(section) = known.find(section) else { return Vec::new() };
        section.read(&self.entries(section.name), false).0.notes.secret_texts
    }
}
