//! [`Trial`]: reads a section with other values than its own, to find out where a mistake is and how to word it.

use super::holds::may_hold_secret;
use crate::{
    config::{
        read::{
            ask::ask,
            named::Named,
            reader::Reader,
            reading::{Notes, Reading, Reads},
        },
        said::{
            layers::{Dropped, Layers},
            shape::{Kind, Wanted},
        },
        written::{
            value,
            way::{Step, Way, inner_at},
        },
        wrong::{
            failure::{Failed, Failure, Takes, What},
            spot::Spot,
        },
    },
    foreign,
};
use figment::value::Value;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// A section that has a mistake, and what is needed to read it again.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) section: Named<'a>,
    pub(super) layers: &'a Layers,
    pub(super) dropped: &'a Dropped,
    /// The section's merged value.
    pub(super) whole: &'a Value,
    /// The same, or only a part of it: what is read again, with changes.
    pub(super) merged: &'a Value,
    pub(super) read: ReadFn<'a>,
    /// How many more values may be read in trials.
    pub(super) budget: &'a Cell<usize>,
    /// The failure that is searched for has other words each time.
    pub(super) is_unsteady: bool,
}

/// Reads the section into its type.
pub(super) type ReadFn<'r> = &'r dyn Fn(Reader<'_, '_>) -> Result<(), Failed>;

/// Values that are made up for missing keys; `None` for one that did not fit.
pub(super) type MadeUp = Vec<(Way, Option<Value>)>;

/// Reads a value that nobody has written, or only a part of one. A panic of the type is a failure then, and is not
/// logged.
pub(super) fn read_quietly(read: ReadFn<'_>, reader: Reader<'_, '_>) -> Result<(), Failed> {
    // `read` catches a panic of the type itself, and knows its place.
    foreign::quietly(|| read(reader))
}

/// The most values of a section that are read in trials. Without this limit, a long list with many mistakes would take
/// the time of the whole start.
pub(super) const BUDGET: usize = 100_000;
/// A value for which a type takes longer than this counts as several: some types look up a name, or read a file. So all
/// trials together take about two seconds at most.
const TIME_OF_A_VALUE: Duration = Duration::from_micros(20);

