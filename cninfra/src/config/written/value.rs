//! Helpers for figment's values: they convert the parsers' values, and read, replace and remove what is at a way.

use super::way::Step;
use figment::value::{Dict, Empty, Num, Tag, Value};

/// A null.
pub(in crate::config) fn nothing(tag: Tag) -> Value {
    Value::Empty(tag, Empty::Unit)
}

pub(in crate::config) fn text(text: impl Into<String>) -> Value {
    Value::String(Tag::Default, text.into())
}

/// One of many values that no type reads, for trial readings: see [`trial_bytes`].
pub(in crate::config) fn unreadable(number: u16, tag: Tag) -> Value {
    Value::Char(tag, char::from_u32(UNREADABLE + u32::from(number)).unwrap_or_default())
}

/// The bytes that the reader gives to a type instead of such a value; `None` for other characters.
pub(in crate::config) fn trial_bytes(value: char) -> Option<[u8; 3]> {
    u32::from(value).checked_sub(UNREADABLE).and_then(|number| u16::try_from(number).ok()).map(bytes)
}

/// Bytes that are not valid UTF-8, and contain a number below 16384.
pub(in crate::config) fn bytes(number: u16) -> [u8; 3] {
    let [high, low] = (number << 1).to_be_bytes();
    [0xff, high & 0x7f, low >> 1]
}

/// The first of the characters for trial readings. They are for private use, so nobody writes them.
const UNREADABLE: u32 = 0x10_0000;

/// Makes a mapping of these entries. They are inserted one by one: `collect` would sort them first, with some kilobytes
/// of code for each type of iterator.
pub(in crate::config) fn dict(entries: impl IntoIterator<Item = (String, Value)>) -> Dict {
    let mut dict = Dict::new();
    dict.extend(entries);
    dict
}

/// A value that contains only this one, at the end of this way.
pub(in crate::config) fn nested(way: &[Step], value: Value) -> Value {
    way.iter().rfold(value, |value, step| match step {
        Step::Key(key) => Value::Dict(Tag::Default, dict([(key.clone(), value)])),
        Step::Index(_) => Value::Array(Tag::Default, vec![value]),
    })
}

/// Converts a parser's value. Figment has neither keys that are not texts nor tags: such a key becomes a text, and
/// `!One x` becomes `One: x`.
pub(in crate::config) fn from_yaml(value: yaml_serde::Value) -> Value {
    use yaml_serde::Value as Yaml;
    let tag = Tag::Default;
    match value {
        Yaml::Null => nothing(tag),
        Yaml::Bool(value) => Value::Bool(tag, value),
        Yaml::Number(number) => Value::Num(
            tag,
            match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Num::U64(number),
                (_, Some(number)) => Num::I64(number),
                _ => Num::F64(number.as_f64().unwrap_or(f64::NAN)),
            },
        ),
        Yaml::String(text) => Value::String(tag, text),
        Yaml::Sequence(items) => Value::Array(tag, items.into_iter().map(from_yaml).collect()),
        Yaml::Mapping(mapping) => {
            Value::Dict(tag, dict(mapping.into_iter().map(|(key, value)| (key_text(&key), from_yaml(value)))))
        }
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string().trim_start_matches('!').to_string();
            Value::Dict(tag, dict([(name, from_yaml(tagged.value))]))
        }
    }
}

pub(in crate::config) fn key_text(key: &yaml_serde::Value) -> String {
    match key {
        yaml_serde::Value::String(text) => text.clone(),
        yaml_serde::Value::Bool(value) => value.to_string(),
        yaml_serde::Value::Number(value) => value.to_string(),
        yaml_serde::Value::Null => "null".to_string(),
        yaml_serde::Value::Sequence(_) => "[..]".to_string(),
        _ => "{..}".to_string(),
    }
}

/// Is the nesting of brackets so deep that the parser, which refuses it in the end, would take minutes for that?
pub(super) fn is_too_deep(text: &str) -> bool {
    const DEEPEST: i32 = 200;
    let mut depth = 0;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = (depth - 1).max(0),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// The value at the end of this way.
pub(in crate::config) fn at<'a>(value: &'a Value, way: &[Step]) -> Option<&'a Value> {
    way.iter().try_fold(value, |value, step| match (step, value) {
        (Step::Key(key), Value::Dict(_, dict)) => dict.get(key),
        (Step::Index(index), Value::Array(_, items)) => items.get(*index),
        _ => None,
    })
}

/// Replaces the value at the end of this way, if there is one.
pub(in crate::config) fn replace(value: &mut Value, way: &[Step], new: Value) {
    match (way, value) {
        ([], value) => *value = new,
        ([Step::Key(key), rest @ ..], Value::Dict(_, dict)) => {
            if let Some(inner) = dict.get_mut(key) {
                replace(inner, rest, new);
            }
        }
        ([Step::Index(index), rest @ ..], Value::Array(_, items)) => {
            if let Some(inner) = items.get_mut(*index) {
                replace(inner, rest, new);
            }
        }
        _ => {}
    }
}

/// Inserts a value at the end of this way: into a mapping that exists, or instead of an item of a list.
pub(in crate::config) fn insert(value: &mut Value, way: &[Step], new: Value) {
    match (way, value) {
        ([Step::Key(key)], Value::Dict(_, dict)) => drop(dict.insert(key.clone(), new)),
        (way @ [Step::Index(_)], value) => replace(value, way, new),
        ([Step::Key(key), rest @ ..], Value::Dict(_, dict)) => {
            if let Some(inner) = dict.get_mut(key) {
                insert(inner, rest, new);
            }
        }
        ([Step::Index(index), rest @ ..], Value::Array(_, items)) => {
            if let Some(inner) = items.get_mut(*index) {
                insert(inner, rest, new);
            }
        }
        _ => {}
    }
}

/// The number of values in this one, including itself.
pub(in crate::config) fn count(value: &Value) -> usize {
    match value {
        Value::Dict(_, dict) => 1 + dict.values().map(count).sum::<usize>(),
        Value::Array(_, items) => 1 + items.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Removes a key. (An item of a list stays, so that the others keep their places.)
pub(in crate::config) fn remove(value: &mut Value, way: &[Step]) {
    match (way, value) {
        ([Step::Key(key)], Value::Dict(_, dict)) => drop(dict.remove(key)),
        ([Step::Key(key), rest @ ..], Value::Dict(_, dict)) => {
            if let Some(inner) = dict.get_mut(key) {
                remove(inner, rest);
            }
        }
        ([Step::Index(index), rest @ ..], Value::Array(_, items)) => {
            if let Some(inner) = items.get_mut(*index) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

/// All texts, characters and whole numbers in a value.
#[cfg(feature = "testing")]
pub(in crate::config) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(_, text) => vec![text.clone()],
        Value::Char(_, char) => vec![char.to_string()],
        Value::Num(_, number) => number.to_u128().map(|number| number.to_string()).into_iter().collect(),
        Value::Array(_, items) => items.iter().flat_map(texts).collect(),
        Value::Dict(_, dict) => dict.values().flat_map(texts).collect(),
        Value::Bool(..) | Value::Empty(..) => Vec::new(),
    }
}
