//! Writes messages as Go's encoding/json writes their structs.

use super::{
    error::FieldError,
    names::{choices, oneof_of},
    text,
};
use data_encoding::BASE64;
use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, ReflectMessage, Value};
use std::collections::HashMap;

/// Writes a message.
pub(super) fn message(message: &DynamicMessage, to: &mut Vec<u8>) -> Result<(), FieldError> {
    let descriptor = message.descriptor();
    let mut choices = choices(&descriptor).into_iter().peekable();
    let mut first = true;
    to.push(b'{');
    for field in descriptor.fields() {
        if let Some(oneof) = oneof_of(&field) {
            // A oneof is written at the position of its first field.
            let Some(choice) = choices.next_if(|choice| choice.oneof == oneof) else { continue };
            name(&choice.name, &mut first, to);
            match choice.fields.iter().find(|(_, field)| message.has_field(field)) {
                None => to.extend_from_slice(b"null"),
                Some((go, field)) => {
                    to.push(b'{');
                    name(go, &mut true, to);
                    value(&message.get_field(field), to).map_err(|error| error.within(field.name()))?;
                    to.push(b'}');
                }
            }
        } else if message.has_field(&field) && !is_left_out(&field, &message.get_field(&field)) {
            name(field.name(), &mut first, to);
            value(&message.get_field(&field), to).map_err(|error| error.within(field.name()))?;
        }
    }
    to.push(b'}');
    Ok(())
}

/// Whether Go considers a value empty: pointers never are.
fn is_left_out(field: &FieldDescriptor, value: &Value) -> bool {
    match value {
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::F64(number) if !field.supports_presence() => *number == 0.0,
        Value::F32(number) if !field.supports_presence() => *number == 0.0,
        _ => false,
    }
}

fn name(name: &str, first: &mut bool, to: &mut Vec<u8>) {
    if !*first {
        to.push(b',');
    }
    *first = false;
    text::string(name, to);
    to.push(b':');
}

fn value(value: &Value, to: &mut Vec<u8>) -> Result<(), FieldError> {
    match value {
        Value::Bool(flag) => to.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::I32(number) | Value::EnumNumber(number) => to.extend_from_slice(number.to_string().as_bytes()),
        Value::I64(number) => to.extend_from_slice(number.to_string().as_bytes()),
        Value::U32(number) => to.extend_from_slice(number.to_string().as_bytes()),
        Value::U64(number) => to.extend_from_slice(number.to_string().as_bytes()),
        Value::F32(number) => text::float(*number, to)?,
        Value::F64(number) => text::double(*number, to)?,
        Value::String(string) => text::string(string, to),
        Value::Bytes(bytes) => text::string(&BASE64.encode(bytes), to),
        Value::Message(inner) => message(inner, to)?,
        Value::List(items) => {
            to.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    to.push(b',');
                }
                self::value(item, to).map_err(|error| error.within(format!("[{at}]")))?;
            }
            to.push(b']');
        }
        Value::Map(items) => map(items, to)?,
    }
    Ok(())
}

/// Writes a map, with its keys sorted as text.
fn map(items: &HashMap<MapKey, Value>, to: &mut Vec<u8>) -> Result<(), FieldError> {
    let mut sorted = Vec::with_capacity(items.len());
    for (key, item) in items {
        let key = match key {
            MapKey::Bool(_) => return Err(FieldError::new("a map whose keys are bool has no plain JSON form")),
            MapKey::I32(key) => key.to_string(),
            MapKey::I64(key) => key.to_string(),
            MapKey::U32(key) => key.to_string(),
            MapKey::U64(key) => key.to_string(),
            MapKey::String(key) => key.clone(),
        };
        sorted.push((key, item));
    }
    sorted.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut first = true;
    to.push(b'{');
    for (key, item) in sorted {
        name(&key, &mut first, to);
        value(item, to).map_err(|error| error.within(format!("[{key:?}]")))?;
    }
    to.push(b'}');
    Ok(())
}
