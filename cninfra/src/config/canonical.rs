//! Gives the keys of one layer the names that their type has for them, since figment merges by the exact key.

use super::{
    agent_keys::AGENT_KEYS,
    fields::{HIDES, Meant, meant},
    key,
    shape::{Kind, Shape},
    source::{Step, Texts, Way},
};
use figment::value::{Dict, Value};
use std::collections::BTreeMap;

/// What a type says of the key at a place; `None` where it can not be known.
pub(super) type Ask<'a> = dyn Fn(&[Step]) -> Option<Shape> + 'a;

/// The values of one layer, by the canonical names of their keys.
#[derive(Default)]
pub(super) struct Canonical {
    /// Keys that are spelled in another way, by their canonical place.
    pub(super) written: BTreeMap<Way, String>,
    /// Choices: those of the layers below are not there, if these are.
    pub(super) choices: Vec<Way>,
    /// If the first is here, the second is not there in sources of a lower rank.
    pub(super) hides: Vec<(Way, Way)>,
}

impl Canonical {
    /// Of these values.
    pub(super) fn of(value: Value, texts: Texts, ask: &Ask<'_>) -> (Value, Self) {
        let mut canonical = Canonical::default();
        let value = canonical.walk(&mut Way::new(), value, texts, ask);
        (value, canonical)
    }

    fn walk(&mut self, way: &mut Way, value: Value, texts: Texts, ask: &Ask<'_>) -> Value {
        let needs_a_type = match &value {
            Value::Dict(..) | Value::Array(..) | Value::Empty(..) => true,
            Value::String(..) => texts != Texts::Typed,
            _ => false,
        };
        if !needs_a_type {
            return value;
        }
        let asked = ask(way);
        let (value, texts) = match value {
            Value::String(tag, text) => {
                let value = match asked {
                    Some(shape) if texts == Texts::Untyped || !shape.takes_texts() => shape.of_text(&text),
                    None if texts == Texts::Untyped => super::value::understood(&text),
                    _ => Value::String(tag, text),
                };
                (value, Texts::Typed)
            }
            value => (value, texts),
        };
        let Some(Shape { optional, kind }) = asked else { return value };
        match (kind, value) {
            // a mapping with nothing in it: it takes nothing from the layers below
            (Kind::Struct(_) | Kind::Map, Value::Empty(tag, _)) if !optional => Value::Dict(tag, Dict::new()),
            (Kind::Struct(fields), Value::Dict(tag, dict)) => {
                Value::Dict(tag, self.fields(way, dict, fields, texts, ask))
            }
            (Kind::Map, Value::Dict(tag, dict)) => {
                let entries = dict.into_iter().map(|(key, value)| {
                    let value = self.inner(way, Step::Key(key.clone()), value, texts, ask);
                    (key, value)
                });
                Value::Dict(tag, entries.collect())
            }
            (Kind::List, Value::Array(tag, items)) => {
                let items = items.into_iter().enumerate();
                let items = items.map(|(index, value)| self.inner(way, Step::Index(index), value, texts, ask));
                Value::Array(tag, items.collect())
            }
            (Kind::Choice(names), Value::Dict(tag, dict)) => {
                // figment would merge two choices into none
                self.choices.push(way.clone());
                let entries = dict.into_iter().map(|(written, value)| {
                    let name = names.iter().find(|name| key::same(name, &written)).map_or(&*written, |name| name);
                    let name = self.spelled(way, name.to_string(), written.clone());
                    let value = self.inner(way, Step::Key(name.clone()), value, texts, ask);
                    (name, value)
                });
                Value::Dict(tag, entries.collect())
            }
            (_, value) => value,
        }
    }

    fn inner(&mut self, way: &mut Way, step: Step, value: Value, texts: Texts, ask: &Ask<'_>) -> Value {
        way.push(step);
        let value = self.walk(way, value, texts, ask);
        way.pop();
        value
    }

    /// The keys of a type with these fields. Those that nobody knows stay as they are written, and so does a second
    /// spelling of the same key: both are told when the section is read.
    fn fields(
        &mut self,
        way: &mut Way,
        dict: Dict,
        fields: &'static [&'static str],
        texts: Texts,
        ask: &Ask<'_>,
    ) -> Dict {
        let taken: Vec<String> = dict.keys().cloned().collect();
        let mut all = Dict::new();
        for (written, value) in dict {
            let meant = meant(fields, &written);
            let canonical = match meant {
                Meant::Field(field) => field.to_string(),
                Meant::FileOf(field) => format!("{field}-file"),
                Meant::Nothing if way.is_empty() => AGENT_KEYS
                    .iter()
                    .find(|agents| key::same(agents, &written))
                    .map_or(&*written, |key| key)
                    .to_string(),
                Meant::Later | Meant::Nothing => written.clone(),
            };
            let is_free = canonical == written || !taken.contains(&canonical) && !all.contains_key(&canonical);
            let name = if is_free { self.spelled(way, canonical, written) } else { written };
            let value = match meant {
                Meant::Field(_) => self.inner(way, Step::Key(name.clone()), value, texts, ask),
                _ => value,
            };
            for hidden in fields.iter().filter_map(|field| field.strip_prefix(HIDES)?.split_once(':')) {
                if hidden.0 == name {
                    let place = |key: &str| way.iter().cloned().chain([Step::Key(key.to_string())]).collect();
                    self.hides.push((place(hidden.0), place(hidden.1)));
                }
            }
            all.insert(name, value);
        }
        all
    }

    fn spelled(&mut self, way: &Way, canonical: String, written: String) -> String {
        if canonical != written {
            let place = way.iter().cloned().chain([Step::Key(canonical.clone())]).collect();
            self.written.insert(place, written);
        }
        canonical
    }

    /// A place as it is written in the source.
    pub(super) fn as_written(&self, way: &[Step]) -> Way {
        let step = |(at, step): (usize, &Step)| {
            self.written.get(&way[..=at]).map_or_else(|| step.clone(), |written| Step::Key(written.clone()))
        };
        way.iter().enumerate().map(step).collect()
    }
}
