//! Reads a section until nothing in it is wrong: every mistake is kept, and what is wrong is dropped for the next reading.

use super::{
    failure::{Failure, Spot, What},
    fields::suggestion,
    found::{Entry, Found},
    key::{kebab, nearest, same},
    mistake::Mistake,
    reader::{Notes, Reader, Reading},
    source::{Part, Step, Way},
};
use serde::de::DeserializeOwned;
use std::collections::HashSet;

/// What came of reading a section.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) notes: Notes,
}

/// Reads a section of its entries, the highest first. Where there is nothing to read, it is the type's default.
pub(super) fn extract<C: DeserializeOwned + Default>(section: &str, entries: &[&Entry]) -> (C, Outcome) {
    if entries.is_empty() {
        return (C::default(), Outcome::default());
    }
    let mut value = None;
    let outcome = extract_with(section, entries, &mut |reader| {
        value = Some(C::deserialize(reader)?);
        Ok(())
    });
    (value.unwrap_or_default(), outcome)
}

// not generic: compiled once for all sections
fn extract_with(
    section: &str,
    entries: &[&Entry],
    read: &mut dyn FnMut(Reader<'_, '_>) -> Result<(), Failure>,
) -> Outcome {
    let mut dropped: HashSet<(usize, Way)> = HashSet::new();
    let mut all = Mistakes { section, entries, seen: HashSet::new(), all: Vec::new() };
    loop {
        let reading = Reading { section, dropped: &dropped, notes: Notes::default().into() };
        let there = entries.iter().enumerate().filter(|(number, _)| !dropped.contains(&(*number, Way::new())));
        let found = there.map(|(number, entry)| Found::of(entry, number)).collect();
        let done = match Reader::new(&reading, Vec::new(), found) {
            None => Ok(()),
            Some(reader) => {
                let root = reader.spot();
                read(reader).map_err(|failure| failure.at(|| root))
            }
        };
        let notes = reading.notes.into_inner();
        for (spot, mistake) in &notes.mistakes {
            all.add(spot, || mistake.clone());
        }
        let Err(Failure { what, spot: Some(spot) }) = done else {
            return Outcome { mistakes: all.sorted(), notes };
        };
        all.tell(&what, &spot, &notes, &dropped);
        if !dropped.insert((spot.entry, spot.way)) {
            // it can not be dropped twice: to go on would never end
            return Outcome { mistakes: all.sorted(), notes };
        }
    }
}

struct Mistakes<'a> {
    section: &'a str,
    entries: &'a [&'a Entry],
    /// Each is told once.
    seen: HashSet<(usize, Way)>,
    all: Vec<Mistake>,
}

impl Mistakes<'_> {
    fn add(&mut self, spot: &Spot, mistake: impl FnOnce() -> Mistake) {
        if self.seen.insert((spot.entry, spot.way.clone())) {
            let mistake = mistake();
            self.all.push(mistake);
        }
    }

    /// Tells why a reading stopped.
    fn tell(&mut self, what: &What, spot: &Spot, notes: &Notes, dropped: &HashSet<(usize, Way)>) {
        if self.follows(what, spot, notes, dropped) {
            return;
        }
        let name = if spot.path.is_empty() {
            format!("section `{}`", self.section)
        } else {
            format!("key `{}.{}`", self.section, spot.path.join("."))
        };
        let (text, help) = match what {
            What::Takes(what) => {
                let help = spot.path.is_empty().then(|| "write `key: value`, one to a line".to_string());
                (format!("{name} takes {what}"), help)
            }
            What::Says(what) => (format!("{name}: {what}"), None),
            What::NoSecret => {
                let help = "only a secret has a second key that names a file: `password-file` beside `password`";
                (format!("key `{}` is unknown", self.written(spot)), Some(help.to_string()))
            }
            What::Unknown { key, known } => {
                let inner = if spot.path.is_empty() { String::new() } else { format!("{}.", spot.path.join(".")) };
                (format!("key `{}.{inner}{key}` is unknown", self.section), Some(suggestion(key, known)))
            }
            What::Missing(field) => (format!("{name}: the key `{}` is missing", kebab(field)), None),
            What::Twice(field) => (format!("{name} is there twice: `{}` is another name of it", kebab(field)), None),
        };
        let part = if matches!(what, What::NoSecret | What::Twice(_)) { Part::Key } else { Part::Value };
        let entry = self.entries[spot.entry];
        let way: Way = entry.way.iter().chain(&spot.way).cloned().collect();
        let mistake = Mistake::new(entry.source.place(&way, part), text).of(self.section).help_if(help);
        self.seen.insert((spot.entry, spot.way.clone()));
        self.all.push(mistake);
    }

    /// Does it follow from what has been told?
    fn follows(&self, what: &What, spot: &Spot, notes: &Notes, dropped: &HashSet<(usize, Way)>) -> bool {
        let inner = |(entry, way): &(usize, Way)| {
            (*entry == spot.entry && way.len() > spot.way.len() && way.starts_with(&spot.way)).then(|| way.clone())
        };
        match what {
            What::Missing(field) => {
                // it is there, and wrong; or it is there, and misspelled
                let is_it = |way: Way| matches!(way.get(spot.way.len()), Some(Step::Key(key)) if same(key, field));
                let misspelled = |other: &Spot| match other.path.split_last() {
                    Some((key, around)) => around == spot.path && nearest(key, [*field]).is_some(),
                    None => false,
                };
                dropped.iter().filter_map(inner).any(is_it) || notes.mistakes.iter().any(|(other, _)| misspelled(other))
            }
            What::Twice(field) => !self.is_twice_in_files(field, spot, notes),
            // a whole of which a part has been dropped
            What::Takes(_) | What::Says(_) => dropped.iter().any(|place| inner(place).is_some()),
            What::NoSecret | What::Unknown { .. } => false,
        }
    }

    /// Of two names of one key the higher layer's holds: it has been read first. In files it is a mistake.
    fn is_twice_in_files(&self, field: &str, spot: &Spot, notes: &Notes) -> bool {
        let is_file = |entry: usize| self.entries[entry].source.file().is_some();
        let around = &spot.path[..spot.path.len().saturating_sub(1)];
        let mut siblings =
            notes.origins.iter().filter(|(path, _)| path.split_last().is_some_and(|(_, before)| before == around));
        match siblings.clone().find(|(path, _)| path.last().is_some_and(|key| *key == kebab(field))) {
            Some((_, other)) => is_file(spot.entry) && is_file(other.entry),
            // which of them it is, serde does not say
            None => is_file(spot.entry) && siblings.all(|(_, other)| is_file(other.entry) || other.entry > spot.entry),
        }
    }

    /// The key as it is written.
    fn written(&self, spot: &Spot) -> String {
        let mut path = spot.path.clone();
        if let (Some(last), Some(Step::Key(key))) = (path.last_mut(), spot.way.last()) {
            last.clone_from(key);
        }
        format!("{}.{}", self.section, path.join("."))
    }

    /// In the order of their places.
    fn sorted(mut self) -> Vec<Mistake> {
        self.all.sort_by(|a, b| a.place.cmp(&b.place));
        self.all
    }
}
