//! Collects the values in force for each key of all sections, and where they come from.

use super::{
    effective::{EffectiveSection, EffectiveValue},
    one_line::scalar,
    unsaid,
};
use crate::config::{
    find::extract::{Depth, Outcome},
    said::{agent_keys::ENABLED, entry::Entry, source::Source},
    sections::{
        agent_keys::AgentKeys,
        config::Config,
        known::{Known, KnownSection},
    },
    types::{duration::Duration, secret},
    written::{key, place::Part, value},
    wrong::spot::Spot,
};
use std::{collections::BTreeSet, sync::Arc};
use yaml_serde::Value;

impl Config {
    /// Every section with its keys, as its plugin sees it. `under` is what the program sets below this config; `agents`
    /// is what it sets of the agent's keys.
    pub(crate) fn effective(&self, known: &Known, under: &Config, agent_keys: &Config) -> Vec<EffectiveSection> {
        // What the files say by now. Only live sections use it.
        let now = self.followers.now();
        // The agent's own section comes first.
        let mut limits = unsaid::Limits::new();
        let section = |section: &KnownSection| {
            let newer = now.as_deref().filter(|_| section.meta.live).unwrap_or(self);
            let mut values = newer.clone().with_program_under(under.clone()).values(section);
            if section.is_own && limits.is_empty() {
                limits = unsaid::limits(&values);
            }
            // The agent's keys are read only at a start.
            let mut all = self.clone().with_program_under(agent_keys.clone()).keys_of_agent(section, &limits);
            all.append(&mut values);
            let values = all;
            let has_changed = |now: &Arc<Config>| !section.meta.live && now.differs(self, section);
            EffectiveSection { name: section.name, outdated: now.as_ref().is_some_and(has_changed), values }
        };
        known.iter().map(section).collect()
    }

    fn values(&self, section: &KnownSection) -> Vec<EffectiveValue> {
        let mut entries = self.entries(section.name);
        let (_, value) = section.read(&entries, true);
        let value = value.map(without_tags).unwrap_or_default();
        // The section is read again with its whole value as the lowest layer, so that every key is met and has an
        // origin.
        let defaults = Entry::of_default(section.name, value::from_yaml(value.clone()));
        entries.all.push(&defaults);
        let (outcome, _) = section.read(&entries, false);
        let mut values = Values { outcome: &outcome, all: Vec::new() };
        if let Value::Mapping(mapping) = value {
            values.add_mapping(&mut Vec::new(), &mapping);
        }
        values.all
    }

    /// The values in force for the agent's keys in a plugin's section, except for keys that the plugin's type has
    /// itself.
    fn keys_of_agent(&self, section: &KnownSection, limits: &unsaid::Limits) -> Vec<EffectiveValue> {
        if section.is_own {
            return Vec::new();
        }
        let keys = section.keys_of_agent();
        let mut all = Vec::new();
        if keys.contains(&ENABLED) && !self.is_set(section.name, ENABLED) {
            all.push(EffectiveValue::new(vec![ENABLED.to_string()], true.into(), Source::Default.to_string()));
        }
        all.append(&mut self.agent_values(section, &keys));
        unsaid::complete(all, &keys, limits)
    }

    /// These of the agent's keys, if they are set.
    fn agent_values(&self, section: &KnownSection, keys: &[&str]) -> Vec<EffectiveValue> {
        let (keys, outcome): (AgentKeys, _) = self.agent_keys(section.name, keys, Depth::Top);
        let mut values = Values { outcome: &outcome, all: Vec::new() };
        if let Ok(Value::Mapping(mapping)) = yaml_serde::to_value(keys) {
            values.add_mapping(&mut Vec::new(), &mapping);
        }
        values.all
    }
}

struct Values<'a> {
    outcome: &'a Outcome,
    all: Vec<EffectiveValue>,
}

