//! What is wrong with plugins' sections themselves, whatever the config says: flags on keys that are not there, keys without a default.

use super::{
    Known, KnownSection, Mistake, entry,
    entry::{Entries, Entry},
    key::kebab,
    source::{Part, Source},
    value,
};
use crate::Flag;
use figment::value::Tag;

impl Known {
    /// What nobody would meet before some key is set: see [`Known::mistaken_flags`], and [`Known::keys_without_default`].
    pub(crate) fn defects(&self) -> Vec<Mistake> {
        let mut all = self.mistaken_flags();
        all.extend(self.keys_without_default());
        all
    }

    /// Sections of which a part can not be said alone: the type of its own makes no key of it up, although it has a default as a whole.
    fn keys_without_default(&self) -> Vec<Mistake> {
        self.iter().filter_map(KnownSection::without_default).collect()
    }

    /// Flags on keys that their sections do not have: mistakes of plugins, which nobody would meet before such a flag is used. It reads each section once
    /// for each of its flags.
    fn mistaken_flags(&self) -> Vec<Mistake> {
        self.iter().flat_map(|section| section.flags.iter().filter_map(|flag| section.mistaken(flag))).collect()
    }

    /// All of it, of one section.
    #[cfg(feature = "testing")]
    pub(crate) fn defects_of(&self, section: &str) -> Vec<Mistake> {
        let of = |mistake: &Mistake| mistake.section() == Some(section);
        self.defects().into_iter().filter(of).collect()
    }
}

impl KnownSection {
    fn without_default(&self) -> Option<Mistake> {
        // a file that says nothing of it but its name
        let nothing = value::dict([]).into();
        let entry =
            Entry { section: self.name.to_string(), source: Source::Default.into(), way: Vec::new(), value: nothing };
        let field = kebab(self.read(&Entries::one(&entry), false).0.missing?);
        let place = Source::Default.place(&[], Part::Key);
        let what = format!(
            "key `{}.{field}` has no default of its own: where another key of the section is set, it is missing",
            self.name
        );
        let help = "it is a defect of the plugin: give the section's type `#[serde(default)]`";
        Some(Mistake::new(place, what).of(self.name).help(help))
    }

    fn mistaken(&self, flag: &Flag) -> Option<Mistake> {
        let place = Source::Flag(flag.name.to_string()).place(&[], Part::Key);
        let entry = entry(self.name, flag.key, value::nothing(Tag::Default), Source::Default).ok()?;
        let help = self.read(&Entries::one(&entry), false).0.notes.unknown?;
        let what = format!("it is declared for key `{}.{}`, which is unknown", self.name, flag.key);
        let help = format!("it is a defect of the plugin, in its `flags`: {help}");
        Some(Mistake::new(place, what).of(self.name).help(help))
    }
}
