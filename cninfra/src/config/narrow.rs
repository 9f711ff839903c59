//! [`Narrow`]: of which part of a value something is said. serde reads one part after the other and stops at the first that is wrong, so it is the part up to
//! which the same is said when what comes behind it is left out, and not before it.

use super::{
    failure::{Failure, What},
    source::Step,
    trial::Trial,
    value,
};
use figment::value::{Dict, Tag, Value};

/// So many keys are tried in one mapping, for each mistake that may be told.
const MOST: usize = 4;

/// No variant has this name.
const NO_NAME: &str = "\0";

/// A search, which goes in step by step.
pub(super) struct Narrow<'t, 'a> {
    trial: &'t Trial<'a>,
    /// What is said.
    said: Failure,
    /// What is still read: without what comes behind what has been found, where the same may be said of something else.
    whole: Value,
}

/// What has been found in a mapping or a list.
pub(super) struct Inner {
    pub(super) step: Step,
    /// It is in a list of so many, each of which has its place.
    pub(super) has_place: bool,
}

impl<'t, 'a> Narrow<'t, 'a> {
    /// Of what is wrong with all that is tried; `None` where nothing is.
    pub(super) fn new(trial: &'t Trial<'a>) -> Option<Self> {
        Some(Narrow { trial, said: trial.reads(trial.merged).err()?, whole: trial.merged.clone() })
    }

    /// The part of what is at this place that is wrong; `None` where it is all of it, or can not be known.
    pub(super) fn step(&mut self, around: &[Step]) -> Option<Inner> {
        // what has been found is something, too
        if self.trial.is_spent() {
            return None;
        }
        match value::at(&self.whole, around)? {
            Value::Array(tag, items) => self.item(around, *tag, &items.clone()),
            Value::Dict(tag, dict) if dict.len() <= MOST * self.trial.layers.most_mistakes() => {
                self.key(around, *tag, &dict.clone())
            }
            _ => None,
        }
    }

    /// Is it the name of a variant that is wrong, which is there?
    pub(super) fn is_name(&self, way: &[Step]) -> bool {
        self.refuses_name(way, value::text(NO_NAME))
    }

    fn item(&mut self, around: &[Step], tag: Tag, items: &[Value]) -> Option<Inner> {
        let first = |len: usize| Value::Array(tag, items[..len].to_vec());
        let is_said = |here: Value| self.is_said(around, here);
        // by itself: those before it have their places
        let alone = |at: usize| is_said(Value::Array(tag, vec![items[at].clone(); at + 1]));
        let at = wrong(items.len(), &|len| is_said(first(len)), &alone)?;
        // that it has too few of them is said of the list
        let has_place = self.fails(around, first(at)).is_some_and(|failure| failure.is_of_length());
        if has_place && self.said.is_of_length() {
            return None;
        }
        value::replace(&mut self.whole, around, first(at + 1));
        Some(Inner { step: Step::Index(at), has_place })
    }

