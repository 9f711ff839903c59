//! Finds a value that fits in the place of a missing key, so that reading goes on.

use super::{
    lacks::{Lack, ReadAs, read_as},
    marked::collect_ways,
    trial::Trial,
    usual::usual,
};
use crate::config::{
    read::unexpected::unexpected,
    said::shape::{Kind, Shape, Wanted},
    written::{
        value,
        way::{Step, Way, inner, inner_at},
    },
    wrong::{
        failure::{Failure, Mark, NO_NAME, What},
        spot::Spot,
    },
};
use figment::value::{Tag, Value};
use serde::de::Unexpected;

/// The most words of a message that are tried.
const MOST_WORDS: usize = 20;

/// The most keys of a mapping that are filled in or left out to see what the failure is about.
const MOST_KEYS: usize = 100;

/// The most keys or items that are put into an empty value.
const MOST_FILLED: usize = 16;

/// What the type says about a value that is tried.
enum Verdict {
    Fits,
    Refused,
    /// It wants one of these names.
    Names(&'static [&'static str]),
    /// A message of the type's own, which may be about another value.
    OwnWords(String),
}

/// The key of a mapping whose default causes this failure, and a value that fits there, so that the failure disappears.
/// Defaults that panic at the same source location cause the same failure. So each absent key gets a value that fits,
/// from the last one on, until the failure disappears. The absent keys are known only from a type that lists its keys
/// when it refuses an unknown one.
pub(super) fn failing_default(
    what: &What,
    spot: &Spot,
    mapping: &Way,
    trial: &Trial<'_>,
) -> Option<(&'static str, Value)> {
    let dict = value::at(trial.merged, mapping)?.as_dict()?;
    let mut with = trial.merged.clone();
    value::insert(&mut with, &inner(mapping, NO_NAME), value::nothing(Tag::Default));
    let unknown = trial.try_read(&with).err()?.what;
    value::remove(&mut with, &inner(mapping, NO_NAME));
    let What::Unknown { key, known } = unknown else { return None };
    let absent = known.iter().filter(|field| key == NO_NAME && !dict.contains_key(**field));
    absent.rev().take(MOST_KEYS).find_map(|field| {
        let lack = Lack { field, what, spot, trial };
        let fits = lack.fitting(mapping, ReadAs::Value, &with)?;
        value::insert(&mut with, &inner(mapping, field), fits.clone());
        (!lack.fails_alike(&with)).then_some((*field, fits))
    })
}

impl Lack<'_, '_> {
    /// A value that fits at the key in this mapping, if `around` is read. `None` if the key may be the name of a
    /// variant, to which what is beside it belongs, or if no value is known that fits.
    pub(super) fn fitting(&self, mapping: &Way, read_as: ReadAs, around: &Value) -> Option<Value> {
        let way = inner(mapping, self.field);
        let tag = value::at(around, mapping)?.tag();
        let text = |text: &str| Value::String(tag, text.to_string());
        let candidates: Vec<Value> = match self.trial.wanted_at(&way) {
            Wanted { shape: Some(Shape { kind: Kind::Choice(names), .. }), open: false, .. } => {
                names.iter().map(|name| text(name)).collect()
            }
            Wanted { shape: Some(Shape { kind: Kind::Choice(_), .. }), .. } => return None,
            _ if read_as == ReadAs::VariantName => return None,
            _ => usual(tag, &way, self.trial.whole),
        };
        let least = match self.verdict(&way, &text(NO_NAME), around) {
            Verdict::Names(names) if self.depends_on_name(&way, names, around) => return None,
            // The message may be about something that is read later.
            Verdict::OwnWords(_) => Some(self.without_later(mapping, around)),
            _ => None,
        };
        self.first_fitting(&way, candidates, least.as_ref().unwrap_or(around))
    }

    /// Does the failure depend on which of these names is there? Then what is beside the name belongs to it.
    fn depends_on_name(&self, way: &[Step], names: &[&str], around: &Value) -> bool {
        let (mut other, mut first) = (around.clone(), None);
        for name in names {
            value::insert(&mut other, way, value::text(*name));
            let what = self.trial.try_read(&other).err().map(|failure| failure.what);
            match (&what, &first) {
                // The variant has content, but not beside its name.
                (Some(What::NoContent), _) => {}
                (Some(What::Takes(takes)), _) if takes.mark == Some(Mark::of(&Unexpected::UnitVariant)) => {}
                (_, None) => first = Some(what),
                (_, Some(first)) if *first == what => {}
                _ => return true,
            }
        }
        false
    }