impl Trial<'_> {
    /// May there be a secret, judged by the type that reads this place?
    pub(super) fn may_hold_secret(&self, spot: &Spot) -> bool {
        may_hold_secret(&spot.way, &|way| self.wanted_at(way))
    }

    /// The value at this place, with no more of what is around it than is needed, so that the rest is not read each
    /// time; and what is left out of it.
    pub(super) fn reduced_to(&self, way: &[Step]) -> (Value, Dropped) {
        self.reduced_from(way.len(), way)
    }

    /// The same, where serde buffers the value that is `from` steps down: inside that, plain values around the way
    /// stay, since names of variants and the like are needed.
    pub(super) fn reduced_from(&self, from: usize, way: &[Step]) -> (Value, Dropped) {
        let mut dropped = self.dropped.clone();
        let value = self.reduce(self.merged, &mut Way::new(), (from, way), &mut dropped);
        (value, dropped)
    }

    fn reduce(&self, around: &Value, before: &mut Way, (from, way): (usize, &[Step]), dropped: &mut Dropped) -> Value {
        match (way, around) {
            ([step @ Step::Key(key), rest @ ..], Value::Dict(tag, dict)) if dict.contains_key(key) => {
                let is_plain = |value: &Value| !matches!(value, Value::Dict(..) | Value::Array(..));
                let beside = dict.iter().filter(|(_, value)| before.len() >= from && is_plain(value));
                let mut kept = value::dict(beside.map(|(key, value)| (key.clone(), value.clone())));
                before.push(step.clone());
                let inner = self.reduce(&dict[key], before, (from, rest), dropped);
                kept.insert(key.clone(), inner);
                Value::Dict(*tag, kept)
            }
            // The other items keep their places.
            ([step @ Step::Index(at), rest @ ..], Value::Array(tag, items)) if *at < items.len() => {
                let mut all: Vec<Value> = items.iter().map(|item| value::nothing(item.tag())).collect();
                for (other, item) in all.iter().enumerate().filter(|(other, _)| other != at) {
                    let place = inner_at(before, other);
                    dropped.insert((self.layers.layer_of(item.tag(), &place), place));
                }
                before.push(step.clone());
                all[*at] = self.reduce(&items[*at], before, (from, rest), dropped);
                Value::Array(*tag, all)
            }
            (_, value) => value.clone(),
        }
    }

    /// A trial of this part of its value, in which these values are left out.
    pub(super) fn of_part<'p>(&'p self, part: &'p Value, dropped: &'p Dropped) -> Trial<'p> {
        Trial { merged: part, dropped, ..*self }
    }

    /// Is it so much smaller that it is worth reading it first?
    pub(super) fn is_much_smaller_than(&self, all: &Trial<'_>) -> bool {
        2 * value::count(self.merged) < value::count(all.merged)
    }

    /// Does reading its value fail in this way?
    pub(super) fn fails_with(&self, what: &What, spot: &Spot) -> bool {
        self.try_read(self.merged).is_err_and(|failure| self.is_same_at(&failure, what, spot))
    }

    /// Is it this failure, as far as that can be known, and at this place?
    pub(super) fn is_same_at(&self, failure: &Failure, what: &What, spot: &Spot) -> bool {
        let way = failure.spot.as_ref().map_or(&[][..], |spot| &spot.way);
        let is_same = failure.what == *what || self.is_unsteady && failure.what.is_alike(what);
        is_same && way == spot.way
    }

    /// Has this failure other words when the value is read again?
    pub(super) fn is_reworded(&self, what: &What) -> bool {
        let is_other = |failure: Failure| failure.what != *what && failure.what.is_alike(what);
        matches!(what, What::Says(_)) && self.try_read(self.merged).is_err_and(is_other)
    }

    /// Has so much been read that the search is to end?
    pub(super) fn is_spent(&self) -> bool {
        self.budget.get() == 0
    }

    /// Tries something with half of the values that may still be read, so that the other half is left.
    pub(super) fn with_half_budget<T>(&self, tried: impl FnOnce(&Trial<'_>) -> T) -> T {
        let half = self.budget.get() / 2;
        let left = Cell::new(half);
        let done = tried(&Trial { budget: &left, ..*self });
        self.budget.set(self.budget.get() - (half - left.get()));
        done
    }

    /// Reads a trial value.
    pub(super) fn try_read(&self, value: &Value) -> Result<(), Failure> {
        let (section, layers, dropped, reads) = (self.section, self.layers, self.dropped, Reads::Trial);
        let reading = Reading { section, layers, dropped, asked: None, reads, notes: Notes::default().into() };
        self.spend(value::count(value), || read_quietly(self.read, Reader::new(&reading, value)))
            .map_err(|failed| *failed)
    }

    /// What the type wants at this place.
    pub(super) fn wanted_at(&self, way: &[Step]) -> Wanted {
        self.spend(1, || ask(self.section, way, &|reader| read_quietly(self.read, reader)))
    }

    /// Counts this many values as read, or more if the type takes long.
    fn spend<T>(&self, values: usize, read: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = read();
        let slow = usize::try_from(began.elapsed().as_nanos() / TIME_OF_A_VALUE.as_nanos()).unwrap_or(usize::MAX);
        self.budget.set(self.budget.get().saturating_sub(values.max(slow)));
        done
    }

    /// Is this key of a mapping accepted in any spelling? If serde buffers, only in the type's own.
    pub(super) fn takes_any_spelling(&self, spot: &Spot, field: &str) -> bool {
        let kind = self.wanted_at(&spot.way).shape.map(|shape| shape.kind);
        matches!(kind, Some(Kind::Struct(fields)) if fields.contains(&field))
    }

    /// Has it been left out because it is wrong?
    pub(super) fn is_left_out(&self, value: &Value, way: &Way) -> bool {
        !self.dropped.is_empty() && self.dropped.contains(&(self.layers.layer_of(value.tag(), way), way.clone()))
    }

    /// Is a text wanted where something else is, or somewhere inside what is there?
    pub(super) fn is_text_wanted(&self, takes: &Takes, spot: &Spot) -> bool {
        let is_around = matches!(value::at(self.merged, &spot.way), Some(Value::Dict(..) | Value::Array(..)));
        let is_written = is_around || self.layers.is_file(spot.entry);
        is_written && takes.wants_text() && ["a number", "`true` or `false`"].contains(&&*takes.kind)
    }

    /// Is a text wanted where a flag or a variable has a list or a mapping?
    pub(super) fn is_text_in_brackets(&self, takes: &Takes, spot: &Spot) -> bool {
        self.layers.is_process(spot.entry) && takes.wants_text() && ["a list", "a mapping"].contains(&&*takes.kind)
    }

    /// Is it a text in a file that looks like something else, and would be right in quotes?
    pub(super) fn is_right_in_quotes(&self, spot: &Spot) -> bool {
        let Some(here) = value::at(self.merged, &spot.way) else { return false };
        if !self.layers.is_file(spot.entry) || !matches!(here, Value::Num(..) | Value::Bool(..)) {
            return false;
        }
        let Some(text) = self.layers.written_value(spot) else { return false };
        let mut quoted = self.merged.clone();
        value::replace(&mut quoted, &spot.way, Value::String(here.tag(), text));
        match self.try_read(&quoted) {
            // The remaining mistake is elsewhere.
            Err(Failure { spot: Some(other), .. }) => !spot.way.starts_with(&other.way),
            Err(Failure { spot: None, .. }) => !spot.way.is_empty(),
            Ok(()) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given};
    use serde::{Deserialize, Serialize, de::Error as _};
    use std::{collections::BTreeMap, thread, time};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        plain: Option<Plain>,
        tagged: Option<Tagged>,
        flat: Option<Flat>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        read_limit: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Plain {
        read_limit: u8,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Of {
            read_limit: u8,
            #[serde(rename = "maxSize")]
            most: u8,
        },
    }

    #[test]
    fn a_key_is_told_as_it_has_to_be_written() {
        let file = |file: &str| Given::file(Odd::META, file);
        assert_eq!(file("plain: {}").wrong_in_line(), ["8: key `odd.plain`: the key `read-limit` is missing"]);
        assert_eq!(file("plain: {read-limit: 1}").wrong(), [""; 0]);
        let missing = ["read_limit", "maxSize"].map(|key| format!("9: key `odd.tagged`: the key `{key}` is missing"));
        assert_eq!(file("tagged: {kind: of}").wrong_in_line(), missing);
        assert_eq!(file("tagged: {kind: of, read_limit: 1, maxSize: 1}").wrong(), [""; 0]);
        // The other spelling is not accepted there.
        for flat in ["flat: {}", "flat: {read-limit: 1}"] {
            assert_eq!(file(flat).wrong_in_line(), ["7: key `odd.flat`: the key `read_limit` is missing"]);
        }
        assert_eq!(file("flat: {read_limit: 1}").wrong(), [""; 0]);
        let given = file("tagged: {kind: of, read-limit: 1, maxSize: 1}");
        let helps: Vec<_> =
            given.config.check(&given.known).into_iter().filter_map(|told| told.help.map(String::from)).collect();
        assert_eq!(helps, ["did you mean `read_limit`? known keys: read_limit, maxSize"]);
        // A variable in capital letters cannot set this key.
        let given = file("tagged: {kind: of, maxSize: 1}").variables(&[("tagged.read-limit", "1")]);
        let helps: Vec<_> =
            given.config.check(&given.known).into_iter().filter_map(|told| told.help.map(String::from)).collect();
        let counts = "did you mean `read_limit`? known keys: read_limit, maxSize; each letter counts here, in the name of a variable, too";
        assert_eq!(helps, [counts]);
    }

    /// A slow type reaches the limit with few values, since each counts as several.
    #[test]
    fn of_slow_types_few_are_looked_for() {
        #[derive(Debug, Serialize)]
        struct Slow;
        impl<'de> Deserialize<'de> for Slow {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = String::deserialize(from)?;
                thread::sleep(time::Duration::from_millis(2));
                if word == "right" { Ok(Slow) } else { Err(D::Error::custom("nobody knows it")) }
            }
        }
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        enum Slowly {
            All { of: Vec<Slow> },
        }
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        struct Has {
            slowly: Option<Slowly>,
        }
        let told = |count: usize| {
            let file = format!("slowly: {{kind: all, of: [{}]}}", vec!["right, right, wrong"; count].join(", "));
            Given::file(Has::META, &file).wrong_in_line()
        };
        let located = |told: &[String]| told.iter().filter(|told| told.contains("of[")).count();
        assert_eq!(located(&told(3)), 3);
        let many = told(25);
        assert!(!many.is_empty() && located(&many) < 20, "{many:?}");
    }
}
