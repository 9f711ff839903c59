//! The keys that plugins' flags set: is there one of that name?

use super::{
    Known, KnownSection, Mistake, entry,
    source::{Part, Source},
    value,
};
use crate::Flag;
use figment::value::Tag;

impl Known {
    /// Flags on keys that their sections do not have: mistakes of plugins, which nobody would meet before such a flag is used. It reads each section once
    /// for each of its flags.
    pub(crate) fn mistaken_flags(&self) -> Vec<Mistake> {
        self.iter().flat_map(|section| section.flags.iter().filter_map(|flag| section.mistaken(flag))).collect()
    }

    /// The same of one section.
    #[cfg(feature = "testing")]
    pub(crate) fn mistaken_flags_of(&self, section: &str) -> Vec<Mistake> {
        let of = |mistake: &Mistake| mistake.section() == Some(section);
        self.mistaken_flags().into_iter().filter(of).collect()
    }
}

impl KnownSection {
    fn mistaken(&self, flag: &Flag) -> Option<Mistake> {
        let place = Source::Flag(flag.name.to_string()).place(&[], Part::Key);
        let entry = entry(self.name, flag.key, value::nothing(Tag::Default), Source::Default).ok()?;
        let help = self.read(&[&entry], false).0.notes.unknown?;
        let what = format!("it is declared for key `{}.{}`, which is unknown", self.name, flag.key);
        let help = format!("it is a defect of the plugin, in its `flags`: {help}");
        Some(Mistake::new(place, what).of(self.name).help(help))
    }
}
