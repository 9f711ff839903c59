//! [`Narrow`]: finds the part of a value that a failure is about, by reading it with less and less of it. Serde stops
//! at the first part that is wrong: of several parts, it is in the first half if the failure also occurs without the
//! others, and otherwise in the second half.

use super::{items::is_about_length, trial::Trial};
use crate::config::{
    said::layers::Dropped,
    written::{
        value,
        way::{Step, Way, inner_at},
    },
    wrong::{
        failure::{Failure, NO_NAME, What},
        spot::Spot,
    },
};
use figment::value::{Dict, Tag, Value};
use std::ops::Range;

/// A search that goes further in step by step.
pub(super) struct Narrow<'t, 'a> {
    trial: &'t Trial<'a>,
    /// The failure that is searched for, and its place.
    what: &'t What,
    spot: &'t Spot,
    /// What is still read, and the way in it that the search has come.
    remaining: Value,
    pub(super) way: Way,
    /// The same way in the original value, whose lists have all their items.
    original_way: Way,
    /// What is left out around the searched value.
    dropped: Dropped,
    /// The length of the way from which on the failure might be about the value there as a whole.
    pub(super) doubtful_from: Option<usize>,
}

impl<'t, 'a> Narrow<'t, 'a> {
    /// A search in everything that the trial reads at this place.
    pub(super) fn new(trial: &'t Trial<'a>, what: &'t What, spot: &'t Spot) -> Self {
        let is_within = |(_, way): &&(usize, Way)| way.starts_with(&spot.way);
        let dropped = trial.dropped.iter().filter(|place| !is_within(place)).cloned().collect();
        let (way, original_way, mut remaining) = (spot.way.clone(), spot.way.clone(), trial.merged.clone());
        // Values in it that were left out are removed, without keeping their places, so that items can be read without
        // the others.
        if let Some(here) =
            value::at(trial.merged, &way).filter(|_| trial.dropped.iter().any(|place| is_within(&place)))
        {
            value::replace(&mut remaining, &way, without_dropped(trial, here, &mut way.clone()));
        }
        Narrow { trial, what, spot, remaining, way, original_way, dropped, doubtful_from: None }
    }

    /// The way to what is wrong, as far as it can be known.
    pub(super) fn find_way(&mut self) -> Way {
        while self.step_in().is_some() {}
        self.original_way.truncate(self.doubtful_from.unwrap_or(usize::MAX));
        self.original_way.clone()
    }

    /// Goes on to the wrong part of the value that the search has come to. `None` if all of it is wrong, or if that
    /// cannot be known.
    fn step_in(&mut self) -> Option<()> {
        // What has been found so far is useful, too.
        if self.trial.is_spent() {
            return None;
        }
        match value::at(&self.remaining, &self.way)? {
            Value::Array(tag, items) => self.step_into_item(*tag, &items.clone()),
            Value::Dict(tag, dict) => self.step_into_key(*tag, &dict.clone()),
            _ => None,
        }
    }

    /// Has the search come to the name of a variant?
    pub(super) fn is_at_variant_name(&self) -> bool {
        self.is_refused_as_name(value::text(NO_NAME))
    }

    /// A list is read with as few items as possible: the first items, if each has its place, and otherwise one item.
    fn step_into_item(&mut self, tag: Tag, items: &[Value]) -> Option<()> {
        let list_of = |range: Range<usize>| Value::Array(tag, items[range].to_vec());
        let if_empty = self.failure_with(list_of(0..0));
        let have_places = if_empty.as_ref().is_some_and(|failure| is_about_length(&failure.what));
        // The failure is about the list itself, for example because it has too few items, or too many.
        if is_about_length(self.what) || if_empty.is_some_and(|failure| self.is_same_failure(&failure)) {
            return None;
        }
        let at = match have_places {
            true => (0..items.len()).find(|at| self.fails_alike(list_of(0..at + 1)))?,
            false => bisect(items.len(), &|range| self.fails_alike(list_of(range)))?,
        };
        // With one item more than is read, a failure about the whole list would not occur.
        let more = items[..=at].iter().cloned().chain([value::unreadable(0, tag)]).collect();
        let is_of_item = self.fails_alike(Value::Array(tag, more));
        if have_places && !is_of_item {
            return None;
        }
        self.doubtful_from = self.doubtful_from.filter(|_| !is_of_item);
        let all = value::at(self.trial.merged, &self.original_way)?.as_array()?;
        let mut there =
            (0..all.len()).filter(|at| !self.trial.is_left_out(&all[*at], &inner_at(&self.original_way, *at)));
        let step = Step::Index(there.nth(at)?);
        // The items before it keep their places.
        let from = if have_places { 0 } else { at };
        self.descend(list_of(from..at + 1), Step::Index(at - from), step);
        Some(())
    }

