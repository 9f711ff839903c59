//! What may stand in the place of a key that is missing, so that the reading goes on.

use super::{
    lacks::{Lack, MOST_READ, is_read},
    trial::Trial,
};
use crate::config::{
    read::unexpected::unexpected,
    said::shape::{Kind, Shape, Told},
    written::{
        value,
        way::{Step, Way, inner},
    },
    wrong::{
        failure::{Mark, NO_NAME, What},
        spot::Spot,
    },
};
use figment::value::{Dict, Num, Tag, Value};

/// Texts that are something to types of the most usual kinds, and no names of variants.
pub(super) const TEXTS: [&str; 5] = [NO_NAME, "1s", "127.0.0.1", "127.0.0.1:80", "http://localhost/"];

/// So many words of a message are tried.
const MOST_WORDS: usize = 20;

/// What is said of a value that is put in.
enum Said {
    Fits,
    Refused,
    /// It takes one of these.
    Names(&'static [&'static str]),
    /// In words of a type's own, of whatever it is.
    Words(String),
}

/// The key of a mapping whose default says this, and what may stand there: it is not said then. What other defaults say is the same where they panic at one place, so each key gets what fits, from the last one on, until it
/// is not said any more. Which keys there are is only known of a type that tells it, of one that nobody knows.
pub(super) fn made(what: &What, spot: &Spot, mapping: &Way, trial: &Trial<'_>) -> Option<(&'static str, Value)> {
    let dict = value::at(trial.merged, mapping)?.as_dict()?;
    let mut with = trial.merged.clone();
    value::insert(&mut with, &inner(mapping, NO_NAME), value::nothing(Tag::Default));
    let unknown = trial.reads(&with).err()?.what;
    value::remove(&mut with, &inner(mapping, NO_NAME));
    let What::Unknown { key, known } = unknown else { return None };
    let absent = known.iter().filter(|field| key == NO_NAME && !dict.contains_key(**field));
    absent.rev().take(MOST_READ).find_map(|field| {
        let lack = Lack { field, what, spot, trial };
        let fits = lack.fitting(mapping, false, &with)?;
        value::insert(&mut with, &inner(mapping, field), fits.clone());
        (!lack.is_said_of(&with)).then_some((*field, fits))
    })
}

impl Lack<'_, '_> {
    /// What may stand at the key in this mapping, in what is read so; `None` where it may be the name of a variant to which belongs what is beside it, or nothing is known
    /// that fits.
    pub(super) fn fitting(&self, mapping: &Way, may_be_name: bool, around: &Value) -> Option<Value> {
        let way = inner(mapping, self.field);
        let tag = value::at(around, mapping)?.tag();
        let text = |text: &str| Value::String(tag, text.to_string());
        let all: Vec<Value> = match self.trial.told(&way) {
            Told { shape: Some(Shape { kind: Kind::Choice(names), .. }), open: false, .. } => {
                names.iter().map(|name| text(name)).collect()
            }
            Told { shape: Some(Shape { kind: Kind::Choice(_), .. }), .. } => return None,
            _ if may_be_name => return None,
            _ => {
                let numbers = [1, 0, 8080].map(|number| Value::Num(tag, Num::U64(number)));
                let others = [Value::Bool(tag, false), Value::Array(tag, Vec::new()), Value::Dict(tag, Dict::new())];
                TEXTS.into_iter().map(text).chain(numbers).chain(others).collect()
            }
        };
        match self.tried(&way, &all, around) {
            (None, Some(in_words)) => {
                let least = self.least(mapping, around);
                Some(self.tried(&way, &all, &least).0.unwrap_or(in_words))
            }
            (fits, _) => fits,
        }
    }

    /// Which of these fits, and the first one of which something is said in words, so that it may.
    fn tried(&self, way: &[Step], all: &[Value], around: &Value) -> (Option<Value>, Option<Value>) {
        let mut in_words: Option<(Value, String)> = None;
        let mut are_tried = false;
        let mut next = all.iter().rev().cloned().collect::<Vec<_>>();
        while let Some(value) = next.pop().filter(|_| !self.trial.is_spent()) {
            match self.said(way, &value, around) {
                Said::Fits => return (Some(value), None),
                Said::Refused => {}
                Said::Names(names) => {
                    let names = names.iter().filter(|_| !are_tried);
                    next.extend(names.map(|name| Value::String(value.tag(), (*name).to_string())));
                    are_tried = true;
                }
                // what is said of each text is of something else, or of a text that is not known here
                Said::Words(words) => match &in_words {
                    Some((_, first)) if *first == words => {}
                    Some(_) => return (Some(value), None),
                    None => {
                        // they may tell what it takes
                        let told = words.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
                        let told = told.filter(|word| !word.is_empty()).take(MOST_WORDS);
                        next.splice(0..0, told.map(|word| Value::String(value.tag(), word.to_string())));
                        in_words = Some((value, words));
                    }
                },
            }
        }
        (None, in_words.filter(|_| !self.trial.is_spent()).map(|(value, _)| value))
    }

