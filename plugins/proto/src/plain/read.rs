//! Reads messages from the JSON of v1 and v2.

use super::{error::FieldError, names};
use crate::object::{self, Fields};
use data_encoding::BASE64;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::value::RawValue;
use std::{collections::HashMap, str::FromStr};

/// The maximum depth of nested messages, which is also the limit of the binary form.
const DEPTH: usize = 100;

/// Reads a message. Bytes that are not UTF-8 are replaced, as in Go.
pub(super) fn value(descriptor: &MessageDescriptor, from: &[u8]) -> Result<DynamicMessage, FieldError> {
    let text = String::from_utf8_lossy(from);
    let json: &RawValue = serde_json::from_str(&text).map_err(|error| FieldError::new(error.to_string()))?;
    message(descriptor, json, DEPTH)
}

fn message(descriptor: &MessageDescriptor, json: &RawValue, depth: usize) -> Result<DynamicMessage, FieldError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(FieldError::new(format!("messages are more than {DEPTH} deep")));
    };
    let mut message = DynamicMessage::new(descriptor.clone());
    if json.get() == "null" {
        return Ok(message);
    }
    if is_in_a_form_of_its_own(descriptor, json) {
        let mut text = serde_json::Deserializer::from_str(json.get());
        return DynamicMessage::deserialize(descriptor.clone(), &mut text)
            .map_err(|error| FieldError::new(error.to_string()));
    }
    let choices = names::choices(descriptor);
    for (name, json) in &object(json)? {
        let exact = descriptor.get_field_by_name(name);
        if exact.is_none()
            && let Some(choice) = choices.iter().find(|choice| choice.name == *name)
        {
            if json.get() == "null" {
                continue;
            }
            for (name, json) in &object(json).map_err(|error| error.within(choice.oneof.name()))? {
                if let Some((_, field)) = choice.fields.iter().find(|(go, _)| go.eq_ignore_ascii_case(name)) {
                    set(&mut message, field, json, depth)?;
                }
            }
            continue;
        }
        let field = exact.or_else(|| descriptor.get_field_by_json_name(name));
        let field = field.or_else(|| descriptor.fields().find(|field| field.name().eq_ignore_ascii_case(name)));
        if let Some(field) = field {
            set(&mut message, &field, json, depth)?;
        }
    }
    Ok(message)
}

/// Whether v2 wrote it: there, timestamps and the like, and types for any JSON, have special forms; v1 wrote them as
/// plain structs.
fn is_in_a_form_of_its_own(descriptor: &MessageDescriptor, json: &RawValue) -> bool {
    let Some(name) = descriptor.full_name().strip_prefix("google.protobuf.") else { return false };
    let Ok(fields) = object(json) else { return true };
    let is_value = |json: &RawValue| match object(json).as_deref() {
        Ok([(field, of)]) => field == "Kind" && (of.get() == "null" || object(of).is_ok()),
        _ => false,
    };
    match (name, fields.as_slice()) {
        ("Any", fields) => fields.iter().any(|(name, _)| name == "@type"),
        ("Value", _) => !is_value(json),
        // A `Struct` whose only field has this name and consists of such values cannot be told from v1's form.
        ("Struct", [(field, of)]) if field == "fields" => {
            !object(of).is_ok_and(|fields| fields.iter().all(|(_, json)| is_value(json)))
        }
        ("Struct", _) => true,
        _ => false,
    }
}

/// Reads a field. `null` leaves it unchanged.
fn set(message: &mut DynamicMessage, field: &FieldDescriptor, json: &RawValue, depth: usize) -> Result<(), FieldError> {
    if json.get() == "null" {
        return Ok(());
    }
    let value = if field.is_map() {
        map(field, json, depth)
    } else if field.is_list() {
        list(field, json, depth)
    } else {
        single(&field.kind(), json, depth)
    };
    message.set_field(field, value.map_err(|error| error.within(field.name()))?);
    Ok(())
}

fn list(field: &FieldDescriptor, json: &RawValue, depth: usize) -> Result<Value, FieldError> {
    let items: Vec<&RawValue> = serde_json::from_str(json.get()).map_err(|_| expected("a list", json))?;
    let items = items
        .iter()
        .enumerate()
        .map(|(at, item)| single(&field.kind(), item, depth).map_err(|error| error.within(format!("[{at}]"))));
    items.collect::<Result<_, _>>().map(Value::List)
}