    /// A mapping is read with as few keys as possible: first with the keys that it requires, one after the other (for
    /// an enum, its name comes first), and then with parts of the others.
    fn step_into_key(&mut self, tag: Tag, dict: &Dict) -> Option<()> {
        let is_missing = matches!(self.what, What::Missing { .. });
        let (mut kept, mut required) = (Dict::new(), Vec::new());
        if is_missing {
            // No key can be missing in a number or a text, so these are kept.
            let plain = dict.iter().filter(|(_, value)| !matches!(value, Value::Dict(..) | Value::Array(..)));
            kept.extend(plain.map(|(key, value)| (key.clone(), value.clone())));
        }
        let is_found = loop {
            match self.failure_with(Value::Dict(tag, kept.clone())) {
                Some(failure) if self.is_same_failure(&failure) => break true,
                Some(Failure { what: What::Missing { field, .. }, .. }) if !kept.contains_key(field) => {
                    let Some((key, value)) = dict.get_key_value(field) else { break false };
                    kept.insert(key.clone(), value.clone());
                    required.push(key);
                }
                _ => break false,
            }
        };
        if is_found && required.is_empty() {
            return None;
        }
        let others: Vec<_> = dict.iter().filter(|(key, _)| !kept.contains_key(*key)).collect();
        let with = |range: Range<usize>| {
            let all = kept.iter().chain(others[range].iter().copied());
            Value::Dict(tag, value::dict(all.map(|(key, value)| (key.clone(), value.clone()))))
        };
        let found = match is_found {
            true => required.last().map(|last| (*last, 0..0)),
            false => bisect(others.len(), &|range| self.fails_alike(with(range))).map(|at| (others[at].0, at..at + 1)),
        };
        let name = match self.what {
            What::Says(_) => required.first().copied().filter(|name| self.is_variant_name_at(name, tag)),
            _ => None,
        };
        if name.is_some() && name == found.as_ref().map(|(part, _)| *part) {
            // The name alone is enough for the failure, so it is about something that is made by default.
            return None;
        }
        let found = match self.what {
            What::Missing { field, .. } if is_found && self.is_missing_here(tag, dict, field) => None,
            What::Says(_) => self.due_part(tag, dict, name, found.map(|(part, range)| (part, with(range)))),
            _ => found.map(|(part, range)| (part, with(range))),
        };
        let (part, rest) = found?;
        let step = Step::Key(part.clone());
        self.descend(rest, step.clone(), step);
        Some(())
    }

    /// Is the key missing in this mapping, and not inside it? Then the failure does not occur if the key is there.
    fn is_missing_here(&self, tag: Tag, dict: &Dict, field: &str) -> bool {
        let mut other = dict.clone();
        other.insert(field.to_string(), value::text(NO_NAME));
        match self.failure_with(Value::Dict(tag, other)) {
            Some(Failure { what: What::Unknown { key, .. }, .. }) if key == field => false,
            failure => failure.is_none_or(|failure| !self.is_same_failure(&failure)),
        }
    }

    /// Does the name of a variant stand at this key?
    pub(super) fn is_variant_name_at(&self, key: &str, tag: Tag) -> bool {
        self.is_refused_as_name(Value::Dict(tag, value::dict([(key.to_string(), value::text(NO_NAME))])))
    }