    /// What is read so, without all in this mapping that is read later than the key, of which the same may be said.
    fn least(&self, mapping: &Way, around: &Value) -> Value {
        let mut least = around.clone();
        let keys = value::at(around, mapping).and_then(Value::as_dict).map(|dict| dict.keys().cloned().collect());
        let keys: Vec<String> = keys.unwrap_or_default();
        for key in keys.iter().take(MOST_READ) {
            let mut other = least.clone();
            value::remove(&mut other, &inner(mapping, key));
            if self.is_said_of(&other) && self.is_name(mapping, &other).is_some() {
                least = other;
            }
        }
        least
    }

    /// Is something said of it in a type's own words, so that it is not known whether it fits?
    pub(super) fn is_in_words(&self, way: &[Step], value: &Value, around: &Value) -> bool {
        matches!(self.said(way, value, around), Said::Words(_))
    }

    fn said(&self, way: &[Step], value: &Value, around: &Value) -> Said {
        let mut other = around.clone();
        value::insert(&mut other, way, value.clone());
        let Err(failure) = self.trial.reads(&other) else { return Said::Fits };
        let at = failure.spot.as_ref().map_or(&[][..], |spot| &spot.way);
        let shown = || match value {
            Value::String(_, text) => text.clone(),
            Value::Num(_, number) => number.to_u128().unwrap_or_default().to_string(),
            other => other.to_bool().unwrap_or_default().to_string(),
        };
        match &failure.what {
            // of another mapping
            _ if self.is_it(&failure) => Said::Fits,
            _ if at.starts_with(way) => Said::Refused,
            _ if at != self.spot.way => Said::Fits,
            What::Takes(takes) if takes.mark == Some(Mark::of(&unexpected(value))) => Said::Refused,
            // a list of so many
            What::Takes(takes) if takes.mark.is_none() && value.as_array().is_some() => Said::Refused,
            // which may be so in this one
            What::Missing { field, .. }
                if matches!(value, Value::Dict(..) | Value::Array(..)) && self.has(way, field, around) =>
            {
                Said::Refused
            }
            // which may be another text
            What::NoVariant { found, names } => {
                if found.ends_with(&format!("`{}`", shown())) {
                    Said::Names(names)
                } else {
                    Said::Fits
                }
            }
            What::Says(words) => match value {
                Value::String(..) | Value::Num(..) if words.contains(&shown()) => Said::Refused,
                Value::String(..) => Said::Words(words.clone()),
                _ => Said::Fits,
            },
            _ => Said::Fits,
        }
    }

    /// Is it a key of what is read there, and not one of any?
    fn has(&self, way: &[Step], field: &str, around: &Value) -> bool {
        let is_read = |key: &str| {
            let mut other = around.clone();
            let dict = value::dict([(key.to_string(), value::unreadable(0, Tag::Default))]);
            value::insert(&mut other, way, Value::Dict(Tag::Default, dict));
            let Err(failure) = self.trial.reads(&other) else { return false };
            is_read(&failure.what, 0).is_some() || failure.spot.is_some_and(|spot| spot.way == inner(way, key))
        };
        is_read(field) && !is_read(NO_NAME)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        flat: Option<Flat>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        count: u8,
        #[serde(flatten)]
        of: Tagged,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Tagged {
        Of { choice: Choice },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        One(u8),
        Two(u8),
    }

    #[test]
    fn what_is_no_variant_of_another_key_makes_nothing_wrong_with_this_one() {
        let told = Given::file(Odd::META, "flat: {count: x, kind: of, choice: {three: 1}}").wrong_in_line();
        let [count, choice] = &told[..] else { panic!("{told:?}") };
        assert_eq!(count, "15: key `odd.flat.count` takes a whole number from 0 to 255, not the text `x`");
        assert!(choice.starts_with("36: key `odd.flat.choice` takes `one` or `two`, not what is there"), "{choice}");
    }
}
