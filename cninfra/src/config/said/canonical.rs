//! Replaces the keys of a layer by the names that their type has for them, since figment merges by the exact key.

use super::{
    agent_keys::AGENT_KEYS,
    chosen::Choices,
    meant::{HIDES, Meant, meant},
    shape::{Kind, Shape, Wanted},
    source::Texts,
};
use crate::config::written::{
    key, untyped, value,
    way::{Step, Way, inner},
};
use figment::value::{Dict, Value};
use std::collections::BTreeMap;

/// Asks the section's type what it wants at a place.
pub(super) type Ask<'a> = dyn Fn(&[Step]) -> Wanted + 'a;

/// What was noted while the keys of one layer were replaced by their canonical names.
#[derive(Default)]
pub(super) struct Canonical {
    /// The keys as the source spells them, if differently, by their canonical ways.
    pub(super) spellings: BTreeMap<Way, String>,
    pub(super) choices: Choices,
    /// The original texts, of sources that have only texts, for values that were converted to something else.
    pub(super) texts: BTreeMap<Way, String>,
    /// The ways to secrets. Keys inside them are not shown.
    secrets: Vec<Way>,
    /// If the layer has the first key, the second one is ignored in layers of a lower rank (see `Hides`).
    pub(super) hides: Vec<(Way, Way)>,
}

impl Canonical {
    /// The value with canonical keys, and what was noted about it.
    pub(super) fn of(value: Value, texts: Texts, ask: &Ask<'_>) -> (Value, Self) {
        let mut canonical = Canonical::default();
        let value = canonical.canonicalize(&mut Way::new(), value, texts, ask);
        (value, canonical)
    }

    fn canonicalize(&mut self, way: &mut Way, value: Value, texts: Texts, ask: &Ask<'_>) -> Value {
        let needs_a_type = match &value {
            Value::Dict(..) | Value::Array(..) | Value::Empty(..) => true,
            Value::String(..) => texts != Texts::Typed,
            _ => false,
        };
        if !needs_a_type {
            return value;
        }
        let Wanted { shape, secret, .. } = ask(way);
        if secret && !self.is_in_secret(way) {
            self.secrets.push(way.clone());
        }
        let (value, texts) = match value {
            Value::String(tag, text) => {
                let value = self.convert_text(way, text, |text| match shape {
                    Some(shape) if texts == Texts::Untyped || !shape.accepts_texts() => shape.convert_text(text),
                    None if texts == Texts::Untyped => untyped::as_yaml(text),
                    _ => Value::String(tag, text.to_string()),
                });
                (value, Texts::Typed)
            }
            value => (value, texts),
        };
        // Only the type's own code knows what is in there.
        let Some(Shape { optional, kind }) = shape.filter(|shape| shape.kind != Kind::Any) else {
            return if texts == Texts::Untyped { self.convert_by_look(way, value) } else { value };
        };
        match (kind, value) {
            // An empty mapping: a null would hide what the layers below say.
            (Kind::Struct(_) | Kind::Map, Value::Empty(tag, _)) if !optional => Value::Dict(tag, Dict::new()),
            (Kind::Struct(fields), Value::Dict(tag, dict)) => {
                Value::Dict(tag, self.canonical_fields(way, dict, fields, texts, ask))
            }
            (Kind::Map, Value::Dict(tag, dict)) => {
                let entries = dict.into_iter().map(|(key, value)| {
                    let value = self.canonical_inner(way, Step::Key(key.clone()), value, texts, ask);
                    (key, value)
                });
                Value::Dict(tag, value::dict(entries))
            }
            (Kind::List, Value::Array(tag, items)) => {
                let items = items.into_iter().enumerate();
                let items =
                    items.map(|(index, value)| self.canonical_inner(way, Step::Index(index), value, texts, ask));
                Value::Array(tag, items.collect())
            }
            (Kind::Choice(names), Value::Dict(tag, dict)) => {
                // Figment would merge two variants into a mapping that is neither.
                if !way.iter().any(|step| matches!(step, Step::Index(_))) {
                    self.choices.insert(way.clone(), names);
                }
                let taken: Vec<String> = dict.keys().cloned().collect();
                let mut all = Dict::new();
                for (written, value) in dict {
                    let name = names.iter().find(|name| key::same(name, &written)).map_or(&*written, |name| name);
                    // A second spelling stays as it is, so that it is reported.
                    let is_free = !taken.iter().any(|taken| taken == name) && !all.contains_key(name);
                    let name = if is_free { self.note_spelling(way, name.to_string(), written) } else { written };
                    let value = self.canonical_inner(way, Step::Key(name.clone()), value, texts, ask);
                    all.insert(name, value);
                }
                Value::Dict(tag, all)
            }
            (_, value) => value,
        }
    }