fn map(field: &FieldDescriptor, json: &RawValue, depth: usize) -> Result<Value, FieldError> {
    let Kind::Message(entry) = field.kind() else { return Err(expected("no map", json)) };
    let (of_key, of_value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let mut items = HashMap::new();
    for (name, json) in object(json)? {
        let at = |error: FieldError| error.within(format!("[{name:?}]"));
        let item = single(&of_value, json, depth).map_err(at)?;
        items.insert(key(&of_key, &name).map_err(at)?, item);
    }
    Ok(Value::Map(items))
}

fn key(kind: &Kind, name: &str) -> Result<MapKey, FieldError> {
    Ok(match kind {
        Kind::String => MapKey::String(name.into()),
        Kind::Bool => MapKey::Bool(parsed(name, kind)?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => MapKey::I32(parsed(name, kind)?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(parsed(name, kind)?),
        Kind::Uint32 | Kind::Fixed32 => MapKey::U32(parsed(name, kind)?),
        _ => MapKey::U64(parsed(name, kind)?),
    })
}

/// Reads a value that is neither a list nor a map. `null` is the zero value, as in Go's lists.
fn single(kind: &Kind, json: &RawValue, depth: usize) -> Result<Value, FieldError> {
    if let Kind::Message(descriptor) = kind {
        return message(descriptor, json, depth).map(Value::Message);
    }
    if json.get() == "null" {
        return Ok(Value::default_value(kind));
    }
    let quoted: Option<String> = match json.get().starts_with('"') {
        true => Some(serde_json::from_str(json.get()).map_err(|error| FieldError::new(error.to_string()))?),
        false => None,
    };
    // v2 wrote 64-bit integers as strings.
    let number = quoted.as_deref().unwrap_or(json.get());
    Ok(match kind {
        Kind::Bool if quoted.is_none() => Value::Bool(parsed(number, kind)?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(parsed(number, kind)?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(parsed(number, kind)?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(parsed(number, kind)?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(parsed(number, kind)?),
        Kind::Float => {
            let float: f32 = parsed(number, kind)?;
            if float.is_infinite() && quoted.is_none() {
                return Err(FieldError::new(format!("{number} is too large for float")));
            }
            Value::F32(float)
        }
        Kind::Double => {
            let double: f64 = parsed(number, kind)?;
            if double.is_infinite() && quoted.is_none() {
                return Err(FieldError::new(format!("{number} is too large for double")));
            }
            Value::F64(double)
        }
        Kind::Enum(names) => Value::EnumNumber(match &quoted {
            Some(name) => match names.get_value_by_name(name) {
                Some(value) => value.number(),
                None => return Err(FieldError::new(format!("`{name}` is no value of the enum {}", names.full_name()))),
            },
            None => parsed(number, kind)?,
        }),
        Kind::String => Value::String(quoted.ok_or_else(|| expected("a string", json))?),
        Kind::Bytes => {
            let text = quoted.ok_or_else(|| expected("a string in base64", json))?;
            let bytes = BASE64.decode(text.as_bytes());
            Value::Bytes(bytes.map_err(|error| FieldError::new(format!("no base64: {error}")))?.into())
        }
        _ => return Err(expected("true or false", json)),
    })
}

fn parsed<N: FromStr>(text: &str, kind: &Kind) -> Result<N, FieldError> {
    text.parse().map_err(|_| FieldError::new(format!("expected a value of {}, found `{}`", name_of(kind), short(text))))
}

fn name_of(kind: &Kind) -> String {
    match kind {
        Kind::Enum(names) => names.full_name().into(),
        kind => format!("{kind:?}").to_lowercase(),
    }
}

fn expected(what: &str, json: &RawValue) -> FieldError {
    FieldError::new(format!("expected {what}, found `{}`", short(json.get())))
}

/// The beginning of a text, since values may be large.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn object(json: &RawValue) -> Result<Fields<'_>, FieldError> {
    if !object::is_one(json) {
        return Err(expected("an object", json));
    }
    object::fields(json).map_err(|error| FieldError::new(error.to_string()))
}
