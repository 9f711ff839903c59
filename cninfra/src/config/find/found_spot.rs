//! The spot that a mistake is reported for, where it is further in than the failure says.

use super::trial::Trial;
use crate::config::{
    types::secret::HIDDEN,
    written::{
        value,
        way::{Step, Way},
    },
    wrong::{failure::What, spot::Spot},
};

/// The place at the end of this way, if the failure is reported for a place around it.
pub(super) fn found_spot(what: &What, spot: &Spot, way: Way, trial: &Trial<'_>) -> Option<Spot> {
    let mut found = Spot { way, ..spot.clone() };
    found.way[spot.way.len()..].iter().for_each(|step| show(step, &mut found.path));
    // An unknown key is reported as a key of the mapping that it is in.
    if let (What::Unknown { key, .. }, Some(Step::Key(last))) = (what, found.way.last())
        && last == key
    {
        found.path.pop();
    }
    found.entry = trial.layers.layer_of(value::at(trial.merged, &found.way)?.tag(), &found.way);
    let of_secret = match what {
        What::Takes(takes) => takes.of_secret,
        What::Says(words) => words.ends_with(HIDDEN),
        What::Missing { of_secret, .. } => *of_secret,
        _ => false,
    };
    // It is not known which of the keys on the way is the secret.
    Some(if of_secret { Spot { path: spot.path.clone(), ..found } } else { found })
}

/// Adds a step to the path that messages show.
pub(super) fn show(step: &Step, path: &mut Vec<String>) {
    match (step, path.last_mut()) {
        (Step::Index(index), Some(last)) => *last = format!("{last}[{index}]"),
        (Step::Key(key), _) => path.push(key.clone()),
        _ => {}
    }
}
