//! Sorts maps by their keys, so that the same message always has the same bytes.

use crate::object;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::value::RawValue;

/// Whether the message contains a map of several entries. Maps within an `Any` are not seen.
pub(super) fn is_needed(message: &DynamicMessage) -> bool {
    fn of(value: &Value) -> bool {
        match value {
            Value::Map(entries) => entries.len() > 1 || entries.values().any(of),
            Value::List(items) => items.iter().any(of),
            Value::Message(message) => is_needed(message),
            _ => false,
        }
    }
    message.fields().any(|(_, value)| of(value))
}

/// Writes the JSON of a message again, with sorted maps.
pub(super) fn message(of: &MessageDescriptor, json: &RawValue, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    if let Some(own) = of.full_name().strip_prefix("google.protobuf.") {
        // Types of any JSON are sorted as JSON; the others contain no maps.
        return match own {
            "Struct" | "Value" | "ListValue" => {
                serde_json::to_writer(to, &serde_json::from_str::<serde_json::Value>(json.get())?)
            }
            _ => as_it_is(json, to),
        };
    }
    let mut fields = object::fields(json)?.into_iter().map(|(name, json)| (of.get_field_by_name(&name), name, json));
    entries(&mut fields, to, |field, json, to| match field {
        Some(field) if field.is_map() => map(&field, json, to),
        Some(field) if field.is_list() => {
            let items: Vec<&RawValue> = serde_json::from_str(json.get())?;
            to.push(b'[');
            for (at, item) in items.into_iter().enumerate() {
                if at > 0 {
                    to.push(b',');
                }
                single(&field.kind(), item, to)?;
            }
            to.push(b']');
            Ok(())
        }
        Some(field) => single(&field.kind(), json, to),
        // An extension.
        None => as_it_is(json, to),
    })
}

fn single(kind: &Kind, json: &RawValue, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    match kind {
        Kind::Message(of) => message(of, json, to),
        _ => as_it_is(json, to),
    }
}

/// In v2's order: numbers by value, strings by their bytes.
fn map(field: &FieldDescriptor, json: &RawValue, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let Kind::Message(entry) = field.kind() else { return as_it_is(json, to) };
    let of_value = entry.map_entry_value_field().kind();
    let mut all = object::fields(json)?;
    match entry.map_entry_key_field().kind() {
        Kind::String | Kind::Bool => all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other)),
        _ => all.sort_unstable_by_key(|(key, _)| key.parse::<i128>().unwrap_or_default()),
    }
    let mut all = all.into_iter().map(|(key, json)| ((), key, json));
    entries(&mut all, to, |(), json, to| single(&of_value, json, to))
}

fn entries<'j, F>(
    all: &mut dyn Iterator<Item = (F, String, &'j RawValue)>,
    to: &mut Vec<u8>,
    value: impl Fn(F, &'j RawValue, &mut Vec<u8>) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    to.push(b'{');
    for (at, (of, name, json)) in all.enumerate() {
        if at > 0 {
            to.push(b',');
        }
        serde_json::to_writer(&mut *to, &name)?;
        to.push(b':');
        value(of, json, to)?;
    }
    to.push(b'}');
    Ok(())
}

fn as_it_is(json: &RawValue, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    to.extend_from_slice(json.get().as_bytes());
    Ok(())
}