    /// The first of these values that fits; otherwise one that may fit: only a message of the type itself is about it.
    pub(super) fn first_fitting(&self, way: &[Step], mut candidates: Vec<Value>, around: &Value) -> Option<Value> {
        let mut first_in_words: Option<(Value, String)> = None;
        let (mut are_names_tried, mut other_in_words) = (false, None);
        candidates.reverse();
        while let Some(value) = candidates.pop().filter(|_| !self.trial.is_spent()) {
            // The type reads a number there, so it accepts no other kind.
            if matches!(first_in_words, Some((Value::Num(..), _))) && !matches!(value, Value::Num(..)) {
                break;
            }
            match self.verdict(way, &value, around) {
                Verdict::Fits => return Some(value),
                Verdict::Refused => {
                    if let Some(filled) = self.filled(way, value, around) {
                        return Some(filled);
                    }
                }
                Verdict::Names(names) => {
                    let names = names.iter().filter(|_| !are_names_tried);
                    candidates.extend(names.map(|name| Value::String(value.tag(), (*name).to_string())));
                    are_names_tried = true;
                }
                // If the message is the same for each text, it is about something else, or no text is known that fits.
                Verdict::OwnWords(words) => match &first_in_words {
                    Some((_, first)) if *first == words => {}
                    Some(_) => drop(other_in_words.get_or_insert(value)),
                    None => {
                        for_each_word(&words, &mut |word| {
                            candidates.insert(0, Value::String(value.tag(), word.to_string()))
                        });
                        first_in_words = Some((value, words));
                    }
                },
            }
        }
        other_in_words.or(first_in_words.map(|(value, _)| value)).filter(|_| !self.trial.is_spent())
    }

    /// A mapping, or a list of fixed length, filled with what it requires, so that it fits.
    fn filled(&self, way: &[Step], value: Value, around: &Value) -> Option<Value> {
        let tag = value.tag();
        let mut other = around.clone();
        value::insert(&mut other, way, value.clone());
        let fill = |way: Way, other: &mut Value| {
            let fits = self.first_fitting(&way, usual(tag, &way, self.trial.whole), other)?;
            value::insert(other, &way, fits);
            Some(())
        };
        match value {
            Value::Dict(_, dict) if dict.is_empty() => {
                for _ in 0..MOST_FILLED {
                    let Err(Failure { what: What::Missing { field, .. }, spot }) = self.trial.try_read(&other) else {
                        break;
                    };
                    let at = spot.as_ref().map_or(&[][..], |spot| &spot.way);
                    let way_in = inner(way, field);
                    let is_there = value::at(&other, &way_in).is_some();
                    if at != way && (at != self.spot.way || is_there || !self.is_known_key(way, field, &other)) {
                        break;
                    }
                    fill(way_in, &mut other)?;
                }
            }
            Value::Array(_, items) if items.is_empty() => {
                let Err(Failure { what: What::Takes(takes), .. }) = self.trial.try_read(&other) else { return None };
                let count = takes.count().filter(|count| (1..=MOST_FILLED).contains(count))?;
                // No type reads the items behind the one that is tried.
                value::insert(&mut other, way, Value::Array(tag, vec![value::unreadable(0, tag); count]));
                for at in 0..count {
                    fill(inner_at(way, at), &mut other)?;
                }
            }
            _ => return None,
        }
        let filled = value::at(&other, way)?.clone();
        matches!(self.verdict(way, &filled, around), Verdict::Fits).then_some(filled)
    }

    /// What is read, without everything in and around this mapping that is read later than the key and might fail in
    /// the same way.
    fn without_later(&self, mapping: &Way, around: &Value) -> Value {
        let mut least = around.clone();
        for depth in (self.spot.way.len()..=mapping.len()).rev() {
            let Some(dict) = value::at(around, &mapping[..depth]).and_then(Value::as_dict) else { continue };
            for key in dict.keys().take(MOST_KEYS) {
                let mut other = least.clone();
                value::remove(&mut other, &inner(&mapping[..depth], key));
                if self.fails_alike(&other) && self.key_read_as(mapping, &other).is_some() {
                    least = other;
                }
            }
        }
        least
    }

    /// Is a message of the type's own reported about it, so that it is not known whether it fits?
    pub(super) fn is_judged_in_own_words(&self, way: &[Step], value: &Value, around: &Value) -> bool {
        value.as_str().is_some() && matches!(self.verdict(way, value, around), Verdict::OwnWords(_))
    }

