//! The names that fields have in Go's structs. A oneof field has no JSON tag, so these names appear in the JSON.

use prost_reflect::{FieldDescriptor, MessageDescriptor, OneofDescriptor};
use std::collections::HashSet;

/// The methods of the structs, whose names no field can have.
const METHODS: [&str; 8] =
    ["Reset", "String", "ProtoMessage", "Marshal", "Unmarshal", "ExtensionRangeArray", "ExtensionMap", "Descriptor"];

/// The oneof of a field, if Go has one for it, too: an optional field of proto3 is a pointer there.
pub(super) fn oneof_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|_| !field.field_descriptor_proto().proto3_optional())
}

/// A oneof with its Go names.
pub(super) struct Choice {
    pub(super) oneof: OneofDescriptor,
    pub(super) name: String,
    pub(super) fields: Vec<(String, FieldDescriptor)>,
}

/// The oneofs of a message, in the order of their first fields.
pub(super) fn choices(message: &MessageDescriptor) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    if message.oneofs().len() == 0 {
        return choices;
    }
    let mut used: HashSet<String> = METHODS.iter().map(ToString::to_string).collect();
    for field in message.fields() {
        let name = free(&mut used, field.name());
        let Some(oneof) = oneof_of(&field) else { continue };
        match choices.iter_mut().find(|choice| choice.oneof == oneof) {
            Some(choice) => choice.fields.push((name, field)),
            None => {
                let of_all = free(&mut used, oneof.name());
                choices.push(Choice { oneof, name: of_all, fields: vec![(name, field)] });
            }
        }
    }
    choices
}

/// A Go name that is not used yet, and whose getter's name is not.
fn free(used: &mut HashSet<String>, name: &str) -> String {
    let mut name = camel_case(name);
    while used.contains(&name) || used.contains(&format!("Get{name}")) {
        name.push('_');
    }
    used.insert(format!("Get{name}"));
    used.insert(name.clone());
    name
}

/// The name in camel case as golang/protobuf makes it: `_` is dropped only before a small letter.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut rest = name;
    if let Some(after) = name.strip_prefix('_') {
        camel.push('X');
        rest = after;
    }
    let mut begins = true;
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '_' if letters.peek().is_some_and(char::is_ascii_lowercase) => begins = true,
            'a'..='z' if begins => {
                camel.push(letter.to_ascii_uppercase());
                begins = false;
            }
            'a'..='z' => camel.push(letter),
            _ => {
                camel.push(letter);
                begins = !letter.is_ascii_uppercase();
            }
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn names_are_gos() {
        for (name, go) in
            [("pay_load", "PayLoad"), ("_x", "XX"), ("a_1b", "A_1B"), ("camelName", "CamelName"), ("a_B_c", "A_BC")]
        {
            assert_eq!(camel_case(name), go);
        }
    }
}