    /// A mapping is read with as little as it can be: with the keys that it misses one after the other (of an enum, first its name), and then with more and more
    /// of the others.
    fn key(&mut self, around: &[Step], tag: Tag, dict: &Dict) -> Option<Inner> {
        let is_missing = matches!(self.said.what, What::Missing { .. });
        let (mut kept, mut needed) = (Dict::new(), Vec::new());
        if is_missing {
            // that a key is missing in there is said of no number, and of no text
            let plain = dict.iter().filter(|(_, value)| !matches!(value, Value::Dict(..) | Value::Array(..)));
            kept.extend(plain.map(|(key, value)| (key.clone(), value.clone())));
        }
        let is_found = loop {
            match self.fails(around, Value::Dict(tag, kept.clone())) {
                Some(failure) if failure.is_same(&self.said) => break true,
                Some(Failure { what: What::Missing { field, .. }, .. }) if !kept.contains_key(field) => {
                    let Some((key, value)) = dict.get_key_value(field) else { break false };
                    kept.insert(key.clone(), value.clone());
                    needed.push(key);
                }
                _ => break false,
            }
        };
        let others: Vec<_> = dict.iter().filter(|(key, _)| !kept.contains_key(*key)).collect();
        let with = |some: &dyn Fn(usize) -> bool| {
            let some = others.iter().enumerate().filter(|(at, _)| some(*at)).map(|(_, entry)| *entry);
            Value::Dict(tag, value::dict(kept.iter().chain(some).map(|(key, value)| (key.clone(), value.clone()))))
        };
        let is_said = |some: &dyn Fn(usize) -> bool| self.is_said(around, with(some));
        let last = if is_found { needed.last().copied() } else { None };
        let (part, rest) = match last {
            Some(part) => (part, with(&|_| false)),
            None => {
                let at = wrong(others.len(), &|len| is_said(&|at| at < len), &|_| true)?;
                (others[at].0, with(&|other| other <= at))
            }
        };
        if is_missing && last.is_some() && self.misses_beside(around, tag, dict) {
            return None;
        }
        // what a type says of its own values may be said of several together
        if matches!(self.said.what, What::Says(_)) && !self.is_said_of(part, &needed, around, tag, dict) {
            let without = |key: &String| {
                let all = dict.iter().filter(|(other, _)| *other != key);
                Value::Dict(tag, value::dict(all.map(|(key, value)| (key.clone(), value.clone()))))
            };
            // else it is said of the only one without which it is not
            let mut causes = dict.keys().filter(|key| !self.is_said(around, without(key)));
            let part = causes.next().filter(|_| causes.next().is_none())?;
            return Some(Inner { step: Step::Key(part.clone()), has_place: false });
        }
        let step = Step::Key(part.clone());
        value::replace(&mut self.whole, around, rest);
        Some(Inner { step, has_place: false })
    }

    /// Is it said of this part alone, beside the name of the variant that it belongs to?
    fn is_said_of(&self, part: &String, needed: &[&String], around: &[Step], tag: Tag, dict: &Dict) -> bool {
        let with = |key: &String, value: Value| Value::Dict(tag, value::dict([(key.clone(), value)]));
        let name = needed.first().filter(|name| self.refuses_name(around, with(name, value::text(NO_NAME))));
        let keys = name.into_iter().copied().chain([part]);
        let all = keys.filter_map(|key| Some((key.clone(), dict.get(key)?.clone())));
        self.is_said(around, Value::Dict(tag, value::dict(all)))
    }

    /// Is it in this mapping that the key is missing? Then it is not said when it is there.
    fn misses_beside(&self, around: &[Step], tag: Tag, dict: &Dict) -> bool {
        let What::Missing { field, .. } = self.said.what else { return false };
        let mut other = dict.clone();
        other.insert(field.to_string(), value::text(NO_NAME));
        match self.fails(around, Value::Dict(tag, other)) {
            Some(Failure { what: What::Unknown { key, .. }, .. }) if key == field => false,
            failure => failure.is_none_or(|failure| !failure.is_same(&self.said)),
        }
    }

    fn refuses_name(&self, way: &[Step], here: Value) -> bool {
        let refused = |Failure { what, .. }| matches!(what, What::NoVariant { found, .. } if found.contains(NO_NAME));
        self.fails(way, here).is_some_and(refused)
    }

    /// Is the same said when this is there?
    fn is_said(&self, way: &[Step], here: Value) -> bool {
        self.fails(way, here).is_some_and(|failure| failure.is_same(&self.said))
    }

    /// What is wrong when this is there.
    fn fails(&self, way: &[Step], here: Value) -> Option<Failure> {
        let mut other = self.whole.clone();
        value::replace(&mut other, way, here);
        self.trial.reads(&other).err()
    }
}

/// Which of so many parts is wrong. serde reads one after the other, and stops at the first: it is the one up to which the same is said, and not
/// before it, as also of two that are wrong alike; but one that only does not fit to those before it is not wrong by itself.
fn wrong(len: usize, first: &dyn Fn(usize) -> bool, alone: &dyn Fn(usize) -> bool) -> Option<usize> {
    if len == 0 || first(0) {
        return None;
    }
    let (mut without, mut with) = (0, len);
    while with - without > 1 {
        let middle = without.midpoint(with);
        if first(middle) {
            with = middle;
        } else {
            without = middle;
        }
    }
    Some(without).filter(|at| alone(*at))
}
