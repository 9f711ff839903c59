//! Tests that the reader accepts what serde accepts, and that everything it reports is wrong. For this, values of types
//! of all kinds are changed at random.

use crate::config::{given::Given, samples::Span, sections::section::Section as _, types::duration::Duration};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt};

/// A type in every position in which it may be.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "T: serde::de::DeserializeOwned"))]
struct Of<T> {
    it: Option<T>,
    all: Vec<T>,
    by: BTreeMap<String, T>,
}

impl<T> Default for Of<T> {
    fn default() -> Self {
        Of { it: None, all: Vec::new(), by: BTreeMap::new() }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    name: String,
    port: u16,
    ratio: f64,
    opt: Option<u8>,
    #[serde(default)]
    on: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Internal {
    One { name: String, port: u16, plain: Plain, span: Option<Span>, level: Level },
    Two { list: Vec<Plain>, by: BTreeMap<String, u8>, more: Option<Box<Internal>> },
    Unit,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c", rename_all = "kebab-case", deny_unknown_fields)]
enum Adjacent {
    Host(Plain),
    Names(Vec<String>),
    Pair(u8, String),
    Deep { pair: (u8, bool), of: Internal },
    Nothing,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u16),
    Both { host: String, port: u16, low: Option<f32> },
    List(Vec<u8>),
    Word(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    label: String,
    zone: u8,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    host: String,
    port: u16,
    time: Option<Duration>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct More {
    ratio: f32,
    deep: Option<Plain>,
    level: Level,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FlatOption {
    label: String,
    #[serde(flatten)]
    inner: Option<Inner>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FlatMap {
    label: String,
    #[serde(flatten)]
    rest: BTreeMap<String, u16>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FlatTagged {
    label: String,
    #[serde(flatten)]
    of: Loose,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Loose {
    One { name: String, port: u16 },
    Two(Inner),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Low,
    High,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum External {
    Unit,
    Number(u8),
    Pair(u8, String),
    Named { name: String, of: Box<Adjacent> },
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Defaults {
    tagged: Vec<Internal>,
    chosen: BTreeMap<String, External>,
    either: Option<Untagged>,
    flat: Option<Flat>,
    size: u8,
}

/// A random number generator with the same sequence in every run (a linear congruential one, with Knuth's constants).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

pub(super) type Path = Vec<String>;

/// The paths of all values in this one.
pub(super) fn paths(value: &Value, path: &mut Path, all: &mut Vec<Path>) {
    all.push(path.clone());
    let mut inner = |key: String, value: &Value| {
        path.push(key);
        paths(value, path, all);
        path.pop();
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| inner(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| inner(at.to_string(), value)),
        _ => {}
    }
}

pub(super) fn at<'v>(value: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Object(map) => map.get_mut(key).unwrap(),
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        _ => panic!("{path:?}"),
    })
}

/// Changes something, and returns the path within which it did. `None` if nothing was changed.
fn mutate(value: &mut Value, numbers: &mut Numbers) -> Option<Path> {
    const KEYS: &[&str] = &["name", "port", "kind", "extra", "host", "c", "zone", "by", "on", "low"];
    let mut all = Vec::new();
    paths(value, &mut Path::new(), &mut all);
    let path = numbers.one_of(&all[1..]).clone();
    let (key, around) = path.split_last()?;
    let whole = |path: Path| match path.last().map(String::as_str) {
        // What is beside the name of a variant depends on it.
        Some("kind" | "t") => path[..path.len() - 1].to_vec(),
        _ => path,
    };
    let is_leaf = !matches!(at(value, &path), Value::Object(_) | Value::Array(_));
    match (numbers.below(5), at(value, around)) {
        (0, Value::Object(map)) if !around.is_empty() => drop(map.remove(key)),
        (1, Value::Object(map)) if around.len() > 1 => {
            let new = numbers.one_of(KEYS);
            let path = around.iter().cloned().chain([(*new).to_string()]).collect();
            map.insert((*new).to_string(), json!(numbers.below(400)));
            return Some(whole(path));
        }
        (2.., _) if is_leaf => {
            let leaves = [
                json!("x"),
                json!(1),
                json!(300),
                json!(-1),
                json!(70000),
                json!(1.5),
                json!(true),
                json!("5s"),
                json!("two"),
                json!({"name": "x"}),
                json!({}),
                json!(["x"]),
                json!([]),
                json!(null),
            ];
            *at(value, &path) = numbers.one_of(&leaves).clone();
        }
        _ => return None,
    }
    Some(whole(path))
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(has_null),
        Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

/// The path of the key that a mistake is about, and the key that is missing there, if any.
pub(super) fn path_in(what: &str) -> (Path, Option<&str>) {
    let path = what.strip_prefix("key `odd.").and_then(|rest| rest.split_once('`')).map_or("", |(path, _)| path);
    let parts = path.split(['.', '[']).map(|part| part.trim_end_matches(']').to_string());
    let missing = what.split_once(": the key `").and_then(|(_, rest)| rest.strip_suffix("` is missing"));
    (parts.filter(|part| !part.is_empty()).collect(), missing)
}

/// Tests a type with samples of its values that are randomly changed in some places; returns what went wrong. Enough of
/// the values must stay valid.
fn see<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug + Send + Sync + 'static>(
    rounds: usize,
    samples: &[Value],
) -> Vec<String> {
    let mut numbers = Numbers(rounds as u64);
    let (mut right, mut all) = (0, Vec::new());
    for _ in 0..rounds {
        let mut value = Value::Object(Map::new());
        for _ in 0..=numbers.below(2) {
            let sample = numbers.one_of(samples).clone();
            match numbers.below(3) {
                0 => value["it"] = sample,
                1 => value["all"] = json!([sample, numbers.one_of(samples)]),
                _ => value["by"] = json!({ "a": sample, "b": numbers.one_of(samples) }),
            }
        }
        let mut wrong = Vec::new();
        for _ in 0..numbers.below(4) {
            wrong.extend(mutate(&mut value, &mut numbers));
        }
        let file = value.to_string();
        let given = Given::file(Of::<T>::META, &file);
        let mistakes: Vec<String> = given.config.check(&given.known).into_iter().map(|mistake| mistake.what).collect();
        match serde_json::from_value::<Of<T>>(value.clone()) {
            Ok(expected) => {
                right += 1;
                if !mistakes.is_empty() {
                    all.push(format!("it is right: {mistakes:?}: {file}"));
                } else if given.config.section::<Of<T>>("odd").unwrap() != expected {
                    all.push(format!("it is read otherwise: {file}"));
                }
            }
            Err(error) if mistakes.is_empty() && !has_null(&value) => all.push(format!("it is wrong: {error}: {file}")),
            Err(_) => {
                let invented = mistakes
                    .iter()
                    .filter_map(|what| Some(format!("{what}: {}: {file}: {wrong:?}", invented(what, &value, &wrong)?)));
                all.extend(invented);
                let is_again = |at: &usize| mistakes[..*at].contains(&mistakes[*at]);
                all.extend(
                    (0..mistakes.len()).filter(is_again).map(|at| format!("told twice: {}: {file}", mistakes[at])),
                );
            }
        }
    }
    assert!(right > rounds / 6, "{right}");
    all
}

/// Why a reported mistake cannot be one, if these places are wrong.
fn invented(what: &str, value: &Value, wrong: &[Path]) -> Option<&'static str> {
    let (mut path, missing) = path_in(what);
    let mut all = Vec::new();
    paths(value, &mut Path::new(), &mut all);
    if !all.contains(&path) {
        return Some("it is not there");
    }
    path.extend(missing.map(str::to_string));
    if missing.is_some() && all.contains(&path) {
        return Some("it is not missing");
    }
    let is_it = |wrong: &Path| wrong.starts_with(&path) || path.starts_with(wrong);
    if wrong.iter().any(is_it) { None } else { Some("it is not wrong") }
}

fn plain() -> Value {
    json!({"name": "n", "port": 80, "ratio": 2.5, "on": true})
}

fn internal() -> Vec<Value> {
    let more = json!({"kind": "unit"});
    vec![
        json!({"kind": "one", "name": "n", "port": 1, "plain": plain(), "span": {"low": 1, "high": 2}, "level": "low"}),
        json!({"kind": "two", "list": [plain(), plain()], "by": {"a": 1, "b": 2}, "more": more}),
        json!({"kind": "two", "list": [], "by": {}, "more": {"kind": "two", "list": [plain()], "by": {}}}),
        more,
    ]
}

fn adjacent() -> Vec<Value> {
    vec![
        json!({"t": "host", "c": plain()}),
        json!({"t": "names", "c": ["a", "b"]}),
        json!({"t": "pair", "c": [1, "a"]}),
        json!({"t": "deep", "c": {"pair": [1, true], "of": internal()[0]}}),
        json!({"t": "nothing"}),
    ]
}

fn flat() -> Value {
    json!({"label": "l", "zone": 1, "host": "h", "port": 1, "time": "5s", "ratio": 1.5, "deep": plain(), "level": "high"})
}

fn external() -> Vec<Value> {
    vec![
        json!("unit"),
        json!({"number": 1}),
        json!({"pair": [1, "a"]}),
        json!({"named": {"name": "n", "of": adjacent()[0]}}),
    ]
}

#[test]
fn what_serde_takes_is_taken_and_what_is_told_is_wrong() {
    let untagged = [json!(80), json!({"host": "h", "port": 1, "low": 2.5}), json!([1, 2]), json!("w")];
    let loose = [
        json!({"label": "l", "kind": "one", "name": "n", "port": 1}),
        json!({"label": "l", "kind": "two", "host": "h", "port": 1, "time": "5s"}),
    ];
    let option = [json!({"label": "l", "host": "h", "port": 1}), json!({"label": "l", "host": "h"})];
    let defaults = [json!({
        "tagged": internal(), "chosen": {"a": external()[0], "b": external()[3]}, "either": untagged[1], "flat": flat(), "size": 1
    })];
    let all = [
        see::<Plain>(30, &[plain()]),
        see::<Internal>(40, &internal()),
        see::<Adjacent>(40, &adjacent()),
        see::<Untagged>(30, &untagged),
        see::<Flat>(40, &[flat()]),
        see::<FlatOption>(30, &option),
        see::<FlatMap>(20, &[json!({"label": "l", "a": 1, "b": 2})]),
        see::<FlatTagged>(30, &loose),
        see::<External>(30, &external()),
        see::<Defaults>(20, &defaults),
    ];
    let all = all.concat();
    assert!(all.is_empty(), "{}", all.join("\n"));
}