    /// What the type says about this value at the end of the way, with `around` as the rest.
    fn verdict(&self, way: &[Step], value: &Value, around: &Value) -> Verdict {
        let mut other = around.clone();
        value::insert(&mut other, way, value.clone());
        let Err(failure) = self.trial.try_read(&other) else { return Verdict::Fits };
        let at = failure.spot.as_ref().map_or(&[][..], |spot| &spot.way);
        let shown = || match value {
            Value::String(_, text) => text.clone(),
            Value::Num(_, number) => number.to_u128().unwrap_or_default().to_string(),
            other => other.to_bool().unwrap_or_default().to_string(),
        };
        match &failure.what {
            // The refused name may be another text.
            What::NoVariant { found, names } if at == way || at == self.spot.way => {
                match found.ends_with(&format!("`{}`", shown())) {
                    true => Verdict::Names(names),
                    false if at == way => Verdict::Refused,
                    false => Verdict::Fits,
                }
            }
            _ if at.starts_with(way) => Verdict::Refused,
            // The failure is about a value that is being filled.
            What::Says(_) if at.len() > self.spot.way.len() && way.starts_with(at) => Verdict::Refused,
            // The key is missing in another mapping.
            _ if self.is_same_failure(&failure) => Verdict::Fits,
            _ if at != self.spot.way => Verdict::Fits,
            What::Takes(takes) if self.has_mark(value, takes.mark) => Verdict::Refused,
            // A list of another length is wanted.
            What::Takes(takes) if takes.mark.is_none() && value.as_array().is_some() => Verdict::Refused,
            // The key may be missing in the trial value.
            What::Missing { field, .. }
                if matches!(value, Value::Dict(..) | Value::Array(..))
                    && value::at(&other, &inner(way, field)).is_none()
                    && self.is_known_key(way, field, around) =>
            {
                Verdict::Refused
            }
            What::Says(words) => match value {
                Value::String(..) | Value::Num(..) if words.contains(&shown()) => Verdict::Refused,
                Value::String(..) | Value::Num(..) => Verdict::OwnWords(words.clone()),
                _ => Verdict::Fits,
            },
            _ => Verdict::Fits,
        }
    }

    /// Does the mark identify this value, or one in it?
    fn has_mark(&self, value: &Value, mark: Option<Mark>) -> bool {
        let mut all = Vec::new();
        let is_marked = |here: &Value| mark == Some(Mark::of(&unexpected(here)));
        collect_ways(value, &mut Way::new(), &is_marked, self.trial, &mut all);
        !all.is_empty()
    }

    /// Does the type know this key, and not accept any key?
    fn is_known_key(&self, way: &[Step], field: &str, around: &Value) -> bool {
        let is_read = |key: &str| {
            let mut other = around.clone();
            let dict = value::dict([(key.to_string(), value::unreadable(0, Tag::Default))]);
            value::insert(&mut other, way, Value::Dict(Tag::Default, dict));
            let Err(failure) = self.trial.try_read(&other) else { return false };
            read_as(&failure.what, 0).is_some() || failure.spot.is_some_and(|spot| spot.way == inner(way, key))
        };
        is_read(field) && !is_read(NO_NAME)
    }
}

/// Texts in a message that might fit: its words, with punctuation and without.
fn for_each_word(words: &str, take: &mut dyn FnMut(&str)) {
    let is_end: [fn(char) -> bool; 2] =
        [|c| !c.is_alphanumeric() && c != '-' && c != '_', |c| c.is_whitespace() || c == '`' || c == ','];
    for is_end in is_end {
        for word in words.split(is_end).filter(|word| !word.is_empty()).take(MOST_WORDS) {
            take(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given};
    use serde::{Deserialize, Serialize};
    use std::net::IpAddr;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        flat: Option<Flat>,
        behind: Option<Behind>,
    }

    /// Both hosts fail with the same message.
    #[derive(Debug, Serialize, Deserialize)]
    struct Behind {
        label: String,
        #[serde(flatten)]
        first: First,
        #[serde(flatten)]
        second: Host,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct First {
        deep: Host,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Host {
        host: IpAddr,
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

    #[test]
    fn what_is_said_of_one_that_is_read_later_is_not_of_this_one() {
        let told = Given::file(Odd::META, "behind: {label: l, deep: {}, host: bad}").wrong_in_line();
        let missing = "26: key `odd.behind.deep`: the key `host` is missing";
        assert_eq!(told, [missing, "36: key `odd.behind.host`: invalid IP address syntax"]);
    }
}
