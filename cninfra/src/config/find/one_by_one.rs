//! Finds the mapping that lacks a key, one mapping after the other: where serde does not read them in the order in which
//! they stand.

use super::lacks::{Lack, ReadAs, read_as};
use crate::config::{
    written::{
        value,
        way::{Step, Way, inner},
    },
    wrong::failure::{Failure, NO_NAME, What},
};
use figment::value::{Tag, Value};

/// The most mappings that read the key.
const MOST_READERS: usize = 100;

impl Lack<'_, '_> {
    /// The one of these mappings that lacks the key, and a value that fits there, if one is known. `None` if it cannot
    /// be found.
    ///
    /// The key is inserted into all mappings, with values that no type reads, so those that read the key are revealed
    /// one after the other. A mapping is the one if the original failure occurs when it alone does not have the key.
    /// Otherwise it gets a value that fits, and the next one is revealed.
    pub(super) fn find_one_by_one(&self, all: &[Way]) -> Option<(Way, Option<Value>)> {
        let mut with = self.trial.merged.clone();
        for (at, mapping) in all.iter().enumerate() {
            value::insert(&mut with, &inner(mapping, self.field), value::unreadable(number(at), Tag::Default));
        }
        let mut probes = UnknownKeyProbes::of(all, self.trial.merged);
        let mut readers: Vec<(usize, Option<Value>)> = Vec::new();
        for _ in 0..MOST_READERS {
            let failure = self.trial.try_read(&with).err();
            if self.trial.is_spent() {
                return None;
            }
            let reader = failure.as_ref().and_then(|failure| self.reader(all, failure));
            match (failure, reader) {
                (_, Some((at, read_as))) => {
                    let way = inner(&all[at], self.field);
                    value::remove(&mut with, &way);
                    let lacks_it = self.fails_alike(&with);
                    let fits = self.fitting(&all[at], read_as, &with);
                    if lacks_it {
                        return Some((all[at].clone(), fits));
                    }
                    // If it is not known whether the value fits, the key stays out: the mapping may do without it.
                    let fits = fits.filter(|fits| !self.is_judged_in_own_words(&way, fits, &with));
                    if let Some(value) = &fits {
                        value::insert(&mut with, &way, value.clone());
                    }
                    readers.push((at, fits));
                }
                (Some(Failure { what: What::Unknown { key, .. }, .. }), _) if key == self.field => {
                    let refusing = probes.next_refusing(self)?;
                    // Mappings with the same keys do not know it either.
                    let alike = all.iter().filter(|mapping| self.keys(mapping) == self.keys(&refusing));
                    alike.for_each(|mapping| value::remove(&mut with, &inner(mapping, self.field)));
                }
                (Some(failure), _) if self.is_same_failure(&failure) => {
                    // All other mappings have the key.
                    let mut without = readers.iter().filter(|(_, fits)| fits.is_none());
                    let (at, _) = without.next().filter(|_| without.next().is_none())?;
                    return Some((all[*at].clone(), None));
                }
                _ => break,
            }
        }
        let lacks_it = |(at, fits): &(usize, Option<Value>)| {
            let mut without = with.clone();
            value::remove(&mut without, &inner(&all[*at], self.field));
            fits.is_some() && self.fails_alike(&without)
        };
        let (at, fits) = readers.into_iter().find(lacks_it)?;
        Some((all[at].clone(), fits))
    }

    /// The mapping whose unreadable value this failure is about, and as what that was read.
    fn reader(&self, all: &[Way], failure: &Failure) -> Option<(usize, ReadAs)> {
        all.iter().enumerate().find_map(|(at, mapping)| Some((at, self.read_as_in(mapping, failure, number(at))?)))
    }

    fn keys(&self, mapping: &[Step]) -> Option<Vec<&String>> {
        let dict = value::at(self.trial.merged, mapping).and_then(Value::as_dict);
        dict.map(|dict| dict.keys().collect())
    }
}

/// Finds mappings that refuse unknown keys. Each is given an unknown key of its own.
struct UnknownKeyProbes<'w> {
    all: &'w [Way],
    with: Value,
}

impl<'w> UnknownKeyProbes<'w> {
    fn of(all: &'w [Way], merged: &Value) -> Self {
        let mut with = merged.clone();
        for (at, mapping) in all.iter().enumerate() {
            value::insert(&mut with, &inner(mapping, &probe_key(at)), value::unreadable(number(at), Tag::Default));
        }
        UnknownKeyProbes { all, with }
    }

    /// The next mapping that does not know the missing key, in the order in which they are read.
    fn next_refusing(&mut self, lack: &Lack<'_, '_>) -> Option<Way> {
        while !lack.trial.is_spent() {
            let what = lack.trial.try_read(&self.with).err()?.what;
            let is_about = |at: &usize| match &what {
                What::Unknown { key, .. } => *key == probe_key(*at),
                // The mapping accepts any keys.
                other => read_as(other, number(*at)).is_some(),
            };
            let at = (0..self.all.len()).find(is_about)?;
            value::remove(&mut self.with, &inner(&self.all[at], &probe_key(at)));
            if matches!(what, What::Unknown { known, .. } if !known.contains(&lack.field)) {
                return Some(self.all[at].clone());
            }
        }
        None
    }
}

/// A key that nobody writes.
fn probe_key(at: usize) -> String {
    format!("{NO_NAME}{at}")
}

/// The number of the unreadable value in the mapping with this index.
fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}