    /// Is this value, which is no variant's name, refused as a name?
    fn is_refused_as_name(&self, here: Value) -> bool {
        let refused = |Failure { what, .. }| match what {
            What::NoVariant { found, .. } => found.contains(NO_NAME),
            // A failure in a secret begins with the refused name.
            What::Says(words) => words.starts_with(NO_NAME),
            _ => false,
        };
        self.failure_with(here).is_some_and(refused)
    }

    /// Is the failure about a place outside the searched value?
    pub(super) fn is_elsewhere(&self, failure: &Failure) -> bool {
        failure.spot.as_ref().is_some_and(|spot| !spot.way.starts_with(&self.spot.way))
    }

    /// The message, if it is the type's own.
    pub(super) fn words(&self) -> Option<&str> {
        match self.what {
            What::Says(words) => Some(words),
            _ => None,
        }
    }

    pub(super) fn is_same_failure(&self, failure: &Failure) -> bool {
        self.trial.is_same_at(failure, self.what, self.spot)
    }

    /// Does the same failure occur if this is the value that the search has come to?
    pub(super) fn fails_alike(&self, here: Value) -> bool {
        self.failure_with(here).is_some_and(|failure| self.is_same_failure(&failure))
    }

    /// The failure if this is the value that the search has come to.
    pub(super) fn failure_with(&self, here: Value) -> Option<Failure> {
        let mut other = self.remaining.clone();
        value::replace(&mut other, &self.way, here);
        Trial { dropped: &self.dropped, ..*self.trial }.try_read(&other).err()
    }

    /// Goes one step further in, and keeps no more than this of the value.
    fn descend(&mut self, here: Value, step: Step, original_step: Step) {
        value::replace(&mut self.remaining, &self.way, here);
        self.way.push(step);
        self.original_way.push(original_step);
    }
}

fn without_dropped(trial: &Trial<'_>, value: &Value, way: &mut Way) -> Value {
    let inner = |step: Step, value: &Value, way: &mut Way| {
        way.push(step);
        let value = without_dropped(trial, value, way);
        way.pop();
        value
    };
    match value {
        Value::Array(tag, items) => {
            let items = items.iter().enumerate();
            let kept: Vec<_> = items.filter(|(at, item)| !trial.is_left_out(item, &inner_at(way, *at))).collect();
            Value::Array(*tag, kept.into_iter().map(|(at, item)| inner(Step::Index(at), item, way)).collect())
        }
        Value::Dict(tag, dict) => {
            let inner = |(key, value): (&String, &Value)| (key.clone(), inner(Step::Key(key.clone()), value, way));
            Value::Dict(*tag, value::dict(dict.iter().map(inner)))
        }
        value => value.clone(),
    }
}

/// The first of `len` parts with which alone the failure occurs, found by bisection.
fn bisect(len: usize, is_said: &dyn Fn(Range<usize>) -> bool) -> Option<usize> {
    let (mut from, mut to) = (0, len);
    while to - from > 1 {
        let middle = from.midpoint(to);
        if is_said(from..middle) {
            to = middle;
        } else {
            from = middle;
        }
    }
    Some(from).filter(|_| len > 0 && is_said(from..to))
}

