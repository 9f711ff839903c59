//! Reads a section again and again until nothing in it is wrong. Each mistake is reported, and what is wrong is left
//! out of the next reading. In the place of a missing key, a fitting value is made up, so that reading goes on.

use super::{
    answer::{Change, FailedReading},
    beyond::first_infinite,
    mistakes::Mistakes,
    trial::{MadeUp, ReadFn, Trial, read_quietly},
};
use crate::config::{
    read::{
        reader::Reader,
        reading::{Notes, Reading, Reads},
    },
    said::{layers::Dropped, texts},
    written::value,
    wrong::failure::Failure,
};
use figment::value::Value;
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// If a reading takes longer, it is not repeated to find out where a mistake is: the type may look up each value.
const TOO_SLOW: Duration = Duration::from_secs(1);
/// After this time, the mistakes found so far are reported, with a note that there may be more. By default, a start has
/// three times as long for all sections.
const LONGEST: Duration = Duration::from_secs(5);

/// What is searched for mistakes: these layers of the section, and how they are read.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) read: ReadFn<'s>,
    pub(super) reads: Reads,
    pub(super) layers: &'s Range<usize>,
}

impl Mistakes<'_> {
    /// Reads what these layers say, without what is dropped, until nothing more is wrong. What is wrong is added to
    /// `dropped`.
    pub(super) fn search(&mut self, scope: Scope<'_>, dropped: &mut Dropped) -> Notes {
        self.search_with(MadeUp::new(), scope, dropped)
    }

    /// The same with values made up for missing keys.
    pub(super) fn search_with(&mut self, mut made_up: MadeUp, scope: Scope<'_>, dropped: &mut Dropped) -> Notes {
        let (section, layers, budget) = (self.section, self.layers, self.budget);
        let mut has_looked_elsewhere = false;
        loop {
            let Some(value) = self.value_of(scope.layers, dropped, &made_up) else { return Notes::default() };
            // If something was left out or made up, nobody has written what is read, so a panic is not logged.
            let is_written = made_up.is_empty() && dropped.is_empty();
            let (done, mut notes) = self.read_once(&value, is_written, scope, dropped);
            let (whole, merged, read) = (&value, &value, scope.read);
            let all = Trial { section, layers, dropped, whole, merged, read, budget, is_unsteady: false };
            let done = done.and_then(|()| first_infinite(&notes.large, &all).map_or(Ok(()), Err));
            self.take_from(&mut notes, &made_up);
            let change = match done {
                // Everything in the searched value has been read.
                Err(Failure { spot: Some(spot), .. }) if self.is_around_searched(&spot.way) => return notes,
                Err(Failure { what, spot: Some(spot) }) => {
                    let failed = FailedReading { all: &all, notes: &notes, made_up: &made_up, scope };
                    self.answer(what, spot, failed, &mut has_looked_elsewhere)
                }
                // The same unknown key may be in a lower layer, too.
                _ if layers.len() > 1 => {
                    Change::LeftOut(notes.mistakes.iter().map(|(spot, _)| (spot.entry, spot.way.clone())).collect())
                }
                _ => return notes,
            };
            let is_changed = match change {
                Change::TextsRestored => continue,
                Change::OverridingLeftOut(place) => {
                    dropped.insert(place);
                    continue;
                }
                Change::LeftOut(places) => {
                    let before = dropped.len();
                    dropped.extend(places);
                    dropped.len() > before
                }
                Change::MadeUp(way, fits) => {
                    made_up.push((way, Some(fits)));
                    self.is_made_up = true;
                    true
                }
                Change::Misfit(at) => {
                    made_up[at].1 = None;
                    true
                }
            };
            // The mistakes found so far are useful, and the next reading may take longer than anybody waits.
            self.is_late |= !self.all.is_empty() && self.began.elapsed() > LONGEST;
            // If nothing has changed, reading again would never end.
            if !is_changed || self.all.len() > self.most_reported || self.is_late {
                return notes;
            }
        }
    }

    /// What these layers say together, without what is dropped, and with restored texts and made-up values.
    fn value_of(&self, of: &Range<usize>, dropped: &Dropped, made_up: &MadeUp) -> Option<Value> {
        let layers = self.layers;
        // Figment keeps only the values in force. Once a wrong value is left out of the merge, the one that it
        // overrides is there.
        let mut value = match self.searched {
            Some((value, _)) => without(value, dropped),
            None if *of == layers.numbers() && dropped.is_empty() => layers.value(self.merged)?,
            None => layers.value(&layers.merge(of, dropped))?,
        };
        self.restored_texts[of.clone()].iter().for_each(|texts| texts::restore(&mut value, texts));
        for (way, made_up) in made_up {
            made_up.iter().for_each(|made_up| value::insert(&mut value, way, made_up.clone()));
        }
        Some(value)
    }

    /// Reads a value, and takes what that costs from the budget.
    fn read_once(
        &self,
        value: &Value,
        is_written: bool,
        scope: Scope<'_>,
        dropped: &Dropped,
    ) -> (Result<(), Failure>, Notes) {
        let (section, layers, reads) = (self.section, self.layers, scope.reads);
        let reading = Reading { section, layers, dropped, asked: None, reads, notes: Notes::default().into() };
        let reader = Reader::new(&reading, value);
        let root = reader.spot();
        let began = Instant::now();
        let done = if is_written { (scope.read)(reader) } else { read_quietly(scope.read, reader) };
        if began.elapsed() > TOO_SLOW {
            // Reading it again and again would take the time of the whole start.
            self.budget.set(0);
        }
        if self.searched.is_some() {
            self.budget.set(self.budget.get().saturating_sub(value::count(value)));
        }
        (done.map_err(|failed| *failed.at(|| root)), reading.notes.into_inner())
    }

    /// Takes what a reading has noted. Nobody has written what is made up, so no plugin is named there.
    fn take_from(&mut self, notes: &mut Notes, made_up: &MadeUp) {
        self.meant.append(&mut notes.meant);
        for (spot, mistake) in &notes.mistakes {
            self.add(spot, mistake);
        }
        notes.plugins.retain(|(spot, _)| !made_up.iter().any(|(way, _)| spot.way.starts_with(way)));
    }
}

