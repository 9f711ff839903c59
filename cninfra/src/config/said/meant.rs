//! Finds the field that a written key means, and what to suggest if there is none.

use crate::config::written::key;

/// The prefix of the names of keys that are refused: see [`Later`](crate::config::Later).
pub(in crate::config) const LATER: &str = "later:";
/// The prefix of a name that says which key hides which other one: see [`Hides`](crate::config::Hides).
pub(in crate::config) const HIDES: &str = "hides:";
/// The end of the key that names the file of a secret: `password-file` for `password`.
const FILE: &str = "file";

pub(in crate::config) enum Meant {
    Field(&'static str),
    FileOf(&'static str),
    Later,
    Nothing,
}

/// The key of a secret's file for the key of the secret, and the other way round.
pub(in crate::config) fn other_form(key: &str) -> String {
    key.strip_suffix(FILE).and_then(|key| key.strip_suffix('-')).map_or_else(|| format!("{key}-{FILE}"), str::to_string)
}

/// The field that a key means, however it is spelled.
pub(in crate::config) fn meant(fields: &'static [&'static str], written: &str) -> Meant {
    let named = |written: &str| {
        // Most keys are written exactly like this. A name with upper case may be an alias.
        let is_key = |field: &&&'static str| !field.starts_with(HIDES);
        let exact = fields.iter().filter(is_key).find(|field| **field == written);
        if let Some(field) = exact.filter(|field| !field.contains(char::is_uppercase)) {
            return Some(*field);
        }
        let same = |field: &&&'static str| is_key(field) && key::same(field, written);
        // An alias may differ from the field's name only in its spelling. The name is the one in lower case.
        let matching = fields.iter().filter(same);
        matching.min_by_key(|field| field.chars().filter(|c| c.is_uppercase()).count()).copied()
    };
    if let Some(field) = named(written) {
        return Meant::Field(field);
    }
    if fields.iter().any(|field| field.strip_prefix(LATER).is_some_and(|key| key::same(key, written))) {
        return Meant::Later;
    }
    let normalized = key::normalized(written);
    match normalized.strip_suffix(FILE).and_then(named) {
        Some(field) => Meant::FileOf(field),
        None => Meant::Nothing,
    }
}

/// The help for an unknown key: "did you mean", and the known keys, including the agent's unless the type has its own
/// of that name.
pub(in crate::config) fn suggestion(written: &str, fields: &[&str], agent_keys: &[&str]) -> String {
    suggest(written, fields.iter().map(|field| key::kebab(field)), agent_keys)
}

/// The same for a type that accepts keys only as it spells them.
pub(in crate::config) fn suggestion_as_written(written: &str, fields: &[&str], agent_keys: &[&str]) -> String {
    suggest(written, fields.iter().map(ToString::to_string), agent_keys)
}

/// The `key` of `key[0]`, which is how other programs set an item of a list.
fn item_of(written: &str) -> Option<&str> {
    let (name, number) = written.strip_suffix(']')?.split_once('[')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

fn suggest(written: &str, fields: impl Iterator<Item = String>, agent_keys: &[&str]) -> String {
    let mut known: Vec<String> = Vec::new();
    for field in fields.filter(|field| !field.starts_with(LATER) && !field.starts_with(HIDES)) {
        if !known.contains(&field) {
            known.push(field);
        }
    }
    let agent_keys: Vec<&str> =
        agent_keys.iter().copied().filter(|key| !known.iter().any(|known| known == key)).collect();
    let list = match (known.is_empty(), agent_keys.is_empty()) {
        (true, true) => return "there are no keys here: remove it".to_string(),
        (false, true) => known.join(", "),
        (true, false) => format!("only those of any plugin: {}", agent_keys.join(", ")),
        (false, false) => format!("{}; of any plugin: {}", known.join(", "), agent_keys.join(", ")),
    };
    let (name, is_item) = match item_of(written) {
        Some(name) => (name, true),
        None => (written, false),
    };
    match key::nearest(name, known.iter().map(String::as_str).chain(agent_keys)) {
        Some(meant) if is_item => format!("no part of it can be set alone: set all of `{meant}`; known keys: {list}"),
        Some(meant) => format!("did you mean `{meant}`? known keys: {list}"),
        None => format!("known keys: {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sets_an_item_is_told_what_is_set_whole() {
        let whole = |key: &str| format!("no part of it can be set alone: set all of `{key}`; known keys: peers, port");
        let fields = ["peers", "port"];
        for written in ["peers[0]", "Peers[10]", "peers[]"] {
            assert_eq!(suggestion(written, &fields, &[]), whole("peers"), "{written}");
        }
        assert_eq!(suggestion("pers[0]", &fields, &[]), whole("peers"));
        for written in ["x[0]", "[0]", "peers[a]"] {
            assert!(!suggestion(written, &fields, &[]).contains("alone"), "{written}");
        }
    }
}
