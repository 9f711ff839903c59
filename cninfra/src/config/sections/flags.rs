//! Defects of plugins' sections that do not depend on the config: flags for unknown keys, and keys without a default.

use super::known::{Known, KnownSection};
use crate::{
    Flag,
    config::{
        said::{
            agent_keys::ENABLED,
            entry::{Entries, Entry, entry_for_key},
            source::Source,
        },
        written::{
            key::kebab,
            place::{Part, Place},
            value,
        },
        wrong::mistake::Mistake,
    },
};
use figment::value::Tag;

impl Known {
    /// Defects that would otherwise show only when some key is set: see [`Known::mistaken_flags`],
    /// [`Known::keys_without_default`], and [`KnownSection::unusable_enabled`].
    pub(crate) fn defects(&self) -> Vec<Mistake> {
        let mut all = self.mistaken_flags();
        all.extend(self.keys_without_default());
        let place = || Source::Default.place(&[], Part::Key);
        all.extend(self.iter().filter_map(|section| section.unusable_enabled(place())));
        all
    }

    /// Sections in which a key is missing if another one is set: their type has a default as a whole, but none for that
    /// key.
    fn keys_without_default(&self) -> Vec<Mistake> {
        self.iter().filter_map(KnownSection::key_without_default).collect()
    }

    /// Flags for keys that their sections do not have. Without this, a plugin's mistake would show only when the flag
    /// is used. It reads the section once for each of its flags.
    fn mistaken_flags(&self) -> Vec<Mistake> {
        self.iter().flat_map(|section| section.flags.iter().filter_map(|flag| section.mistaken_flag(flag))).collect()
    }

    /// All defects of one section.
    #[cfg(feature = "testing")]
    pub(crate) fn defects_of(&self, section: &str) -> Vec<Mistake> {
        let of = |mistake: &Mistake| mistake.section() == Some(section);
        self.defects().into_iter().filter(of).collect()
    }
}

impl KnownSection {
    fn key_without_default(&self) -> Option<Mistake> {
        // A section that exists, but sets nothing.
        let nothing = value::dict([]).into();
        let entry = Entry::of_default(self.name, nothing);
        let field = kebab(self.read(&Entries::one(&entry), false).0.missing?);
        let place = Source::Default.place(&[], Part::Key);
        let what = format!(
            "key `{}.{field}` has no default of its own: where another key of the section is set, it is missing",
            self.name
        );
        let help = "it is a defect of the plugin: give the section's type `#[serde(default)]`";
        Some(Mistake::new(place, what).in_section(self.name).help(help))
    }

    /// An optional plugin is switched off by `enabled: false`. If its type has a key of that name, it must accept a
    /// boolean: otherwise the plugin could not be switched off.
    pub(super) fn unusable_enabled(&self, place: Place) -> Option<Mistake> {
        let value = value::dict([(ENABLED.to_string(), true.into())]).into();
        let entry = Entry::of_default(self.name, value);
        // A section without a type, or of a plugin that is not optional, cannot have this defect.
        let read = (self.optional && !self.is_bare).then(|| self.read(&Entries::one(&entry), false).0)?;
        let name = format!("key `{}.{ENABLED}`", self.name);
        let is_refused = |mistake: &Mistake| mistake.what.starts_with(&format!("{name} takes "));
        // A type that does not name its keys may take `enabled` for one of any.
        let has_names = read.notes.structs.contains(&Vec::new());
        if !has_names || read.notes.agent_keys.contains_key(ENABLED) || !read.mistakes.iter().any(is_refused) {
            return None;
        }
        if self.accepts_true_and_false() {
            return None;
        }
        let what = format!("{name} switches the plugin on and off, but in its config type it is not a boolean");
        let help = "it is a defect of the plugin: give its own key another name, or make it a `bool`";
        Some(Mistake::new(place, what).in_section(self.name).help(help))
    }

