//! Reports names of plugins that the agent does not have.

use super::known::Known;
use crate::config::{
    find::extract::Outcome,
    written::{key, place::Part},
    wrong::mistake::Mistake,
};

/// A mistake for each plugin that the section names but the agent does not have.
pub(super) fn unknown(section: &str, read: &Outcome, known: &Known) -> Vec<Mistake> {
    let has = |name: &str| known.plugin_names().any(|plugin| plugin == name);
    let named = read.notes.plugins.iter().filter(|(_, name)| !has(name));
    let mistake = |(spot, name): &(_, String)| {
        let place = read.layers.place(spot, Part::Value);
        let what = format!("key `{section}.{}` names `{name}`, but this agent has no such plugin", spot.path.join("."));
        let list = known.plugin_names().collect::<Vec<_>>().join("`, `");
        let help = match key::nearest(name, known.plugin_names()) {
            Some(meant) => format!("did you mean `{meant}`? its plugins are `{list}`"),
            None => format!("its plugins are `{list}`"),
        };
        Mistake::new(place, what).in_section(section).help(help)
    };
    named.map(mistake).collect()
}
