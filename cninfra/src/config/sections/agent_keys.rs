//! [`AgentKeys`]: the keys in a plugin's section that belong to the agent.

use super::{
    config::Config,
    known::{Known, KnownSection},
};
use crate::config::{
    find::extract::{self, Depth},
    read::named::Named,
    said::{
        agent_keys::{AGENT_KEYS, AGENT_KEYS_OF_ALL, ENABLED},
        entry::{Entries, Entry},
    },
    types::phase_limits::PhaseLimits,
    written::place::Part,
    wrong::{mistake::Mistake, spot::Spot},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a plugin's section sets for the agent.
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

/// What happens when a plugin's `init` fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnFailure {
    Fail,
    Retry,
    Ignore,
}

impl Config {
    /// Is this optional plugin switched on?
    pub(crate) fn is_enabled(&self, section: &str) -> bool {
        self.agent_keys(section, &[ENABLED], Depth::Top).0.enabled.unwrap_or(true)
    }

    /// The start policies and limits that are set, by section.
    pub(crate) fn policies_and_limits(&self, known: &Known) -> Vec<(&'static str, AgentKeys)> {
        let keys = |section: &KnownSection| {
            if !AGENT_KEYS_OF_ALL.iter().any(|key| self.is_set(section.name, key)) {
                return None;
            }
            // A key of that name may belong to the plugin.
            let noted = section.read(&self.entries(section.name), false).0.notes.agent_keys;
            let keys = AGENT_KEYS_OF_ALL.iter().copied().filter(|key| noted.contains_key(*key));
            Some((section.name, self.agent_keys(section.name, &keys.collect::<Vec<_>>(), Depth::Top).0))
        };
        known.iter().filter(|section| !section.is_own).filter_map(keys).collect()
    }

    /// Reads these keys of the agent's from a plugin's section.
    pub(in crate::config) fn agent_keys(
        &self,
        section: &str,
        keys: &[&str],
        depth: Depth,
    ) -> (AgentKeys, Box<extract::Outcome>) {
        let entries: Vec<Entry> = self.entries(section).all.into_iter().filter_map(|entry| entry.only(keys)).collect();
        let entries = Entries { all: entries.iter().collect(), ..Entries::default() };
        let (keys, outcome) = extract::extract(Named::plain(section), &entries, depth);
        (keys.unwrap_or_default(), outcome)
    }

    /// The agent's keys in a section that has been read.
    pub(super) fn agent_key_values(&self, section: &KnownSection, read: &extract::Outcome) -> AgentKeyValues {
        // Keys that are not noted belong to the plugin.
        let noted = AGENT_KEYS.iter().filter_map(|key| Some((*key, read.notes.agent_keys.get(*key)?)));
        let noted: Vec<_> = noted.collect();
        let keys: Vec<_> = noted.iter().map(|(key, _)| *key).collect();
        let (value_set, _) = self.agent_keys(section.name, &keys, Depth::Top);
        let values = yaml_serde::to_value(value_set).unwrap_or_default();
        let value_set = |(key, spot): (&'static str, &Spot)| {
            let value = values.get(key).cloned().unwrap_or_default();
            (key, AgentKeyValue { value, place: read.layers.place(spot, Part::Key).to_string() })
        };
        let mut keys = AgentKeyValues::new();
        keys.extend(noted.into_iter().map(value_set));
        keys
    }

    /// The mistake that the plugin's own key `enabled` is set, but is not a switch as the agent needs it.
    pub(super) fn unusable_enabled(&self, section: &KnownSection, read: &extract::Outcome) -> Option<Mistake> {
        let spot = read.layers.spot_of_key(ENABLED)?;
        section.unusable_enabled(read.layers.place(&spot, Part::Value))
    }

    /// The mistakes in the agent's keys of a section that has been read.
    pub(super) fn check_agent_keys(&self, section: &KnownSection, read: &extract::Outcome) -> Vec<Mistake> {
        let refused = |key: &str, what: &str, help: &str| {
            let below = read.notes.overridden_agent_keys.iter().filter(|(of, _)| of == key).map(|(_, spot)| spot);
            let mistake = |spot| {
                let what = format!("key `{}.{key}`{what}", section.name);
                Mistake::new(read.layers.place(spot, Part::Key), what).in_section(section.name).help(help)
            };
            read.notes.agent_keys.get(key).into_iter().chain(below).map(mistake).collect::<Vec<_>>()
        };
        if section.is_own {
            let help = "it is a key of a plugin's section";
            return AGENT_KEYS.iter().flat_map(|key| refused(key, " is unknown", help)).collect();
        }
        let mut keys: Vec<&str> =
            AGENT_KEYS_OF_ALL.iter().copied().filter(|key| read.notes.agent_keys.contains_key(*key)).collect();
        let mut mistakes = Vec::new();
        if section.optional {
            // Otherwise it is reported as a defect of the plugin.
            keys.extend(Some(ENABLED).filter(|_| self.unusable_enabled(section, read).is_none()));
        } else {
            let help = "in the flavor, an optional plugin is a field `Option<Dep<..>>`; this key can only be taken out (`--graph text` shows who needs the plugin)";
            mistakes.extend(refused(ENABLED, ": the plugin is not an optional one of its flavor", help));
        }
        mistakes.extend(self.agent_keys(section.name, &keys, Depth::All).1.mistakes);
        mistakes
    }
}

/// The value of one of the agent's keys in a section. Its place does not count when values are compared.
#[derive(Clone)]
pub(super) struct AgentKeyValue {
    value: yaml_serde::Value,
    place: String,
}

impl PartialEq for AgentKeyValue {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The agent's keys that a section sets.
pub(super) type AgentKeyValues = BTreeMap<&'static str, AgentKeyValue>;

/// Warnings about keys whose values have changed, each with its place: they are read at a start only.
pub(super) fn restart_warnings(section: &str, now: &AgentKeyValues, before: &AgentKeyValues) -> Vec<String> {
    let warning = |key: &&str| {
        let (now, before) = (now.get(*key), before.get(*key));
        let (value_set, what) = match now {
            _ if now == before => return None,
            Some(now) => (now, "has changed"),
            None => (before?, "is gone"),
        };
        Some(format!("{}: key `{section}.{key}` {what}: a new start of the agent will see it", value_set.place))
    };
    AGENT_KEYS.iter().filter_map(warning).collect()
}
