//! Which value it is that serde tells of, in what it has put by: with another one in its place, it tells of that. So it takes no more readings further in.

use super::{
    failure::{Failure, Mark, NO_NAME, Spot, Takes, What},
    layers::Dropped,
    reader::unexpected,
    source::{Step, Way},
    trial::Trial,
    value,
};
use figment::value::{Num, Value};

/// Of so many of the same text or number each is tried.
const MOST: usize = 50;

/// The way to it; `None` where it is no text, number or truth value in there, or can not be known.
pub(super) fn marked(takes: &Takes, spot: &Spot, trial: &Trial<'_>) -> Option<Way> {
    let mark = takes.mark?;
    let here = value::at(trial.merged, &spot.way)?;
    let mut all = Vec::new();
    find(here, &mut spot.way.clone(), &|value| Mark::of(&unexpected(value)) == mark, (trial, trial.dropped), &mut all);
    all.into_iter().find(|way| {
        let others = [Other::Text, Other::Number];
        // a text may be right there
        let others = others.into_iter().skip(usize::from(takes.wants_text()));
        others.take_while(|_| !trial.is_spent()).any(|other| is_it(takes, spot, way, trial, other))
    })
}

enum Other {
    Text,
    Number,
}

fn is_it(takes: &Takes, spot: &Spot, way: &[Step], trial: &Trial<'_>, other: Other) -> bool {
    let mut value = trial.merged.clone();
    let Some(tag) = value::at(&value, way).map(Value::tag) else { return false };
    let another = match other {
        Other::Text => Value::String(tag, NO_NAME.to_string()),
        Other::Number => Value::Num(tag, Num::F64(0.001_953_125)),
    };
    let mark = Some(Mark::of(&unexpected(&another)));
    value::replace(&mut value, way, another);
    match trial.reads(&value) {
        Err(Failure { what: What::Takes(told), spot: Some(around) }) => {
            (&told.wanted, told.mark, &around.way) == (&takes.wanted, mark, &spot.way) && mark != takes.mark
        }
        _ => false,
    }
}

/// All values that are such, without what is left out, in the order in which they are read.
fn find(value: &Value, way: &mut Way, is_it: &dyn Fn(&Value) -> bool, of: (&Trial<'_>, &Dropped), all: &mut Vec<Way>) {
    let mut inner = |step: Step, inner: &Value| {
        way.push(step);
        if of.1.is_empty() || !of.1.contains(&(of.0.layers.number(inner.tag(), way), way.clone())) {
            find(inner, way, is_it, of, all);
        }
        way.pop();
    };
    match value {
        Value::Dict(_, dict) => dict.iter().for_each(|(key, value)| inner(Step::Key(key.clone()), value)),
        Value::Array(_, items) => items.iter().enumerate().for_each(|(at, item)| inner(Step::Index(at), item)),
        value if all.len() < MOST && is_it(value) => all.push(way.clone()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Files, Known, Section as _};
    use cninfra_testbed::Folder;
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

    fn config(file: &str) -> (Config, Known, Folder) {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", Odd::META));
        folder.write("odd.conf", file);
        let mut config = Config::new();
        config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
        (config, known, folder)
    }

    fn wrong(file: &str) -> Vec<String> {
        let (config, known, _folder) = config(file);
        config.check(&known).into_iter().map(|told| told.what).collect()
    }

    #[test]
    fn a_wrong_value_far_in_takes_no_more_readings() {
        let nested = |depth: usize| {
            let leaf = "{kind: tree, name: x, n: x}".to_string();
            (1..depth).fold(leaf, |inner, _| format!("{{kind: tree, name: x, n: 1, kids: [{inner}]}}"))
        };
        let names = |depth: usize| {
            READ.set(0);
            let key = "kids[0].".repeat(depth - 1);
            let number = "takes a whole number, not below 0, not the text `x`";
            assert_eq!(wrong(&format!("tag: {}", nested(depth))), [format!("key `odd.tag.{key}n` {number}")]);
            READ.get()
        };
        let (few, many) = (names(10), names(30));
        assert!(many <= 4 * few, "{few} {many}");
    }

    #[test]
    fn an_item_of_so_many_is_left_out_with_the_others() {
        let byte = "takes a whole number from 0 to 255, not the text `x`";
        let told = wrong("tag: {kind: tree, name: x, pair: [x, x], kids: [{kind: tree, name: x, pair: [1, x]}]}");
        assert_eq!(told, [format!("key `odd.tag.pair[0]` {byte}"), format!("key `odd.tag.kids[0].pair[1]` {byte}")]);
    }

    #[test]
    fn the_same_digits_are_a_text_here_and_a_number_there() {
        let (mut config, known, _folder) = config("big: {kind: pile}");
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            for key in ["user", "n"] {
                config.set_flag("odd", &format!("big.by.{name}.{key}"), "1", "set");
            }
        }
        assert_eq!(config.check(&known), []);
        let Some(Big::Pile { by }) = config.section::<Odd>("odd").unwrap().big else { panic!("it is not there") };
        assert!(by.len() == 8 && by.values().all(|row| row.user == "1" && row.n == Some(1)), "{by:?}");
    }
}