    fn canonical_inner(&mut self, way: &mut Way, step: Step, value: Value, texts: Texts, ask: &Ask<'_>) -> Value {
        way.push(step);
        let value = self.canonicalize(way, value, texts, ask);
        way.pop();
        value
    }

    /// The entries of a struct with these fields. Unknown keys, and second spellings of a key, stay as they are
    /// written: both are reported when the section is read.
    fn canonical_fields(
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
                    .find(|agent_key| key::same(agent_key, &written))
                    .map_or(&*written, |key| key)
                    .to_string(),
                Meant::Later | Meant::Nothing => written.clone(),
            };
            let is_free = canonical == written || !taken.contains(&canonical) && !all.contains_key(&canonical);
            let name = if is_free { self.note_spelling(way, canonical, written) } else { written };
            let value = match meant {
                Meant::Field(_) => self.canonical_inner(way, Step::Key(name.clone()), value, texts, ask),
                _ => value,
            };
            for hidden in fields.iter().filter_map(|field| field.strip_prefix(HIDES)?.split_once(':')) {
                if hidden.0 == name {
                    let place = |key: &str| inner(way, key);
                    self.hides.push((place(hidden.0), place(hidden.1)));
                }
            }
            all.insert(name, value);
        }
        all
    }

    fn is_in_secret(&self, way: &[Step]) -> bool {
        self.secrets.iter().any(|secret| way.starts_with(secret))
    }

    /// Is there a secret around the place that is this many steps down? (The layer has a single way.)
    pub(super) fn has_secret_around(&self, steps: usize) -> bool {
        self.secrets.iter().any(|secret| secret.len() < steps)
    }

    /// The part of a way that may be shown.
    pub(super) fn shown<'w>(&self, way: &'w [Step]) -> &'w [Step] {
        let secret = self.secrets.iter().find(|secret| way.starts_with(secret));
        secret.map_or(way, |secret| &way[..secret.len()])
    }

    fn note_spelling(&mut self, way: &Way, canonical: String, written: String) -> String {
        if canonical != written {
            let place = inner(way, &canonical);
            self.spellings.insert(place, written);
        }
        canonical
    }

    /// The way with the keys as the source spells them.
    pub(super) fn way_as_written(&self, way: &[Step]) -> Way {
        let step = |(at, step): (usize, &Step)| {
            self.spellings.get(&way[..=at]).map_or_else(|| step.clone(), |written| Step::Key(written.clone()))
        };
        way.iter().enumerate().map(step).collect()
    }

    /// Interprets the texts in a mapping by what they look like.
    fn convert_by_look(&mut self, way: &mut Way, value: Value) -> Value {
        match value {
            Value::String(_, text) => self.convert_text(way, text, untyped::by_look),
            Value::Dict(tag, dict) => {
                let looked_at = |(key, value): (String, Value)| {
                    way.push(Step::Key(key.clone()));
                    let value = self.convert_by_look(way, value);
                    way.pop();
                    (key, value)
                };
                Value::Dict(tag, value::dict(dict.into_iter().map(looked_at)))
            }
            other => other,
        }
    }

    /// Converts a text, and keeps the original if the result is no text.
    fn convert_text(&mut self, way: &Way, text: String, look: impl FnOnce(&str) -> Value) -> Value {
        let value = look(&text);
        // What is in brackets is certainly meant as a list or a mapping.
        let is_meant =
            matches!(value, Value::String(..) | Value::Empty(..)) || text.trim_start().starts_with(['[', '{']);
        if !is_meant {
            self.texts.insert(way.clone(), text);
        }
        value
    }
}
