//! [`AgentKeys`]: the keys of a plugin's section that are the agent's.

use super::{Config, Known, KnownSection, Mistake, Part, PhaseLimits, entry::Entry, extract, section::Named};
use serde::{Deserialize, Serialize};

/// Their names. Where a plugin's section has a key of that name, it is the plugin's.
pub(super) const AGENT_KEYS: &[&str] = &[ENABLED, START_POLICY, LIMITS];
/// Those of a plugin that can not be switched off.
pub(super) const AGENT_KEYS_OF_ALL: &[&str] = &[START_POLICY, LIMITS];
pub(super) const ENABLED: &str = "enabled";
pub(super) const START_POLICY: &str = "start-policy";
pub(super) const LIMITS: &str = "limits";

/// What a plugin's section says to the agent.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct AgentKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_policy: Option<OnFailure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<PhaseLimits>,
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

    /// The start policies and the limits that are set, by section.
    pub(crate) fn set_of_plugins(&self, known: &Known) -> Vec<(&'static str, AgentKeys)> {
        let keys = |section: &KnownSection| {
            if !AGENT_KEYS_OF_ALL.iter().any(|key| self.says(section.name, key)) {
                return None;
            }
            // they may be keys of the plugin's
            let noted = section.read(&self.entries(section.name), false).0.notes.agent_keys;
            let keys = |key: &str| noted.contains_key(key).then(|| self.agent_keys(section.name, key).0);
            let start_policy = keys(START_POLICY).and_then(|keys| keys.start_policy);
            let limits = keys(LIMITS).and_then(|keys| keys.limits);
            Some((section.name, AgentKeys { enabled: None, start_policy, limits }))
        };
        known.iter().filter(|section| !section.is_own).filter_map(keys).collect()
    }

    /// What a plugin's section says by one of the agent's keys.
    pub(super) fn agent_keys(&self, section: &str, key: &str) -> (AgentKeys, extract::Outcome) {
        let entries: Vec<Entry> = self.entries(section).into_iter().filter_map(|entry| entry.only(key)).collect();
        let (keys, outcome) = extract::extract(Named::plain(section), &entries.iter().collect::<Vec<_>>());
        (keys.unwrap_or_default(), outcome)
    }

    /// Which of the agent's keys say something else than before, and where: they are read at a start only.
    pub(super) fn later_keys(&self, before: &Config, section: &KnownSection) -> Vec<String> {
        let said = |config: &Config| section.read(&config.entries(section.name), false).0;
        let (now, then) = (said(self), said(before));
        let value = |config: &Config, read: &extract::Outcome, key: &str| {
            // it may be a key of the plugin's
            let is_said = read.notes.agent_keys.contains_key(key);
            is_said.then(|| yaml_serde::to_string(&config.agent_keys(section.name, key).0).unwrap_or_default())
        };
        let changed = AGENT_KEYS.iter().filter(|key| value(self, &now, key) != value(before, &then, key));
        let told = |key: &&str| {
            let name = format!("key `{}.{key}`", section.name);
            match (now.notes.agent_keys.get(*key), then.notes.agent_keys.get(*key)) {
                (Some(spot), _) => {
                    format!("{}: {name} has changed", now.layers.place(spot, Part::Key))
                }
                (None, Some(spot)) => format!("{}: {name} is gone", then.layers.place(spot, Part::Key)),
                (None, None) => name,
            }
        };
        changed.map(|key| format!("{}: a new start of the agent will see it", told(key))).collect()
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
        let said = AGENT_KEYS_OF_ALL.iter().filter(|key| read.notes.agent_keys.contains_key(**key));
        mistakes.extend(said.flat_map(|key| self.agent_keys(section.name, key).1.mistakes));
        mistakes
    }
}
