//! Checks all sections before anything is created, and before new content of files takes effect.

use super::{
    checked::Checked,
    config::Config,
    known::{Known, KnownSection},
    no_plugins,
};
use crate::config::{
    said::{entry::Entry, kept::KeptLayers},
    written::place::Part,
    wrong::mistake::{self, Mistake},
};

/// What a check is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Start,
    Reload,
}

impl Config {
    /// Everything that is wrong before a start, in which case nothing must be created. It reports neither files that do
    /// not answer, nor what may only follow from them or from files that cannot be parsed.
    pub(crate) fn check(&self, known: &Known) -> Vec<Mistake> {
        self.check_sections(known, Purpose::Start, None, |_| true)
    }

    /// Like [`check`](Self::check), for a config that the plugins read next: the layers of valid sections are kept for
    /// them.
    pub(crate) fn check_for_plugins(&self, known: &Known) -> Vec<Mistake> {
        self.check_sections(known, Purpose::Start, Some(&self.kept), |_| true)
    }

    /// Everything that is wrong with these sections, and with the files.
    pub(super) fn check_sections(
        &self,
        known: &Known,
        purpose: Purpose,
        kept: Option<&KeptLayers>,
        is_chosen: impl Fn(&KnownSection) -> bool,
    ) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.clone();
        mistakes.extend(self.unknown_sections(known));
        for section in known.iter().filter(|section| is_chosen(section)) {
            mistakes.extend(self.check_section(section, known, purpose, kept));
        }
        mistakes
    }

    /// Unknown sections in what the program, variables and flags say. Those in files are reported when the files are
    /// read.
    fn unknown_sections(&self, known: &Known) -> Vec<Mistake> {
        let unknown = self.program.iter().chain(&self.process).filter(|entry| known.find(&entry.section).is_none());
        let mistake = |entry: &Entry| {
            let place = entry.source.place(&[], Part::Key);
            let what = format!("there is no section `{}`", entry.section);
            Mistake::new(place, what).help(known.suggestion(&entry.section))
        };
        let mut all: Vec<Mistake> = Vec::new();
        for mistake in unknown.map(mistake) {
            // Two flags for keys of the same section may have the same place.
            if !all.contains(&mistake) {
                all.push(mistake);
            }
        }
        all
    }

    fn check_section(
        &self,
        section: &KnownSection,
        known: &Known,
        purpose: Purpose,
        kept: Option<&KeptLayers>,
    ) -> Vec<Mistake> {
        let mut entries = self.entries(section.name);
        if entries.all.is_empty() && section.meta.check.is_none() {
            return Vec::new();
        }
        entries.is_partial = purpose == Purpose::Start && self.unanswered.may_say_more(section.name)
            || self.unread.may_say_more(section.name);
        // The section's own check is not asked if the plugin will not start, or if not everything that is said is
        // known.
        let is_checked = !entries.is_partial && (!section.optional || self.is_enabled(section.name));
        let Checked { mut outcome, invalid } = section.check(&entries, is_checked);
        let mut mistakes = std::mem::take(&mut outcome.mistakes);
        // During a reload, a file of a secret that does not answer matters only if the section is live. At a start, it
        // is reported together with the config files that do not answer.
        if purpose == Purpose::Reload {
            mistakes.extend(outcome.unanswered.drain(..).filter(|_| section.meta.live));
        }
        let agent_key_mistakes = self.check_agent_keys(section, &outcome);
        // A mistake in a key that belongs to both is reported once.
        mistakes.retain(|mistake| !agent_key_mistakes.contains(mistake));
        mistakes.extend(agent_key_mistakes);
        if let Some(defect) = self.unusable_enabled(section, &outcome) {
            // Other mistakes in this key are left out, since the key itself is a defect of the plugin.
            mistakes.retain(|mistake| mistake.place != defect.place);
            mistakes.push(defect);
        }
        mistakes.extend(no_plugins::unknown(section.name, &outcome, known));
        mistakes.extend(invalid);
        mistake::sort(&mut mistakes);
        // Only plugins that are not live read their section again in this way.
        let is_read_again = mistakes.is_empty() && !entries.all.is_empty() && !section.is_own && !section.meta.live;
        if let Some(kept) = kept.filter(|_| is_read_again) {
            kept.put(section.name, section.meta.id, &entries, (outcome.layers, outcome.figment));
        }
        mistakes
    }
}
