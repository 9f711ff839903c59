//! Converts a figment value into serde's [`Unexpected`].

use super::number::{IntegerOrFloat, integer_or_float};
use figment::value::Value;
use serde::de::Unexpected;

/// The value, as serde's errors describe it.
pub(in crate::config) fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Empty(..) => Unexpected::Unit,
        Value::Bool(_, value) => Unexpected::Bool(*value),
        Value::Num(_, number) => match integer_or_float(*number) {
            IntegerOrFloat::Unsigned(value) => Unexpected::Unsigned(value),
            IntegerOrFloat::Signed(value) => Unexpected::Signed(value),
            IntegerOrFloat::Float(value) => Unexpected::Float(value),
        },
        Value::Char(_, value) => Unexpected::Char(*value),
        Value::String(_, text) => Unexpected::Str(text),
        Value::Array(..) => Unexpected::Seq,
        Value::Dict(..) => Unexpected::Map,
    }
}
