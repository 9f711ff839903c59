//! What is wrong with all that is said, before anything is created.

use super::{
    checked::Checked,
    config::Config,
    known::{Known, KnownSection},
    no_plugins,
};
use crate::config::{
    said::{entry::Entry, kept::Kept},
    written::place::Part,
    wrong::mistake::{self, Mistake},
};

/// What a check is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Start,
    Reload,
}

impl Config {
    /// Everything that is wrong before a start: nothing is to be created then. Not what may follow from a file that does not answer or cannot be
    /// parsed, and not that it does not answer.
    pub(crate) fn check(&self, known: &Known) -> Vec<Mistake> {
        self.check_those(known, Of::Start, None, |_| true)
    }

    /// As [`check`](Self::check), of what is read by the plugins next.
    pub(crate) fn check_for_plugins(&self, known: &Known) -> Vec<Mistake> {
        self.check_those(known, Of::Start, Some(&self.kept), |_| true)
    }

    /// Everything that is wrong with these sections, and with the files.
    pub(super) fn check_those(
        &self,
        known: &Known,
        of: Of,
        kept: Option<&Kept>,
        is_asked: impl Fn(&KnownSection) -> bool,
    ) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.clone();
        mistakes.extend(self.unknown_sections(known));
        for section in known.iter().filter(|section| is_asked(section)) {
            mistakes.extend(self.check_section(section, known, of, kept));
        }
        mistakes
    }

    /// Files are told of when they are read.
    fn unknown_sections(&self, known: &Known) -> Vec<Mistake> {
        let unknown = self.program.iter().chain(&self.process).filter(|entry| known.find(&entry.section).is_none());
        let mistake = |entry: &Entry| {
            let place = entry.source.place(&[], Part::Key);
            let what = format!("there is no section `{}`", entry.section);
            Mistake::new(place, what).help(known.suggestion(&entry.section))
        };
        let mut all: Vec<Mistake> = Vec::new();
        for mistake in unknown.map(mistake) {
            // two flags of one key have one place
            if !all.contains(&mistake) {
                all.push(mistake);
            }
        }
        all
    }

    fn check_section(&self, section: &KnownSection, known: &Known, of: Of, kept: Option<&Kept>) -> Vec<Mistake> {
        let mut entries = self.entries(section.name);
        if entries.all.is_empty() && section.meta.check.is_none() {
            return Vec::new();
        }
        entries.partial =
            of == Of::Start && self.unanswered.may_say_more(section.name) || self.unread.may_say_more(section.name);
        // of what will not start nothing more is asked, nor of what is not known as a whole
        let is_checked = !entries.partial && (!section.optional || self.is_enabled(section.name));
        let Checked { mut outcome, invalid } = section.check(&entries, is_checked);
        let mut mistakes = std::mem::take(&mut outcome.mistakes);
        // while the agent runs, nobody waits for the secrets of a section that follows no file; before, they are told as files
        if of == Of::Reload {
            mistakes.extend(outcome.unanswered.drain(..).filter(|_| section.meta.live));
        }
        let of_agent = self.check_agent_keys(section, &outcome);
        // a key that both have is told once
        mistakes.retain(|mistake| !of_agent.contains(mistake));
        mistakes.extend(of_agent);
        if let Some(other) = self.other_enabled(section, &outcome) {
            // what else is said of this key is of no use
            mistakes.retain(|mistake| mistake.place != other.place);
            mistakes.push(other);
        }
        mistakes.extend(no_plugins::unknown(section.name, &outcome, known));
        mistakes.extend(invalid);
        mistake::sort(&mut mistakes);
        // the agent reads its own sections in other ways
        let is_read_again = mistakes.is_empty() && !entries.all.is_empty() && !section.is_own && !section.meta.live;
        if let Some(kept) = kept.filter(|_| is_read_again) {
            kept.put(section.name, section.meta.id, &entries, (outcome.layers, outcome.figment));
        }
        mistakes
    }
}