#[cfg(test)]
mod tests {
    use crate::config::{Secret, Section as _, given::Given, samples::Lower};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        srv: Option<Srv>,
        srvs: Vec<Srv>,
        by: BTreeMap<String, Srv>,
        hidden: Option<Secret<Vec<Tls>>>,
        choice: Option<Choice>,
        secret: Option<Secret<Tagged>>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Srv {
        host: String,
        zone: String,
        labels: Option<BTreeMap<String, String>>,
        #[serde(default)]
        kids: Vec<Srv>,
        tls: Option<Tls>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tls {
        cert: String,
        extra: Option<BTreeMap<String, u8>>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        Srv(Srv),
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Login { user: String, port: Option<u16>, more: Option<u8>, ratio: Option<f32> },
        Words { from: Lower, to: Option<Lower> },
    }

    /// The mistakes in a file of one line and in flags, with their columns.
    fn wrong(file: &str, flags: &[(&str, &str)]) -> Vec<String> {
        Given::file(Odd::META, file).flags(flags).wrong_in_line()
    }

    #[test]
    fn a_key_is_missing_once_whatever_stands_beside() {
        let host = |at: usize, key: &str| [format!("{at}: key `odd.{key}`: the key `host` is missing")];
        assert_eq!(wrong("srv: {zone: z, labels: {a: b}}", &[]), host(6, "srv"));
        assert_eq!(wrong("srv: {zone: z, tls: {cert: c, extra: {a: 1}}, labels: {}}", &[]), host(6, "srv"));
        assert_eq!(wrong("srvs: [{zone: z, kids: [{host: h, zone: z}]}]", &[]), host(8, "srvs[0]"));
        assert_eq!(wrong("by: {a: {zone: z, labels: {a: b}}}", &[]), host(9, "by.a"));
        assert_eq!(wrong("choice: {srv: {zone: z, labels: {a: b}}}", &[]), host(15, "choice.srv"));
        assert_eq!(wrong("srv: {zone: z}", &[("srv.labels.a", "b")]), host(6, "srv"));
        let inner = "srv: {host: h, zone: z, labels: {}, tls: {extra: {a: 1}}, kids: []}";
        assert_eq!(wrong(inner, &[]), ["42: key `odd.srv.tls`: the key `cert` is missing"]);
        let hidden = "10: key `odd.hidden`: the key `cert` is missing";
        assert_eq!(wrong("hidden: [{extra: {a: 1}}]", &[]), [hidden]);
    }

    #[test]
    fn what_is_wrong_in_a_secret_that_is_put_by_has_its_place() {
        let fits = "key `odd.secret`: its value does not fit (it is not shown, since it is a secret)";
        assert_eq!(
            wrong("secret: {kind: login, user: u, port: x, more: x}", &[]),
            [format!("38: {fits}"), format!("47: {fits}")]
        );
        assert_eq!(wrong("secret: {kind: hunter2}", &[]), [format!("16: {fits}")]);
        assert_eq!(
            wrong("secret: {kind: words, from: upper, to: upper}", &[]),
            [format!("29: {fits}"), format!("40: {fits}")]
        );
        // Also if the wrong name is the one that trial readings use.
        assert_eq!(wrong("secret: {kind: \"\\0\", user: u}", &[]), [format!("16: {fits}")]);
    }

    const PORT: &str = "takes a whole number from 0 to 65535, not the text `x`";

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct More {
        tagged: Option<Wrap>,
        beside: Option<Pairs>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Wrap {
        Of { inner: Option<Box<Wrap>>, port: Option<u16> },
        Other,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c", rename_all = "kebab-case")]
    enum Pairs {
        Pair(u8, u8),
        One((u8, u8)),
        Deep { pair: (u8, u8) },
    }

    #[test]
    fn an_item_of_so_many_beside_the_name_has_its_place() {
        let wrong = |file: &str| Given::file(More::META, file).wrong_in_line();
        let byte = "takes a whole number from 0 to 255, not the text `x`";
        assert_eq!(wrong("beside: {t: pair, c: [1, x]}"), [format!("26: key `odd.beside.c[1]` {byte}")]);
        assert_eq!(wrong("beside: {t: one, c: [x, 1]}"), [format!("22: key `odd.beside.c[0]` {byte}")]);
        assert_eq!(wrong("beside: {t: deep, c: {pair: [1, x]}}"), [format!("33: key `odd.beside.c.pair[1]` {byte}")]);
    }

    #[test]
    fn a_number_in_the_place_of_a_name_is_told_in_plain_words() {
        let wrong = |file: &str| Given::file(More::META, file).wrong_in_line();
        let told = wrong("tagged: {kind: of, inner: {kind: 4711, port: x}, port: x}");
        assert_eq!(
            told,
            [
                "34: key `odd.tagged.inner.kind` takes a name, not a number".to_string(),
                format!("56: key `odd.tagged.port` {PORT}")
            ]
        );
    }
}
