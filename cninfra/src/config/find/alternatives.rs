//! What is tried instead of a value, to see whether a message is about that value.

use super::usual::texts;
use figment::value::{Dict, Num, Value};

/// The most values of other keys that are tried for each of them: the type may require two values to be the same.
const MOST_BESIDE: usize = 10;

/// A text that sorts after all others.
const LAST: &str = "\u{10ffff}";
/// The limits of the integer types, so that a mistake of two numbers together shows with each of them.
const LIMITS: [Num; 14] = [
    Num::U64(0),
    Num::U64(1),
    Num::U64(u8::MAX as u64),
    Num::U64(u16::MAX as u64),
    Num::U64(u32::MAX as u64),
    Num::U64(u64::MAX),
    Num::U64(i8::MAX as u64),
    Num::U64(i16::MAX as u64),
    Num::U64(i32::MAX as u64),
    Num::U64(i64::MAX as u64),
    Num::I64(i8::MIN as i64),
    Num::I64(i16::MIN as i64),
    Num::I64(i32::MIN as i64),
    Num::I64(i64::MIN),
];

/// Other values of the same kind: usual ones, and those of the keys beside it.
pub(super) fn alternatives<'d>(value: &'d Value, dict: &'d Dict) -> Box<dyn Iterator<Item = Value> + 'd> {
    let tag = value.tag();
    let beside = move |is_kind: fn(&Value) -> bool| {
        let others = dict.values().filter(move |other| is_kind(other) && *other != value);
        others.take(MOST_BESIDE).cloned()
    };
    match value {
        Value::String(..) => {
            let mut all = Vec::new();
            for text in texts() {
                all.push(Value::String(tag, text.to_string()));
                // A second one of the same form.
                if text.contains('0') || text.contains('1') {
                    all.push(Value::String(tag, text.replace('1', "2").replace('0', "1")));
                }
            }
            all.push(Value::String(tag, LAST.to_string()));
            Box::new(all.into_iter().chain(beside(|other| matches!(other, Value::String(..)))))
        }
        Value::Num(..) => {
            let numbers = LIMITS.into_iter().map(move |number| Value::Num(tag, number));
            Box::new(numbers.chain(beside(|other| matches!(other, Value::Num(..)))))
        }
        Value::Bool(_, on) => Box::new([Value::Bool(tag, !on)].into_iter()),
        Value::Array(_, items) if !items.is_empty() => Box::new([Value::Array(tag, Vec::new())].into_iter()),
        Value::Dict(_, dict) if !dict.is_empty() => Box::new([Value::Dict(tag, Dict::new())].into_iter()),
        _ => Box::new(std::iter::empty()),
    }
}
