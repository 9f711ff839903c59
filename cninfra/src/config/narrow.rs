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

    fn key(&mut self, around: &[Step], tag: Tag, dict: &Dict) -> Option<Inner> {
        let name = self.name(around, tag, dict);
        // without its name nothing of a variant is read; and of what is missing it is known that it is not what is there
        let is_missing = matches!(self.said.what, What::Missing { .. });
        let is_kept = |(key, value): &(&String, &Value)| {
            Some(*key) == name.as_ref() || is_missing && !matches!(value, Value::Dict(..) | Value::Array(..))
        };
        let (kept, parts): (Vec<_>, Vec<_>) = dict.iter().partition(is_kept);
        let with = |some: &dyn Fn(usize) -> bool| {
            let some = parts.iter().enumerate().filter(|(at, _)| some(*at)).map(|(_, entry)| entry);
            let all = kept.iter().chain(some).map(|(key, value)| ((*key).clone(), (*value).clone()));
            Value::Dict(tag, value::dict(all))
        };
        let is_said = |some: &dyn Fn(usize) -> bool| self.is_said(around, with(some));
        let none = self.fails(around, with(&|_| false));
        if none.as_ref().is_some_and(|failure| failure.is_same(&self.said)) {
            // what is missing is so in this mapping
            let step = Step::Key(name.filter(|_| !is_missing)?);
            return Some(Inner { step, has_place: false });
        }
        let at = wrong(parts.len(), &|len| is_said(&|at| at < len), &|at| is_said(&|other| other == at));
        let (at, rest) = match at {
            Some(at) => (at, with(&|other| other <= at)),
            // else the only one without which something else is said, or nothing
            None => {
                let mut causes = (0..parts.len()).filter(|at| !is_said(&|other| other != *at));
                let at = causes.next().filter(|_| causes.next().is_none())?;
                (at, with(&|_| true))
            }
        };
        let (part, _) = parts[at];
        // who needs this part may need another key beside it
        let is_needed = matches!(none, Some(Failure { what: What::Missing { field, .. }, .. }) if field == part);
        if is_needed && self.misses_beside(around, tag, dict) {
            return None;
        }
        let step = Step::Key(part.clone());
        value::replace(&mut self.whole, around, rest);
        Some(Inner { step, has_place: false })
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

    /// The key that says which variant of an enum a mapping is. It is missed before all that belongs to the variant, and takes only the names that there are.
    fn name(&self, around: &[Step], tag: Tag, dict: &Dict) -> Option<String> {
        let mut some = Dict::new();
        loop {
            let Failure { what: What::Missing { field, .. }, .. } =
                self.fails(around, Value::Dict(tag, some.clone()))?
            else {
                return None;
            };
            let (key, value) = dict.get_key_value(field).filter(|(key, _)| !some.contains_key(*key))?;
            let mut other = some.clone();
            other.insert(key.clone(), value::text(NO_NAME));
            let is_name = !matches!(value, Value::Dict(..) | Value::Array(..));
            if is_name && self.refuses_name(around, Value::Dict(tag, other)) {
                return Some(key.clone());
            }
            some.insert(key.clone(), value.clone());
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
