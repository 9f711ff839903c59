//! Which key is wrong in a value that serde has put by before it has read it: a failure there names no place.

use super::{
    failure::{HIDDEN, PANICKED, Spot, What},
    source::{Step, Way},
    trial::Trial,
    value,
};
use figment::value::Value;

/// So many keys are tried in one mapping, for each mistake that may be told: for each key, all of the section is read.
const MOST: usize = 4;

/// Where it is that is wrong, within a mapping, as far as that can be known; of a secret without the names of keys. It is what this would not be said without.
pub(super) fn culprit(what: &What, spot: &Spot, trial: &Trial<'_>) -> Option<Spot> {
    // the key of a choice may be a secret, in the place of a name
    if !trial.has_keys(spot) {
        return None;
    }
    let mut found = spot.clone();
    match what {
        What::Unknown { key, .. } => unknown(trial.merged, key, &mut found)?,
        // it is told once
        What::Says(words) if words.starts_with(PANICKED) => return None,
        What::Takes(_) | What::Says(_) => {
            let said = said(trial, trial.merged);
            while let Some(key) = inner(trial, &said, &found.way) {
                found.way.push(Step::Key(key.clone()));
                found.path.push(key);
            }
        }
        _ => return None,
    }
    found.entry = trial.layers.number(value::at(trial.merged, &found.way)?.tag(), &found.way);
    let of_secret = match what {
        What::Takes(takes) => takes.of_secret,
        What::Says(words) => words.ends_with(HIDDEN),
        _ => false,
    };
    // which of the keys on the way is the secret, nobody knows
    Some(if of_secret { Spot { path: spot.path.clone(), ..found } } else { found })
}

/// What is wrong with a value, to be compared.
fn said(trial: &Trial<'_>, value: &Value) -> Option<(String, Option<Way>)> {
    let failure = trial.reads(value).err()?;
    Some((format!("{:?}", failure.what), failure.spot.map(|spot| spot.way)))
}

/// The only key of a mapping without which something else is said, or nothing.
fn inner(trial: &Trial<'_>, said: &Option<(String, Option<Way>)>, around: &[Step]) -> Option<String> {
    let most = MOST * trial.layers.most_mistakes();
    let dict = value::at(trial.merged, around)?.as_dict().filter(|dict| dict.len() <= most)?;
    let way = |key: &str| around.iter().cloned().chain([Step::Key(key.to_string())]).collect::<Way>();
    let is_cause = |key: &&String| {
        let mut without = trial.merged.clone();
        value::remove(&mut without, &way(key));
        self::said(trial, &without) != *said
    };
    // without the tag of an enum nothing is read, but another one is told at itself
    let is_tag = |key: &String| {
        let mut other = trial.merged.clone();
        value::replace(&mut other, &way(key), value::text("\0"));
        trial.reads(&other).is_err_and(|failure| failure.spot.is_some_and(|spot| spot.way == way(key)))
    };
    let mut causes = dict.keys().filter(is_cause).filter(|key| !is_tag(key));
    let cause = causes.next()?;
    causes.next().is_none().then(|| cause.clone())
}

/// Goes to the only key of that name; it is told as a key of what it is in.
fn unknown(merged: &Value, key: &str, spot: &mut Spot) -> Option<()> {
    let mut all = Vec::new();
    collect(value::at(merged, &spot.way)?, key, &mut Way::new(), &mut all);
    let [way] = <[_; 1]>::try_from(all).ok()?;
    let (_, around) = way.split_last()?;
    for step in around {
        match (step, spot.path.last_mut()) {
            (Step::Index(index), Some(last)) => *last = format!("{last}[{index}]"),
            (Step::Key(key), _) => spot.path.push(key.clone()),
            _ => {}
        }
    }
    spot.way.extend(way);
    Some(())
}

fn collect(around: &Value, key: &str, way: &mut Way, all: &mut Vec<Way>) {
    let mut inner = |step: Step, value: &Value| {
        let is_it = matches!(&step, Step::Key(here) if here == key);
        way.push(step);
        if is_it {
            all.push(way.clone());
        }
        collect(value, key, way, all);
        way.pop();
    };
    match around {
        Value::Dict(_, dict) => dict.iter().for_each(|(key, value)| inner(Step::Key(key.clone()), value)),
        Value::Array(_, items) => items.iter().enumerate().for_each(|(at, value)| inner(Step::Index(at), value)),
        _ => {}
    }
}
