//! Finds the value, name or key in a buffered value that a failure is about: if another one is put in its place, the
//! failure is about that. So the search takes no more readings for what is further in.

use super::trial::Trial;
use crate::config::{
    read::unexpected::unexpected,
    written::{
        value,
        way::{Step, Way},
    },
    wrong::{
        failure::{Failure, Mark, NO_NAME, Takes, What},
        spot::Spot,
    },
};
use figment::value::{Num, Value};
use serde::de::Unexpected;

/// The most equal values that are tried one by one, and the most that are told apart at once.
const MOST_EQUAL: usize = 50;
const AT_ONCE: usize = 200;

/// The way to it; `None` if it is something else than a text, a number, a truth value, a name or a key in there, or if
/// it cannot be found.
pub(super) fn find_marked(what: &What, spot: &Spot, trial: &Trial<'_>) -> Option<Way> {
    let here = value::at(trial.merged, &spot.way)?;
    let mut all = Vec::new();
    collect_ways(here, &mut spot.way.clone(), &|value| may_be(what, value), trial, &mut all);
    if let What::Takes(takes) = what
        && let Some(way) = find_among_numbers(takes, spot, all.clone(), trial)
    {
        return Some(way);
    }
    let mut way = all.into_iter().take(MOST_EQUAL).find(|way| {
        let all = replacements(what).iter().take_while(|_| !trial.is_spent());
        all.into_iter().any(|replacement| is_at(way, *replacement, (what, spot), trial))
    })?;
    if let What::Unknown { key, .. } = what {
        way.push(Step::Key(key.clone()));
    }
    Some(way)
}

/// Finds the one of several equal numbers at which a text is wanted. Each is replaced by a different number, which is
/// as right as before where a number is wanted.
fn find_among_numbers(takes: &Takes, spot: &Spot, mut all: Vec<Way>, trial: &Trial<'_>) -> Option<Way> {
    let is_number = |way: &Way| matches!(value::at(trial.merged, way), Some(Value::Num(..)));
    if !takes.wants_text() || all.len() < 2 || !all.iter().all(is_number) {
        return None;
    }
    for _ in 0..MOST_EQUAL {
        let some = &all[..all.len().min(AT_ONCE)];
        if some.is_empty() || trial.is_spent() {
            return None;
        }
        let (mut value, mut marks) = (trial.merged.clone(), Vec::new());
        let mut numbers = (1..).map(|number| (Num::U8(number), Some(Mark::of(&Unexpected::Unsigned(number.into())))));
        for way in some {
            // Numbers that are not replaced are told apart from the new ones.
            let (number, mark) = numbers.find(|(_, mark)| *mark != takes.mark)?;
            let another = Value::Num(value::at(&value, way)?.tag(), number);
            marks.push(mark);
            value::replace(&mut value, way, another);
        }
        let Err(Failure { what: What::Takes(takes_now), spot: Some(around) }) = trial.try_read(&value) else {
            return None;
        };
        if around.way != spot.way {
            return None;
        }
        match marks.iter().position(|mark| takes_now.mark == *mark) {
            Some(at) if takes_now.wants_text() => return Some(all.swap_remove(at)),
            // A number is wanted there, but the new one is out of its range.
            Some(at) => drop(all.remove(at)),
            // The failure is about none of these.
            None if takes_now.mark == takes.mark => drop(all.drain(..marks.len())),
            None => return None,
        }
    }
    None
}

/// What is put in its place.
#[derive(Clone, Copy)]
enum Replacement {
    Text,
    Number,
    Key,
}

fn replacements(what: &What) -> &'static [Replacement] {
    match what {
        // A text would be right there.
        What::Takes(takes) if takes.wants_text() => &[Replacement::Number],
        What::Takes(_) => &[Replacement::Text, Replacement::Number],
        What::NoVariant { .. } => &[Replacement::Text],
        What::Unknown { .. } => &[Replacement::Key],
        _ => &[],
    }
}

/// May the failure be about this value, or about an equal one?
fn may_be(what: &What, value: &Value) -> bool {
    match (what, value) {
        (What::Unknown { key, .. }, Value::Dict(_, dict)) => dict.contains_key(key),
        (_, Value::Dict(..) | Value::Array(..)) => false,
        (What::Takes(takes), _) => takes.mark == Some(Mark::of(&unexpected(value))),
        (What::NoVariant { found, .. }, Value::String(_, text)) => found.ends_with(&format!("not `{text}`")),
        _ => false,
    }
}

/// Is the failure about what is here? Then it is about the replacement if that is put here.
fn is_at(way: &[Step], replacement: Replacement, (what, spot): (&What, &Spot), trial: &Trial<'_>) -> bool {
    let mut value = trial.merged.clone();
    let another = match (what, replacement, value::at(&value, way)) {
        (What::Unknown { key, .. }, Replacement::Key, Some(Value::Dict(tag, dict))) => {
            let renamed = |of: &String| if of == key { NO_NAME.to_string() } else { of.clone() };
            Value::Dict(*tag, value::dict(dict.iter().map(|(of, inner)| (renamed(of), inner.clone()))))
        }
        (_, Replacement::Text, Some(here)) => Value::String(here.tag(), NO_NAME.to_string()),
        (_, Replacement::Number, Some(here)) => Value::Num(here.tag(), Num::F64(0.001_953_125)),
        _ => return false,
    };
    let mark = Some(Mark::of(&unexpected(&another)));
    value::replace(&mut value, way, another);
    let Err(Failure { what: failure, spot: Some(around) }) = trial.try_read(&value) else { return false };
    around.way == spot.way
        && match (what, failure) {
            (What::Takes(takes), What::Takes(takes_now)) => {
                mark != takes.mark && (&takes_now.wanted, takes_now.mark) == (&takes.wanted, mark)
            }
            (What::NoVariant { names, .. }, What::NoVariant { found, names: of }) => {
                *names == of && found.contains(NO_NAME)
            }
            // A type with the same known keys would refuse the original key, too.
            (What::Unknown { known, .. }, What::Unknown { key, known: of }) => *known == of && key == NO_NAME,
            _ => false,
        }
}

