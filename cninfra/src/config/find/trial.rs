//! [`Trial`]: what a type says of other values than those that are there, for the words of a mistake.

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

/// A section that has a mistake.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) section: Named<'a>,
    pub(super) layers: &'a Layers,
    pub(super) dropped: &'a Dropped,
    /// What holds of it, and what of that is read.
    pub(super) whole: &'a Value,
    pub(super) merged: &'a Value,
    pub(super) read: &'a dyn Fn(Reader<'_, '_>) -> Result<(), Failed>,
    /// How many values may still be read so.
    pub(super) left: &'a Cell<usize>,
    /// What is looked for is said in other words each time.
    pub(super) is_unsteady: bool,
}

/// What stands in the place of keys that are missing; nothing where it did not fit.
pub(super) type MadeUp = Vec<(Way, Option<Value>)>;

/// Reads what nobody has written, or not all of it. A panic of the type is what is said of it, and not an event.
pub(super) fn quietly(
    read: &dyn Fn(Reader<'_, '_>) -> Result<(), Failed>,
    reader: Reader<'_, '_>,
) -> Result<(), Failed> {
    // who reads catches it
    foreign::guard_quietly(|| read(reader)).unwrap_or_else(|panic| Err(Failure::new(What::Says(panic.to_string()))))
}

/// So many values of a section are read once more to find out where something is wrong: a long list in which much is would take the time of the whole start.
pub(super) const MOST_TRIED: usize = 100_000;
/// A value for which a type takes longer counts as several: some look a name up, or read a file. So all of them have two seconds.
const A_VALUE: Duration = Duration::from_micros(20);