impl Values<'_> {
    fn add_mapping(&mut self, path: &mut Vec<String>, mapping: &yaml_serde::Mapping) {
        let is_struct = self.outcome.notes.structs.contains(path);
        let shown = |key: &Value| {
            let key = key.as_str().map_or_else(|| scalar(key), str::to_string);
            if is_struct { key::kebab(&key) } else { key }
        };
        let keys: Vec<_> = mapping.keys().map(shown).collect();
        for (name, value) in keys.iter().zip(mapping.values()) {
            path.push(name.clone());
            let time = self.outcome.notes.durations.contains(path).then(|| time(value)).flatten();
            let (value, secret) = (time.as_ref().unwrap_or(value), has_secret(value));
            // An enum with a secret is shown as a whole: without its content it would be invalid.
            let is_hidden = secret && self.outcome.notes.choices.contains(path);
            match value {
                Value::Mapping(inner) if !inner.is_empty() && !is_hidden => self.add_mapping(path, inner),
                value => {
                    let origin = if secret { self.origin_of_secret(path) } else { self.origin(path, &keys) };
                    let (path, value) = (path.clone(), value.clone());
                    self.all.push(EffectiveValue { secret, ..EffectiveValue::new(path, value, origin) });
                }
            }
            path.pop();
        }
    }

    /// Where a secret comes from. A default has no origin, since a masked value cannot be read back. An enum that is
    /// shown as a whole may come from several layers.
    fn origin_of_secret(&self, path: &[String]) -> String {
        let origins = &self.outcome.notes.origins;
        let Some(spot) = origins.get(path) else { return Source::Default.to_string() };
        let within = origins.iter().filter(|(other, _)| other.len() > path.len() && other.starts_with(path));
        let mut entries = BTreeSet::new();
        entries.extend(within.map(|(_, spot)| spot.entry).filter(|entry| !self.outcome.layers.is_default(*entry)));
        let places = entries.into_iter().map(|entry| self.place(&Spot { entry, ..spot.clone() })).collect::<Vec<_>>();
        let mut origin = if places.len() > 1 { places.join(" and ") } else { self.place(spot) };
        let files = &self.outcome.notes.secret_files;
        for (_, file) in files.iter().filter(|(within, _)| within.starts_with(path)) {
            origin = format!("{origin}, from the file {}", file.display());
        }
        origin
    }

    /// Where the value of a key comes from. `keys` are all the keys of its mapping.
    fn origin(&self, path: &[String], keys: &[String]) -> String {
        const OTHER_NAME: &str = "set by another name of it";
        if let Some(spot) = self.outcome.notes.origins.get(path) {
            // A mapping that sets a key by an alias was left out beside its defaults, which have the key by its name.
            let is_around = |of: &Vec<String>| path.starts_with(of);
            let is_default = self.outcome.layers.is_default(spot.entry);
            return if is_default && self.outcome.named_twice.iter().any(is_around) {
                OTHER_NAME.to_string()
            } else {
                self.place(spot)
            };
        }
        // The key was set by an alias.
        let Some((_, around)) = path.split_last() else { return String::new() };
        let mut others = self.outcome.notes.origins.iter().filter(|(other, _)| {
            other
                .split_last()
                .is_some_and(|(key, before)| before == around && !key.ends_with(']') && !keys.contains(key))
        });
        match (others.next(), others.next()) {
            (Some((_, spot)), None) => self.place(spot),
            _ => OTHER_NAME.to_string(),
        }
    }

    fn place(&self, spot: &Spot) -> String {
        self.outcome.layers.place(spot, Part::Key).to_string()
    }
}

/// A duration of the standard library, in the form in which it is written.
fn time(value: &Value) -> Option<Value> {
    let time: std::time::Duration = yaml_serde::from_value(value.clone()).ok()?;
    Some(Value::from(Duration::from(time).to_string()))
}

/// Replaces `!One x` by `One: x`, which can be written as JSON.
fn without_tags(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string().trim_start_matches('!').to_string();
            Value::Mapping([(Value::from(tag), without_tags(tagged.value))].into_iter().collect())
        }
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(without_tags).collect()),
        Value::Mapping(mapping) => {
            Value::Mapping(mapping.into_iter().map(|(key, value)| (key, without_tags(value))).collect())
        }
        other => other,
    }
}

fn has_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => text == secret::MASK,
        Value::Sequence(items) => items.iter().any(has_secret),
        Value::Mapping(mapping) => mapping.values().any(has_secret),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Known, Secret, Section as _};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Odd {
        labels: BTreeMap<String, f64>,
        numbers: BTreeMap<i32, Vec<Option<bool>>>,
        secrets: BTreeMap<String, Secret>,
    }

    #[derive(Serialize, Deserialize)]
    struct Named {
        #[serde(alias = "older")]
        newer: String,
        #[serde(flatten)]
        more: More,
    }

    #[derive(Serialize, Deserialize)]
    struct More {
        plus: u8,
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Flat {
        it: Option<Named>,
        seven: u8,
    }

    #[test]
    fn what_is_said_by_another_name_is_no_default() {
        let known = Known::none().with("flat", Flat::META);
        let it = BTreeMap::from([("older", "x".to_string())]);
        let config = Config::new().set("flat", "it", it).set("flat", "it.plus", 1);
        let all = config.effective(&known, &Config::new(), &Config::new());
        let origins: Vec<_> = all[0].values.iter().map(|value| (value.key(), value.origin())).collect();
        let other = "set by another name of it";
        assert_eq!(
            origins,
            [("it.newer".to_string(), other), ("it.plus".to_string(), other), ("seven".to_string(), "default")]
        );
    }

    #[test]
    fn values_are_json_and_secrets_are_not_there() {
        let known = Known::none().with("odd", Odd::META);
        let config = Config::new().set("odd", "labels", BTreeMap::from([("a.b", f64::INFINITY), ("c", 1.5)])).set(
            "odd",
            "secrets",
            BTreeMap::from([("key", "hunter2")]),
        );
        let all = serde_json::to_value(config.effective(&known, &Config::new(), &Config::new())).unwrap();
        let origin_of_program = "set by the program";
        let expected = serde_json::json!([{ "name": "odd", "outdated": false, "values": [
            { "key": "labels.\"a.b\"", "value": ".inf", "origin": origin_of_program, "secret": false },
            { "key": "labels.c", "value": 1.5, "origin": origin_of_program, "secret": false },
            { "key": "numbers", "value": {}, "origin": "default", "secret": false },
            { "key": "secrets.key", "value": "***", "origin": origin_of_program, "secret": true },
        ]}]);
        assert_eq!(all, expected);
    }
}