    /// Is the type's own key `enabled` an enum with variants named `true` and `false`? Then a flag can set it.
    fn accepts_true_and_false(&self) -> bool {
        ["true", "false"].into_iter().all(|word| {
            let Ok(entry) = entry_for_key(self.name, ENABLED, value::text(word), Source::Flag(ENABLED.to_string()))
            else {
                return false;
            };
            let read = self.read(&Entries::one(&entry), false).0;
            read.mistakes.is_empty() && read.notes.choices.contains(&vec![ENABLED.to_string()])
        })
    }

    fn mistaken_flag(&self, flag: &Flag) -> Option<Mistake> {
        let place = Source::Flag(flag.name.to_string()).place(&[], Part::Key);
        let entry = entry_for_key(self.name, flag.key, value::nothing(Tag::Default), Source::Default).ok()?;
        let help = self.read(&Entries::one(&entry), false).0.notes.unknown_key_help?;
        let what = format!("it is declared for key `{}.{}`, which is unknown", self.name, flag.key);
        let help = format!("it is a defect of the plugin, in its `flags`: {help}");
        Some(Mistake::new(place, what).in_section(self.name).help(help))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Files, Known, Section as _};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Word {
        enabled: String,
        port: u16,
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Switch {
        enabled: Option<bool>,
        port: u16,
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Rest {
        port: u16,
        #[serde(flatten)]
        rest: BTreeMap<String, String>,
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Three {
        enabled: Option<State>,
        port: u16,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum State {
        True,
        False,
        Auto,
    }

    #[test]
    fn a_key_that_is_one_of_any_or_has_the_words_for_it_is_no_defect() {
        let known = Known::none().plugin("rest", Rest::META).plugin("three", Three::META);
        assert_eq!(known.defects(), []);
        let mut config = Config::new();
        config.set_flag("rest", "enabled", "false", "set");
        config.set_flag("three", "enabled", "false", "set");
        assert_eq!(config.check(&known), []);
        assert!(!config.is_enabled("rest") && !config.is_enabled("three"));
    }

    #[test]
    fn a_key_of_the_name_of_the_agents_that_is_no_switch_is_a_defect() {
        let (folder, known) = (Folder::new(), Known::none().plugin("word", Word::META).plugin("switch", Switch::META));
        let wrong = |text: &str| {
            folder.write(
                "agent.yaml",
                &format!("word: {{enabled: {text}, port: x}}\nswitch: {{enabled: false, port: x}}"),
            );
            let mut config = Config::new();
            config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
            let dir = format!("{}/", folder.path().display());
            let mistakes = config.check(&known).into_iter().map(|mistake| mistake.to_string().replace(&dir, ""));
            mistakes.collect::<Vec<_>>()
        };
        let what = "key `word.enabled` switches the plugin on and off, but in its config type it is not a boolean";
        let port = "takes a whole number from 0 to 65535, not the text `x`";
        for text in ["true", "yes", "[x]"] {
            let mut mistakes = wrong(text);
            mistakes.sort();
            let at = 29 + text.len() - 4;
            assert_eq!(
                mistakes,
                [
                    format!("agent.yaml:1:17: {what}"),
                    format!("agent.yaml:1:{at}: key `word.port` {port}"),
                    format!("agent.yaml:2:32: key `switch.port` {port}"),
                ]
            );
        }
        let defects: Vec<_> = known.defects().iter().map(ToString::to_string).collect();
        assert_eq!(defects, [format!("default: {what}")]);
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Tagged {
        Of { enabled: bool, port: u16 },
    }

    impl Default for Tagged {
        fn default() -> Self {
            Tagged::Of { enabled: true, port: 1 }
        }
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Flat {
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Inner {
        enabled: bool,
        port: u16,
    }

    #[test]
    fn what_the_type_says_of_the_key_too_is_told_once() {
        use crate::config::given::Given;
        for meta in [Tagged::META, Flat::META] {
            let mistakes = Given::file(meta, "kind: of\nenabled: maybe\nport: x").wrong();
            let port = "odd.conf:3:7: key `odd.port` takes a whole number from 0 to 65535, not the text `x`";
            let enabled = "odd.conf:2:10: key `odd.enabled` takes `true` or `false`, not the text `maybe`";
            assert_eq!(mistakes, [enabled, port]);
        }
    }
}
