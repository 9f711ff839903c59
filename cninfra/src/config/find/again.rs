//! Reads a section again and again until nothing in it is wrong. Each mistake is reported, and what is wrong is left
//! out of the next reading. In the place of a missing key, a fitting value is made up, so that reading goes on.

use super::{
    beyond::beyond,
    culprit::{Culprit, Nearness, culprit},
    items::left_out,
    left_out::has_other_name,
    looks,
    mistakes::{At, Mistakes},
    trial::{MadeUp, Trial, quietly},
};
use crate::config::{
    read::{
        reader::Reader,
        reading::{Notes, Reading, Reads},
    },
    said::{layers::Dropped, texts},
    written::{
        value,
        way::{Way, inner},
    },
    wrong::{
        failure::{Failed, Failure, What},
        spot::Spot,
    },
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

/// Reads the section into its type.
pub(super) type Read<'r> = &'r dyn Fn(Reader<'_, '_>) -> Result<(), Failed>;

impl Mistakes<'_> {
    /// Is this value wrong without what higher layers say about it? If so, the mistake is reported.
    fn is_wrong(&mut self, (number, way): &(usize, Way), dropped: &Dropped, read: Read<'_>) -> bool {
        let above = (0..*number).map(|above| (above, way.clone()));
        let mut without = dropped.iter().cloned().chain(above).collect();
        self.read(&mut without, read, Reads::OneLayer, &self.layers.numbers());
        self.is_told_within(*number, way)
    }

    /// Reads what these layers say, without what is dropped, until nothing more is wrong. What is wrong is added to
    /// `dropped`.
    pub(super) fn read(&mut self, dropped: &mut Dropped, read: Read<'_>, reads: Reads, of: &Range<usize>) -> Notes {
        self.read_with(MadeUp::new(), dropped, read, reads, of)
    }

    /// The same with values made up for missing keys.
    pub(super) fn read_with(
        &mut self,
        mut made_up: MadeUp,
        dropped: &mut Dropped,
        read: Read<'_>,
        reads: Reads,
        of: &Range<usize>,
    ) -> Notes {
        let (layers, mut has_looked) = (self.layers, false);
        let are_all = *of == layers.numbers();
        loop {
            // Figment keeps only the values in force. Once a wrong value is left out of the merge, the one that it
            // overrides is there.
            let merged = match self.within {
                Some((value, _)) => Some(without(value, dropped)),
                None if are_all && dropped.is_empty() => layers.value(self.whole),
                None => layers.value(&layers.merge(of, dropped)),
            };
            let Some(mut merged) = merged else { return Notes::default() };
            self.texts[of.clone()].iter().for_each(|texts| texts::restore(&mut merged, texts));
            for (way, value) in &made_up {
                value.iter().for_each(|value| value::insert(&mut merged, way, value.clone()));
            }
            let reading =
                Reading { section: self.section, layers, dropped, asked: None, reads, notes: Notes::default().into() };
            let reader = Reader::new(&reading, &merged);
            let root = reader.spot();
            // If something was left out or made up, nobody has written what is read, so a panic is not logged.
            let is_written = made_up.is_empty() && dropped.is_empty();
            let reading_began = Instant::now();
            let done = if is_written { read(reader) } else { quietly(read, reader) };
            if reading_began.elapsed() > TOO_SLOW {
                // Reading it again and again would take the time of the whole start.
                self.left.set(0);
            }
            if self.within.is_some() {
                self.left.set(self.left.get().saturating_sub(value::count(&merged)));
            }
            let done = done.map_err(|failed| *failed.at(|| root));
            let mut notes = reading.notes.into_inner();
            let (section, left) = (self.section, self.left);
            let (whole, merged) = (&merged, &merged);
            let all = Trial { section, layers, dropped, whole, merged, read, left, is_unsteady: false };
            let done = done.and_then(|()| beyond(&notes.large, &all).map_or(Ok(()), Err));
            self.meant.append(&mut notes.meant);
            for (spot, mistake) in &notes.mistakes {
                self.add(spot, || mistake.clone());
            }
            notes.plugins.retain(|(spot, _)| !made_up.iter().any(|(way, _)| spot.way.starts_with(way)));
            let (before, mut is_new) = (dropped.len(), false);
            match done {
                // Everything in the searched value has been read.
                Err(Failure { spot: Some(spot), .. }) if self.is_around(&spot.way) => return notes,
                Err(Failure { mut what, spot: Some(spot) }) => {
                    let (value, without) = all.near(&spot.way);
                    let near = Trial { merged: &value, dropped: &without, ..all };
                    // The place of this panic is known. To search for it, the type would have to panic again and again.
                    let is_known = notes.panicked_there;
                    let trial = match near.is_less_than(&all) && !all.is_spent() {
                        _ if is_known => all,
                        true if near.says(&what, &spot) => near,
                        _ => Trial { is_unsteady: !all.is_spent() && all.says_otherwise(&what), ..all },
                    };
                    let mut texts = looks::texts((&what, &spot), &trial, &mut self.left_for_texts);
                    // A text that has already been restored is of no use again.
                    texts.retain(|text| !self.texts.iter().any(|taken| taken.contains(text)));
                    if !texts.is_empty() {
                        self.take_for_texts(texts);
                        if !std::mem::replace(&mut has_looked, true) {
                            let texts = looks::elsewhere(&all, &mut self.left_for_texts);
                            self.take_for_texts(texts);
                        }
                        continue;
                    }
                    let is_told = reads == Reads::All || !self.is_of_a_part(&what, &spot);
                    // If a key is set by two of its names, one of them has been read.
                    match what {
                        What::Twice(_) => self.named_twice.push(spot.path.clone()),
                        _ => self.lost = true,
                    }
                    let found = if is_told && !is_known { culprit(&what, &spot, &trial, &made_up) } else { None };
                    let (root, whole) = (spot.clone(), spot.way.len());
                    let found = found.unwrap_or(Culprit { spot, whole, fits: None, nearness: Nearness::Within });
                    let Culprit { spot, whole, fits, nearness } = found;
                    let is_of_all = matches!(what, What::Missing { .. })
                        || matches!(what, What::Says(_)) && layers.is_mapping(&spot);
                    // If a value that overrides the mapping of a lower layer is wrong itself, that is the mistake.
                    let is_asked = is_of_all && reads == Reads::All;
                    let over = is_asked.then(|| layers.whole_over_parts(&spot, dropped)).flatten();
                    if let Some(over) = over.filter(|over| self.is_wrong(over, dropped, read)) {
                        dropped.insert(over);
                        continue;
                    }
                    let lacks = match &what {
                        What::Missing { field, .. } => Some(inner(&spot.way, field)),
                        _ => fits.is_some().then(|| spot.way.clone()),
                    };
                    // Nobody has written what was made up, so failures about that, or about anything around it, are not
                    // reported.
                    let follows = made_up.iter().any(|(way, _)| match &lacks {
                        Some(lacks) => {
                            lacks.starts_with(way) || nearness == Nearness::Within && way.starts_with(&spot.way)
                        }
                        None => spot.way.starts_with(way) || way.starts_with(&spot.way),
                    });
                    let fits = fits.filter(|_| !follows);
                    if let (What::Missing { others, .. }, true) = (&mut what, fits.is_some()) {
                        // Each of them is reported by itself.
                        others.clear();
                    }
                    let (whole, item) = match &fits {
                        Some(_) => (whole, None),
                        None => left_out(&spot.way[..whole], (&what, &root), &made_up, &trial),
                    };
                    let fitting = lacks.as_ref().zip(fits.as_ref());
                    let is_there = fitting.is_some_and(|(way, fits)| {
                        dropped.iter().any(|(_, other)| other == way) || has_other_name(way, fits, &all)
                    });
                    if is_told && !follows && !is_there {
                        self.tell(&what, At { spot: &spot, nearness }, &notes, dropped, &trial);
                    }
                    if let Some(lacks) = lacks.as_ref().filter(|_| is_told && !follows && fits.is_none())
                        && self.within.is_none()
                        && !all.is_spent()
                    {
                        self.tell_of_any((lacks, &root.way), (&trial, &made_up), (read, reads, of));
                    }
                    let misfit = made_up.iter_mut().find(|(way, value)| value.is_some() && spot.way.starts_with(way));
                    if let Some((_, value)) = misfit {
                        (*value, is_new) = (None, true);
                    } else if let (Some(way), Some(_)) = (lacks, &fits) {
                        made_up.push((way, fits));
                        (self.is_made_up, is_new) = (true, true);
                    } else if let Some((way, fits)) = item {
                        made_up.push((way, Some(fits)));
                        (self.is_made_up, is_new) = (true, true);
                    } else {
                        // If a mapping is wrong as a whole, it is left out of all layers, and not reported for each.
                        let others = of.clone().filter(|_| is_of_all).map(|entry| Spot { entry, ..spot.clone() });
                        let parts: Vec<_> = others.filter(|part| layers.is_mapping(part)).collect();
                        // But a layer by itself is still read with its own part of the mapping.
                        let is_lent = |part: &&Spot| part.entry != spot.entry || !layers.is_taken_whole(part);
                        let lent = parts.iter().filter(is_lent).map(|part| (part.entry, part.way.clone()));
                        self.lent.extend(lent);
                        let all = parts.into_iter().chain([spot]).map(|part| (part.entry, part.way));
                        dropped.extend(all.map(|(entry, way)| (entry, way[..whole].to_vec())));
                    }
                }
                // The same unknown key may be in a lower layer, too.
                _ if layers.len() > 1 => {
                    dropped.extend(notes.mistakes.iter().map(|(spot, _)| (spot.entry, spot.way.clone())));
                }
                _ => return notes,
            }
            // The mistakes found so far are useful, and the next reading may take longer than anybody waits.
            self.is_late |= !self.all.is_empty() && self.began.elapsed() > LONGEST;
            // If nothing has changed, reading again would never end.
            if dropped.len() == before && !is_new || self.all.len() > self.most || self.is_late {
                return notes;
            }
        }
    }
}

/// The value without what is dropped. (The reader skips dropped items of lists.)
fn without(value: &Value, dropped: &Dropped) -> Value {
    let mut left = value.clone();
    dropped.iter().for_each(|(_, way)| value::remove(&mut left, way));
    left
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