/// The value without what is dropped. (The reader skips dropped items of lists.)
fn without(value: &Value, dropped: &Dropped) -> Value {
    let mut rest = value.clone();
    dropped.iter().for_each(|(_, way)| value::remove(&mut rest, way));
    rest
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given};
    use serde::{Deserialize, Serialize};
    use std::{
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
        thread,
        time::Duration,
    };

    /// If each reading takes long, some mistakes are reported after a few, with a note that there may be more.
    #[test]
    fn of_what_is_read_for_long_some_is_told() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        #[derive(Debug, Default, Serialize)]
        struct Slow;
        impl<'de> Deserialize<'de> for Slow {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                READ.fetch_add(1, Relaxed);
                thread::sleep(Duration::from_millis(1100));
                u8::deserialize(from).map(|_| Slow)
            }
        }
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        struct Has {
            a: Slow,
            ports: Vec<u8>,
            whole: Option<Whole>,
        }
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        enum Whole {
            Of { a: Slow, ports: Vec<u8> },
        }
        let ports = ["x"; 12].join(", ");
        let told = Given::file(Has::META, &format!("a: 1\nports: [{ports}]")).wrong();
        assert!(told.len() > 2 && told.len() < 8 && READ.load(Relaxed) < 7, "{told:?}");
        assert!(
            told[0].contains("key `odd.ports[0]` takes")
                && told.concat().contains("there may be more mistakes in section `odd`"),
            "{told:?}"
        );
        // The place of the mistake is not searched for.
        READ.store(0, Relaxed);
        let told = Given::file(Has::META, "whole: {kind: of, a: 1, ports: [1, x]}").wrong();
        assert!(told.len() == 1 && told[0].contains("key `odd.whole`") && READ.load(Relaxed) == 1, "{told:?}");
    }
}