/// The ways to all such values, except those that are left out, in the order in which they are read.
pub(super) fn collect_ways(
    value: &Value,
    way: &mut Way,
    is_wanted: &dyn Fn(&Value) -> bool,
    trial: &Trial<'_>,
    all: &mut Vec<Way>,
) {
    if is_wanted(value) {
        all.push(way.clone());
    }
    let mut inner = |step: Step, inner: &Value| {
        way.push(step);
        if !trial.is_left_out(inner, way) {
            collect_ways(inner, way, is_wanted, trial, all);
        }
        way.pop();
    };
    match value {
        Value::Dict(_, dict) => dict.iter().for_each(|(key, value)| inner(Step::Key(key.clone()), value)),
        Value::Array(_, items) => items.iter().enumerate().for_each(|(at, item)| inner(Step::Index(at), item)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given};
    use serde::{Deserialize, Deserializer, Serialize};
    use std::{cell::Cell, collections::BTreeMap};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        tag: Option<Tag>,
        big: Option<Big>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tag {
        Tree {
            #[serde(deserialize_with = "counted")]
            name: String,
            #[serde(default)]
            kids: Vec<Tag>,
            pair: Option<(u8, u8)>,
            n: Option<u64>,
        },
        Leaf {},
    }

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        READ.set(READ.get() + 1);
        String::deserialize(deserializer)
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Big {
        Pile { by: BTreeMap<String, Row> },
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Row {
        user: String,
        n: Option<u16>,
    }

    fn wrong(file: &str) -> Vec<String> {
        let Given { config, known, .. } = Given::file(Odd::META, file);
        config.check(&known).into_iter().map(|told| told.what).collect()
    }

    #[test]
    fn a_wrong_value_far_in_takes_no_more_readings() {
        let names = |depth: usize, leaf: &str, key: &str, told: &str| {
            READ.set(0);
            let nested =
                (1..depth).fold(leaf.to_string(), |inner, _| format!("{{kind: tree, name: x, n: 1, kids: [{inner}]}}"));
            let around = "kids[0].".repeat(depth - 1);
            assert_eq!(wrong(&format!("tag: {nested}")), [format!("key `odd.tag.{around}{key}` {told}")]);
            READ.get()
        };
        for (leaf, key, told) in [
            ("{kind: tree, name: x, n: x}", "n", "takes a whole number, 0 or more, not the text `x`"),
            ("{kind: leaf, n: 1}", "n", "is unknown"),
        ] {
            let (few, many) = (names(10, leaf, key, told), names(30, leaf, key, told));
            assert!(many <= 4 * few, "{leaf}: {few} {many}");
        }
    }

    #[test]
    fn each_item_of_so_many_is_told() {
        let byte = "takes a whole number from 0 to 255, not the text `x`";
        let told = wrong("tag: {kind: tree, name: x, pair: [x, x], kids: [{kind: tree, name: x, pair: [1, x]}]}");
        let told_of = |key: &str| format!("key `odd.tag.{key}` {byte}");
        assert_eq!(told, [told_of("pair[0]"), told_of("pair[1]"), told_of("kids[0].pair[1]")]);
    }

    #[test]
    fn the_same_digits_are_a_text_here_and_a_number_there() {
        let Given { mut config, known, .. } = Given::file(Odd::META, "big: {kind: pile}");
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            for key in ["user", "n"] {
                config.set_flag("odd", &format!("big.by.{name}.{key}"), "1", "set");
            }
        }
        assert_eq!(config.check(&known), []);
        let Some(Big::Pile { by }) = config.section::<Odd>("odd").unwrap().big else { panic!("it is not there") };
        assert!(by.len() == 8 && by.values().all(|row| row.user == "1" && row.n == Some(1)), "{by:?}");
    }

    /// Each number is replaced by a different one, so not each needs a reading of its own.
    #[test]
    fn of_hundreds_of_the_same_digits_those_are_numbers_that_are_to_be() {
        const COUNT: usize = 220;
        let Given { mut config, known, .. } = Given::file(Odd::META, "big: {kind: pile}");
        for at in 0..COUNT {
            config.set_flag("odd", &format!("big.by.a{at:03}.n"), "1", "set");
            config.set_flag("odd", &format!("big.by.a{at:03}.user"), &format!("u{at}"), "set");
        }
        for key in ["y.user", "y.n", "z.user", "z.n"] {
            config.set_flag("odd", &format!("big.by.{key}"), "1", "set");
        }
        assert_eq!(config.check(&known), []);
        let Some(Big::Pile { by }) = config.section::<Odd>("odd").unwrap().big else { panic!("it is not there") };
        assert!(by["y"].user == "1" && by["z"].user == "1", "{by:?}");
        assert!(by.len() == COUNT + 2 && by.values().all(|row| row.n == Some(1)), "{by:?}");
    }
}
