//! Tests that all mistakes are reported in one run, and nothing else. For this, valid values are spoilt in random
//! places. (No type is `untagged`: about these, serde says only that nothing fits.)

use super::taken::{Numbers, Path, at, path_in, paths};
use crate::config::{
    given::Given,
    samples::{Ends, Span},
    sections::section::Section as _,
    types::duration::Duration,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Odd {
    plain: Option<Plain>,
    flat: Option<Flat>,
    all: Vec<Flat>,
    tagged: Option<Tagged>,
    by: BTreeMap<String, Tagged>,
    loose: Option<FlatTagged>,
    beside: Option<Beside>,
    either: Vec<FlatEither>,
    twins: BTreeMap<String, Twins>,
    tuple: Option<Tuple>,
    tuples: Vec<Tupled>,
    needy: Option<Needy>,
    last: Vec<Last>,
    many: Vec<FlatMany>,
    pairs: Vec<(Word, Tagged, Flat)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    name: String,
    port: u16,
    host: IpAddr,
    opt: Option<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    label: String,
    zone: u8,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, Serialize, Deserialize)]
struct Inner {
    host: IpAddr,
    port: u16,
    time: Option<Duration>,
}

#[derive(Debug, Serialize, Deserialize)]
struct More {
    ratio: f32,
    deep: Option<Plain>,
    level: Level,
    list: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Low,
    High,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Tagged {
    One { name: String, port: u16, plain: Plain, deep: Option<Box<Tagged>> },
    Two { list: Vec<Flat>, counts: BTreeMap<String, u8>, time: Duration },
}

#[derive(Debug, Serialize, Deserialize)]
struct FlatTagged {
    label: String,
    #[serde(flatten)]
    of: Loose,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Loose {
    One { name: String, port: u16 },
    Two(Inner),
    Three { words: Vec<Word>, rows: Vec<Row>, zone: u8 },
    Four { by: BTreeMap<String, Row>, level: Level, word: Word },
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    name: String,
    port: u16,
    level: Level,
    opt: Option<u8>,
}

/// Its error says what it accepts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Word(String);

impl TryFrom<String> for Word {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        if ["up", "down"].contains(&&*text) { Ok(Word(text)) } else { Err("it is up, or down") }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct FlatEither {
    label: String,
    #[serde(flatten)]
    of: Either,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Either {
    Words(Vec<Word>),
    Rows(BTreeMap<String, Row>),
    Inner(Inner),
}

/// Two flattened types that are alike.
#[derive(Debug, Serialize, Deserialize)]
struct Twins {
    label: String,
    #[serde(flatten)]
    left: Left,
    #[serde(flatten)]
    right: Right,
}

#[derive(Debug, Serialize, Deserialize)]
struct Left {
    left_host: IpAddr,
    left_level: Level,
    left_word: Word,
    left_words: Vec<Word>,
    left_rows: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Right {
    right_host: IpAddr,
    right_level: Level,
    right_word: Word,
    right_words: Vec<Word>,
    right_rows: Vec<Row>,
}

/// Each item has its place, and a type of its own.
#[derive(Debug, Serialize, Deserialize)]
struct Tuple(u8, (IpAddr, Duration), Vec<u8>, [IpAddr; 2], Level);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Tupled {
    Of { tuple: Tuple, rows: Vec<(u8, Row, Option<u8>)>, port: u16 },
    Pair { pair: (Word, IpAddr, u8), level: Level },
}

/// The flattened type that is read first accepts none of the usual trial values.
#[derive(Debug, Serialize, Deserialize)]
struct Needy {
    plain: Plain,
    pair: (u8, IpAddr),
    #[serde(flatten)]
    day: Day,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, Serialize, Deserialize)]
struct Day {
    day: Date,
    count: u8,
}

/// A text of a form about which its errors say nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Date(String);

impl TryFrom<String> for Date {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else { return Err("input is not long enough") };
        let number = |text: &str| text.parse::<u32>().map_err(|_| "input has other characters");
        match (number(year)?, number(month)?, number(day)?) {
            (1000.., 1..=12, 1..=31) => Ok(Date(text)),
            _ => Err("input is out of range"),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "t", content = "c", rename_all = "kebab-case", deny_unknown_fields)]
enum Beside {
    Plain(Plain),
    Of { flat: Flat, tagged: Tagged },
}

/// The last items of tuples, whose types report in their own words what is wrong with them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Last {
    Span { last: (u8, Span), more: (IpAddr, (Word, Span)), port: u16 },
    Ends { last: (Plain, Ends), words: (u8, Vec<Word>), by: (u8, BTreeMap<String, (Level, Ends)>), port: u16 },
    Within { last: (u8, Ended), host: IpAddr },
}

#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    name: String,
    ends: Ends,
    span: Span,
}

#[derive(Debug, Serialize, Deserialize)]
struct FlatMany {
    label: String,
    #[serde(flatten)]
    of: Many,
    #[serde(flatten)]
    inner: Inner,
}

macro_rules! many {
    ($($name:ident)*) => {
        /// More variants than any real enum has, all with the same fields.
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(tag = "of")]
        enum Many {
            $($name { name: String, level: Level, plain: Plain, list: Vec<u8> },)*
        }
    };
}

many! { A B C D E F G H I J K L M N O P Q R S T U V W X Y Z AA BB CC DD EE FF GG HH II JJ KK LL MM NN OO PP QQ RR SS TT }

fn plain() -> Value {
    json!({"name": "n", "port": 80, "host": "::1", "opt": 1})
}

fn flat() -> Value {
    json!({
        "label": "l", "zone": 1, "host": "::1", "port": 1, "time": "5s", "ratio": 1.5, "deep": plain(), "level": "high",
        "list": [1, 2],
    })
}

fn row() -> Value {
    json!({"name": "n", "port": 1, "level": "low", "opt": 1})
}

fn tuple() -> Value {
    json!([1, ["::1", "5s"], [1, 2], ["::1", "::2"], "low"])
}

fn needy() -> Value {
    let more = json!({"day": "2024-02-28", "count": 1, "ratio": 1.5, "deep": plain(), "level": "high", "list": [1]});
    let mut needy = json!({"plain": plain(), "pair": [1, "::1"]});
    let (Value::Object(needy), Value::Object(more)) = (&mut needy, more) else { panic!("no mappings") };
    needy.extend(more);
    json!(needy)
}

fn twins() -> Value {
    let mut twins = json!({"label": "l"});
    for side in ["left", "right"] {
        twins[format!("{side}_host")] = json!("::1");
        twins[format!("{side}_level")] = json!("low");
        twins[format!("{side}_word")] = json!("up");
        twins[format!("{side}_words")] = json!(["up", "down"]);
        twins[format!("{side}_rows")] = json!([row(), row()]);
    }
    twins
}

fn tagged() -> [Value; 2] {
    let one = json!({"kind": "one", "name": "n", "port": 1, "plain": plain()});
    let two = json!({"kind": "two", "list": [flat(), flat()], "counts": {"a": 1, "b": 2}, "time": "1s"});
    let mut deep = one.clone();
    deep["deep"] = two.clone();
    deep["deep"]["list"] = json!([flat()]);
    [deep, two]
}

fn last() -> [Value; 3] {
    let span = json!({"low": 1, "high": 2});
    let by = json!({"a": ["low", [1, 2]], "b": ["low", [1, 2]]});
    [
        json!({"kind": "span", "last": [1, span], "more": ["::1", ["up", span]], "port": 1}),
        json!({"kind": "ends", "last": [plain(), [1, 2]], "words": [1, ["up", "down"]], "by": [1, by], "port": 1}),
        json!({"kind": "within", "last": [1, {"name": "n", "ends": [1, 2], "span": span}], "host": "::1"}),
    ]
}

fn many() -> Value {
    let mut many = json!({"label": "l", "of": "Z", "name": "n", "level": "low", "plain": plain(), "list": [1]});
    many["host"] = json!("::1");
    many["port"] = json!(1);
    many
}

/// A valid value for some of the keys.
fn right(numbers: &mut Numbers) -> Value {
    let [one, two] = tagged();
    let loose = [
        json!({"label": "l", "kind": "one", "name": "n", "port": 1}),
        json!({"label": "l", "kind": "two", "host": "::1", "port": 1, "time": "5s"}),
        json!({"label": "l", "kind": "three", "words": ["up", "down"], "rows": [row(), row()], "zone": 1}),
        json!({"label": "l", "kind": "four", "by": {"a": row(), "b": row()}, "level": "high", "word": "up"}),
    ];
    let either = [
        json!({"label": "l", "words": ["up", "up", "down"]}),
        json!({"label": "l", "rows": {"a": row(), "b": row()}}),
        json!({"label": "l", "inner": {"host": "::1", "port": 1, "time": "5s"}}),
    ];
    let beside = [json!({"t": "plain", "c": plain()}), json!({"t": "of", "c": {"flat": flat(), "tagged": two}})];
    let tuples = [
        json!({"kind": "of", "tuple": tuple(), "rows": [[1, row(), 1], [2, row(), 2]], "port": 1}),
        json!({"kind": "pair", "pair": ["up", "::1", 1], "level": "low"}),
    ];
    let mut value = json!({});
    for _ in 0..2 {
        match numbers.below(17) {
            0 => value["plain"] = plain(),
            1 => value["flat"] = flat(),
            2 => value["all"] = json!([flat(), flat()]),
            3 => value["tagged"] = numbers.one_of(&[one.clone(), two.clone()]).clone(),
            4 => value["by"] = json!({"x": one, "y": two}),
            5 => value["loose"] = numbers.one_of(&loose).clone(),
            6 => value["either"] = json!([numbers.one_of(&either), numbers.one_of(&either)]),
            7 => value["tuple"] = tuple(),
            8 => value["tuples"] = json!([numbers.one_of(&tuples), numbers.one_of(&tuples)]),
            9 => value["needy"] = needy(),
            10 | 11 => value["last"] = json!([numbers.one_of(&last()), numbers.one_of(&last())]),
            12 | 13 => value["many"] = json!([many(), many()]),
            14 => value["pairs"] = json!([["up", one, flat()], ["down", two, flat()]]),
            15 => value["twins"] = json!({"a": twins(), "b": twins()}),
            _ => value["beside"] = numbers.one_of(&beside).clone(),
        }
    }
    value
}

/// A wrong value for this key, in whatever type it is.
fn bad(key: &str) -> Value {
    match key {
        "name" | "label" | "time" => json!(5),
        "host" | "left_host" | "right_host" => json!("bad"),
        "day" => json!("2024-13-01"),
        _ => json!("x"),
    }
}

/// Swaps two ends, so that they are wrong together. `None` if there are none, or one is wrong already.
fn turn(value: &mut Value) -> Option<()> {
    let [low, high] = match value {
        Value::Object(map) if map.len() == 2 => ["low", "high"].map(|key| map.get(key).and_then(Value::as_u64)),
        Value::Array(items) if items.len() == 2 => [0, 1].map(|at| items[at].as_u64()),
        _ => return None,
    };
    (low? < high?).then(|| *value = if value.is_array() { json!([9, 2]) } else { json!({"low": 9, "high": 2}) })
}

fn is_turned(value: &Value) -> bool {
    value[0] == 9 || value["low"] == 9
}

/// Spoils a key or removes it. `None` if the result might be valid, or might make other keys wrong, too.
fn spoil(value: &mut Value, numbers: &mut Numbers) -> Option<Path> {
    let mut all = Vec::new();
    paths(value, &mut Path::new(), &mut all);
    let path = numbers.one_of(&all[1..]).clone();
    let (key, around) = path.split_last()?;
    if path[0] == "last" && turn(at(value, &path)).is_some() {
        return Some(path);
    }
    // The mistake of both together is reported already.
    if is_turned(at(value, around)) {
        return None;
    }
    // What is beside the name of a variant depends on it.
    if matches!(at(value, &path), Value::Object(_) | Value::Array(_)) || ["kind", "t"].contains(&key.as_str()) {
        return None;
    }
    const NEEDED: [&str; 9] = ["name", "label", "port", "host", "ratio", "level", "word", "day", "of"];
    let is_needed = NEEDED.contains(&key.trim_start_matches("left_").trim_start_matches("right_"));
    match at(value, around) {
        Value::Object(map) if is_needed && numbers.below(3) == 0 => drop(map.remove(key)),
        _ => *at(value, &path) = bad(key),
    }
    Some(path)
}

/// The keys that are reported, as wrong or as missing.
fn paths_reported(value: &Value) -> Vec<Path> {
    let given = Given::file(Odd::META, &value.to_string());
    let place = |what: &str| {
        let (path, missing) = path_in(what);
        path.into_iter().chain(missing.map(str::to_string)).collect()
    };
    given.config.check(&given.known).iter().map(|reported| place(&reported.what)).collect()
}

/// The keys are in the order of the file.
#[test]
fn the_same_words_are_told_of_each() {
    let all = [
        &["flat.host", "flat.deep.host"][..],
        &["all.0.deep.host", "all.0.host"],
        &["all.1.deep.host", "all.1.deep.name", "all.1.host", "all.1.ratio"],
        &["tagged.list.0.host", "tagged.list.1.deep.host", "tagged.list.1.host"],
        &["tagged.list.0.deep.host", "tagged.list.0.host", "tagged.list.0.label", "tagged.time"],
        &["twins.a.left_host", "twins.a.left_level", "twins.a.left_word", "twins.a.right_host", "twins.a.right_level"],
        &["twins.a.left_word", "twins.a.right_word", "twins.a.right_words.1"],
        &["twins.a.left_rows.0.level", "twins.a.left_rows.1.level", "twins.a.right_level"],
        &["tuple.0", "tuple.1.0", "tuple.1.1", "tuple.2.1", "tuple.3.0", "tuple.3.1", "tuple.4"],
        &["tuples.0.tuple.0", "tuples.0.tuple.1.0", "tuples.0.tuple.1.1", "tuples.0.tuple.2.0", "tuples.0.tuple.3.1"],
        &["tuples.0.port", "tuples.0.rows.0.0", "tuples.0.rows.0.1.port", "tuples.0.rows.0.2", "tuples.0.rows.1.0"],
        &["tuples.1.level", "tuples.1.pair.0", "tuples.1.pair.1", "tuples.1.pair.2"],
        &["needy.count", "needy.day", "needy.level", "needy.pair.0", "needy.pair.1", "needy.plain.port", "needy.ratio"],
    ];
    for spoilt in all {
        let [_, tagged] = tagged();
        let mut value = json!({"flat": flat(), "all": [flat(), flat()], "tagged": tagged, "twins": {"a": twins()}});
        let rows = json!([[1, row(), 1], [2, row(), 2]]);
        value["tuple"] = tuple();
        value["tuples"] = json!([
            {"kind": "of", "tuple": tuple(), "rows": rows, "port": 1},
            {"kind": "pair", "pair": ["up", "::1", 1], "level": "low"},
        ]);
        value["needy"] = needy();
        let spoilt: BTreeSet<Path> = spoilt.iter().map(|path| path.split('.').map(str::to_string).collect()).collect();
        spoilt.iter().for_each(|path| *at(&mut value, path) = bad(path.last().unwrap()));
        let reported = paths_reported(&value);
        assert_eq!((reported.len(), reported.into_iter().collect()), (spoilt.len(), spoilt), "{value}");
    }
}

#[test]
fn all_that_is_spoilt_is_told_and_nothing_else() {
    let rounds = std::env::var("ROUNDS").map_or(150, |rounds| rounds.parse().unwrap());
    let mut numbers = Numbers(std::env::var("SEED").map_or(1, |seed| seed.parse().unwrap()));
    let mut odd = Vec::new();
    for _ in 0..rounds {
        let mut value = right(&mut numbers);
        let given = Given::file(Odd::META, &value.to_string());
        assert_eq!(given.wrong(), [""; 0], "{value}");
        let mut spoilt = BTreeSet::new();
        for _ in 0..=numbers.below(4) {
            spoilt.extend(spoil(&mut value, &mut numbers));
        }
        let reported = paths_reported(&value);
        let all: BTreeSet<Path> = reported.iter().cloned().collect();
        if all != spoilt || all.len() != reported.len() {
            let join = |paths: Vec<&Path>| paths.into_iter().map(|path| path.join(".")).collect::<Vec<_>>();
            let (lacking, more) = (join(spoilt.difference(&all).collect()), join(all.difference(&spoilt).collect()));
            odd.push(format!("untold {lacking:?}, invented {more:?}, of {spoilt:?}: {value}"));
        }
    }
    assert!(odd.is_empty(), "{} of {rounds}:\n{}", odd.len(), odd.join("\n"));
}
