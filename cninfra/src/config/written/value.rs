//! Values of figment: made of those of the parsers, and looked into.

use super::way::Step;
use figment::value::{Dict, Empty, Num, Tag, Value};

/// `null`
pub(in crate::config) fn nothing(tag: Tag) -> Value {
    Value::Empty(tag, Empty::Unit)
}

pub(in crate::config) fn text(text: impl Into<String>) -> Value {
    Value::String(Tag::Default, text.into())
}

/// One of several values that no type reads where one is only tried: see [`unread`].
pub(in crate::config) fn unreadable(number: u16, tag: Tag) -> Value {
    Value::Char(tag, char::from_u32(UNREADABLE + u32::from(number)).unwrap_or_default())
}

/// As it is read.
pub(in crate::config) fn unread(value: char) -> Option<[u8; 3]> {
    u32::from(value).checked_sub(UNREADABLE).and_then(|number| u16::try_from(number).ok()).map(bytes)
}

/// Bytes that are no text, and have a number below 16384 in them.
pub(in crate::config) fn bytes(number: u16) -> [u8; 3] {
    let [high, low] = (number << 1).to_be_bytes();
    [0xff, high & 0x7f, low >> 1]
}

/// No characters that anybody writes: they are for private use.
const UNREADABLE: u32 = 0x10_0000;

/// A mapping of these, entered one by one: to collect them would sort them first, by code of some kilobytes for each type of iterator.
pub(in crate::config) fn dict(entries: impl IntoIterator<Item = (String, Value)>) -> Dict {
    let mut dict = Dict::new();
    dict.extend(entries);
    dict
}

/// A value that has nothing but this, at the end of this way.
pub(in crate::config) fn nested(way: &[Step], value: Value) -> Value {
    way.iter().rfold(value, |value, step| match step {
        Step::Key(key) => Value::Dict(Tag::Default, dict([(key.clone(), value)])),
        Step::Index(_) => Value::Array(Tag::Default, vec![value]),
    })
}

/// What a parser has read. A key that is no text becomes one, and `!One x` is `One: x`: figment has neither.
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

/// Are there so many brackets in brackets that the parser, which refuses them in the end, would take minutes for that?
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

/// What is there.
pub(in crate::config) fn at<'a>(value: &'a Value, way: &[Step]) -> Option<&'a Value> {
    way.iter().try_fold(value, |value, step| match (step, value) {
        (Step::Key(key), Value::Dict(_, dict)) => dict.get(key),
        (Step::Index(index), Value::Array(_, items)) => items.get(*index),
        _ => None,
    })
}

/// Puts another value in the place of one that is there.
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

/// Puts a value into a mapping that is there, or in the place of an item of a list, at the end of this way.
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

/// How many values there are in it, and itself.
pub(in crate::config) fn count(value: &Value) -> usize {
    match value {
        Value::Dict(_, dict) => 1 + dict.values().map(count).sum::<usize>(),
        Value::Array(_, items) => 1 + items.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Takes a key out. (An item of a list stays: the others are to keep their places.)
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

/// The texts of a value, and of all that is in it.
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
