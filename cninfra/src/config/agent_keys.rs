//! [`AgentKeys`]: the keys of a plugin's section that are the agent's.

use super::{Config, Known, KnownSection, Mistake, Part, entry::Entry, extract};
use serde::{Deserialize, Serialize};

/// Their names. Where a plugin's section has a key of that name, it is the plugin's.
pub(super) const AGENT_KEYS: [&str; 2] = [ENABLED, START_POLICY];
pub(super) const ENABLED: &str = "enabled";
pub(super) const START_POLICY: &str = "start-policy";

/// What a plugin's section says to the agent.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct AgentKeys {
    pub(super) enabled: Option<bool>,
    pub(super) start_policy: Option<OnFailure>,
}

/// What follows when a plugin's `init` fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnFailure {
    Fail,
    Retry,
    Ignore,
}

impl Config {
    /// May this optional plugin start?
    pub(crate) fn is_enabled(&self, section: &str) -> bool {
        self.agent_keys(section, ENABLED).0.enabled.unwrap_or(true)
    }

    /// The start policies that are set, by section.
    pub(crate) fn start_policies(&self, known: &Known) -> Vec<(&'static str, OnFailure)> {
        let policy = |section: &KnownSection| {
            let policy = self.agent_keys(section.name, START_POLICY).0.start_policy?;
            // it may be a key of the plugin's
            let (outcome, _) = (section.meta.read)(section.name, &self.entries(section.name), false);
            outcome.notes.agent_keys.contains_key(START_POLICY).then_some((section.name, policy))
        };
        known.iter().filter(|section| !section.is_own).filter_map(policy).collect()
    }

    /// What a plugin's section says by one of the agent's keys.
    pub(super) fn agent_keys(&self, section: &str, key: &str) -> (AgentKeys, extract::Outcome) {
        let entries: Vec<Entry> = self.entries(section).into_iter().filter_map(|entry| entry.only(key)).collect();
        extract::extract(section, &entries.iter().collect::<Vec<_>>())
    }

    /// What is wrong with the agent's keys in a section that has been read.
    pub(super) fn check_agent_keys(&self, section: &KnownSection, read: &extract::Outcome) -> Vec<Mistake> {
        let refused = |key: &str, what: &str, help: &str| {
            let spot = read.notes.agent_keys.get(key)?;
            let what = format!("key `{}.{key}`{what}", section.name);
            Some(Mistake::new(read.layers.place(spot, Part::Key), what).of(section.name).help(help))
        };
        if section.is_own {
            let help = "it is a key of a plugin's section";
            return AGENT_KEYS.iter().filter_map(|key| refused(key, " is unknown", help)).collect();
        }
        let mut mistakes = Vec::new();
        if section.optional {
            mistakes.extend(self.agent_keys(section.name, ENABLED).1.mistakes);
        } else {
            let help = "in the flavor, an optional plugin is a field `Option<Dep<..>>`; this key can only be taken out";
            mistakes.extend(refused(ENABLED, ": the plugin is not an optional one of its flavor", help));
        }
        if read.notes.agent_keys.contains_key(START_POLICY) {
            mistakes.extend(self.agent_keys(section.name, START_POLICY).1.mistakes);
        }
        mistakes
    }
}