impl Trial<'_> {
    /// May there be a secret, by the type that reads what is there?
    pub(super) fn may_hold_secret(&self, spot: &Spot) -> bool {
        may_hold_secret(&spot.way, &|way| self.told(way))
    }

    /// What is at this place, and of what is around it no more than has to be: so the others are not read each time. With what is left out.
    pub(super) fn near(&self, way: &[Step]) -> (Value, Dropped) {
        self.around(way.len(), way)
    }

    /// The same, where what is so many steps down is put by: there, names of variants have to be, and the like.
    pub(super) fn around(&self, from: usize, way: &[Step]) -> (Value, Dropped) {
        let mut dropped = self.dropped.clone();
        let value = self.only(self.merged, &mut Way::new(), (from, way), &mut dropped);
        (value, dropped)
    }

    fn only(&self, around: &Value, before: &mut Way, (from, way): (usize, &[Step]), dropped: &mut Dropped) -> Value {
        match (way, around) {
            ([step @ Step::Key(key), rest @ ..], Value::Dict(tag, dict)) if dict.contains_key(key) => {
                let is_plain = |value: &Value| !matches!(value, Value::Dict(..) | Value::Array(..));
                let beside = dict.iter().filter(|(_, value)| before.len() >= from && is_plain(value));
                let mut kept = value::dict(beside.map(|(key, value)| (key.clone(), value.clone())));
                before.push(step.clone());
                let inner = self.only(&dict[key], before, (from, rest), dropped);
                kept.insert(key.clone(), inner);
                Value::Dict(*tag, kept)
            }
            // the others keep their places
            ([step @ Step::Index(at), rest @ ..], Value::Array(tag, items)) if *at < items.len() => {
                let mut all: Vec<Value> = items.iter().map(|item| value::nothing(item.tag())).collect();
                for (other, item) in all.iter().enumerate().filter(|(other, _)| other != at) {
                    let place = inner_at(before, other);
                    dropped.insert((self.layers.layer_of(item.tag(), &place), place));
                }
                before.push(step.clone());
                all[*at] = self.only(&items[*at], before, (from, rest), dropped);
                Value::Array(*tag, all)
            }
            (_, value) => value.clone(),
        }
    }

    /// Is it so much less that it is worth while to read it first?
    pub(super) fn is_less_than(&self, all: &Trial<'_>) -> bool {
        2 * value::count(self.merged) < value::count(all.merged)
    }

    /// Is this said of what it has?
    pub(super) fn says(&self, what: &What, spot: &Spot) -> bool {
        self.reads(self.merged).is_err_and(|failure| self.is_it(&failure, what, spot))
    }

    /// Is it this, and of this place?
    pub(super) fn is_it(&self, failure: &Failure, what: &What, spot: &Spot) -> bool {
        let way = failure.spot.as_ref().map_or(&[][..], |spot| &spot.way);
        self.is_same(&failure.what, what) && way == spot.way
    }

    /// Is the same said, as far as that can be known?
    pub(super) fn is_same(&self, one: &What, other: &What) -> bool {
        one == other || self.is_unsteady && one.is_alike(other)
    }

    /// Is this said in other words when it is read again?
    pub(super) fn says_otherwise(&self, what: &What) -> bool {
        let is_other = |failure: Failure| failure.what != *what && failure.what.is_alike(what);
        matches!(what, What::Says(_)) && self.reads(self.merged).is_err_and(is_other)
    }

    /// Has so much been read that it is time to tell what there is?
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    /// Tries something that is to leave half of what may still be read.
    pub(super) fn with_half<T>(&self, tried: impl FnOnce(&Trial<'_>) -> T) -> T {
        let half = self.left.get() / 2;
        let left = Cell::new(half);
        let done = tried(&Trial { left: &left, ..*self });
        self.left.set(self.left.get() - (half - left.get()));
        done
    }

    /// Reads what is no value of the section.
    pub(super) fn reads(&self, value: &Value) -> Result<(), Failure> {
        let (section, layers, dropped, reads) = (self.section, self.layers, self.dropped, Reads::Trial);
        let reading = Reading { section, layers, dropped, asked: None, reads, notes: Notes::default().into() };
        self.counted(value::count(value), || quietly(self.read, Reader::new(&reading, value))).map_err(|failed| *failed)
    }

    /// What the type says of this place.
    pub(super) fn told(&self, way: &[Step]) -> Wanted {
        self.counted(1, || ask(self.section, way, &|reader| quietly(self.read, reader)))
    }

    /// Counts so many values that are read, or more where a type takes its time over them.
    fn counted<T>(&self, values: usize, read: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = read();
        let slow = usize::try_from(began.elapsed().as_nanos() / A_VALUE.as_nanos()).unwrap_or(usize::MAX);
        self.left.set(self.left.get().saturating_sub(values.max(slow)));
        done
    }

    /// Is this key of a mapping read however it is spelled? To what serde puts by, only the type's own spelling is the key.
    pub(super) fn takes_any_spelling(&self, spot: &Spot, field: &str) -> bool {
        let kind = self.told(&spot.way).shape.map(|shape| shape.kind);
        matches!(kind, Some(Kind::Struct(fields)) if fields.contains(&field))
    }

    /// Has it been left out, since it is wrong?
    pub(super) fn is_left_out(&self, value: &Value, way: &Way) -> bool {
        !self.dropped.is_empty() && self.dropped.contains(&(self.layers.layer_of(value.tag(), way), way.clone()))
    }

    /// Is a text wanted where something else is, or somewhere in what is there?
    pub(super) fn is_text_wanted(&self, takes: &Takes, spot: &Spot) -> bool {
        let is_around = matches!(value::at(self.merged, &spot.way), Some(Value::Dict(..) | Value::Array(..)));
        let is_written = is_around || self.layers.is_file(spot.entry);
        is_written && takes.wants_text() && ["a number", "`true` or `false`"].contains(&&*takes.kind)
    }

    /// Is a text wanted where a flag or a variable has something in brackets?
    pub(super) fn is_text_in_brackets(&self, takes: &Takes, spot: &Spot) -> bool {
        self.layers.is_process(spot.entry) && takes.wants_text() && ["a list", "a mapping"].contains(&&*takes.kind)
    }

    /// Is it the text of a file that looks like something else, and right if it stands in quotes?
    pub(super) fn is_right_in_quotes(&self, spot: &Spot) -> bool {
        let Some(here) = value::at(self.merged, &spot.way) else { return false };
        if !self.layers.is_file(spot.entry) || !matches!(here, Value::Num(..) | Value::Bool(..)) {
            return false;
        }
        let Some(text) = self.layers.written_value(spot) else { return false };
        let mut quoted = self.merged.clone();
        value::replace(&mut quoted, &spot.way, Value::String(here.tag(), text));
        match self.reads(&quoted) {
            // what else is wrong is elsewhere
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
        // the other spelling is no key there
        for flat in ["flat: {}", "flat: {read-limit: 1}"] {
            assert_eq!(file(flat).wrong_in_line(), ["7: key `odd.flat`: the key `read_limit` is missing"]);
        }
        assert_eq!(file("flat: {read_limit: 1}").wrong(), [""; 0]);
        let given = file("tagged: {kind: of, read-limit: 1, maxSize: 1}");
        let helps: Vec<_> =
            given.config.check(&given.known).into_iter().filter_map(|told| told.help.map(String::from)).collect();
        assert_eq!(helps, ["did you mean `read_limit`? known keys: read_limit, maxSize"]);
        // a variable of capital letters can not say it
        let given = file("tagged: {kind: of, maxSize: 1}").variables(&[("tagged.read-limit", "1")]);
        let helps: Vec<_> =
            given.config.check(&given.known).into_iter().filter_map(|told| told.help.map(String::from)).collect();
        let counts = "did you mean `read_limit`? known keys: read_limit, maxSize; each letter counts here, in the name of a variable, too";
        assert_eq!(helps, [counts]);
    }

    /// As of thousands that are wrong.
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
