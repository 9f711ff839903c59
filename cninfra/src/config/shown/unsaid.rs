//! Adds the agent's keys that a plugin's section does not set, with the values in force: for `--print-config` and the
//! pages.

use super::effective::EffectiveValue;
use crate::config::said::{
    agent_keys::{LIMITS, START_POLICY},
    source::Source,
};
use yaml_serde::{Mapping, Value};

/// The phases that have a limit, and the keys of the section `agent` that set it for all plugins, the most specific
/// first.
const PHASES: [(&str, [&str; 2]); 5] =
    [("create", START), ("init", START), ("after-init", START), ("drain", STOP), ("close", STOP)];
const START: [&str; 2] = ["plugin-start-timeout", "start-timeout"];
const STOP: [&str; 2] = ["plugin-stop-timeout", "stop-timeout"];

/// The limit of each phase for plugins that set none, and where it comes from.
pub(super) type Limits = Vec<(&'static str, Value, String)>;

/// The limits for all plugins, from the values of the agent's own section; empty for any other section.
pub(super) fn limits(agent: &[EffectiveValue]) -> Limits {
    let at = |path: &[&str]| agent.iter().find(|value| value.path == path);
    let limit = |(phase, [key, whole]): &(&'static str, [&str; 2])| {
        let of_phase = at(&[LIMITS, phase]);
        let holds = of_phase.or_else(|| at(&[key]))?;
        // A default limit of a phase is derived from the time for the whole start or stop.
        let shown = Some(holds).filter(|value| !value.is_default()).or_else(|| at(&[whole]))?;
        Some((*phase, holds.value.clone(), shown.origin.clone()))
    };
    PHASES.iter().filter_map(limit).collect()
}

/// Completes what a section sets of those agent's keys that it has with the values in force for the others.
pub(super) fn complete(mut values: Vec<EffectiveValue>, keys: &[&str], limits: &Limits) -> Vec<EffectiveValue> {
    let has = |values: &[EffectiveValue], key: &str| values.iter().any(|value| value.path[0] == key);
    let is_of = |key: &str| keys.contains(&key);
    if is_of(START_POLICY) && !has(&values, START_POLICY) {
        let at = values.iter().take_while(|value| value.path[0] != LIMITS).count();
        let origin = Source::Default.to_string();
        values.insert(at, EffectiveValue::new(vec![START_POLICY.to_string()], "fail".into(), origin));
    }
    if !is_of(LIMITS) || limits.is_empty() {
        return values;
    }
    let default = Source::Default.to_string();
    // Limits without any entry say nothing.
    values.retain(|value| value.path != [LIMITS]);
    if !has(&values, LIMITS) {
        let (mut all, mut origins) = (Mapping::new(), Vec::new());
        for (phase, limit, origin) in limits {
            all.insert((*phase).into(), limit.clone());
            if !origins.contains(origin) && *origin != default {
                origins.push(origin.clone());
            }
        }
        let origin = if origins.is_empty() { default } else { origins.join(" and ") };
        values.push(EffectiveValue {
            follows: true,
            ..EffectiveValue::new(vec![LIMITS.to_string()], all.into(), origin)
        });
        return values;
    }
    for (phase, limit, origin) in limits {
        let path = vec![LIMITS.to_string(), (*phase).to_string()];
        if values.iter().all(|value| value.path != path) {
            values.push(EffectiveValue { follows: true, ..EffectiveValue::new(path, limit.clone(), origin.clone()) });
        }
    }
    values
}
