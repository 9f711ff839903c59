//! [`Mistakes`]: what is wrong with a section, told once each, and without what only follows from it.

use super::{
    failure::{NO_TEXT, Spot, What},
    fields::suggestion,
    key::{kebab, nearest, same},
    layers::{Dropped, Layers, Twice},
    mistake::Mistake,
    reading::Notes,
    section::Named,
    source::{Part, Step, Way},
};
use figment::Figment;
use std::collections::HashSet;

/// What is wrong with a section.
pub(super) struct Mistakes<'a> {
    pub(super) section: Named<'a>,
    pub(super) layers: &'a Layers,
    /// All of them.
    pub(super) whole: &'a Figment,
    /// So many are told.
    pub(super) most: usize,
    /// Each is told once.
    seen: HashSet<(usize, Way)>,
    /// The first key of the section itself that nothing says and that has no default.
    pub(super) missing: Option<&'static str>,
    pub(super) all: Vec<Mistake>,
    /// Something that is said has been left out, since it is wrong.
    pub(super) lost: bool,
    /// Keys that were probably meant by those that nobody knows.
    pub(super) meant: Vec<String>,
    /// Secrets whose files do not answer.
    pub(super) unanswered: Vec<Mistake>,
}

impl<'a> Mistakes<'a> {
    /// None so far.
    pub(super) fn new(section: Named<'a>, layers: &'a Layers, whole: &'a Figment) -> Self {
        let most = layers.most_mistakes();
        Mistakes {
            section,
            layers,
            whole,
            most,
            seen: HashSet::new(),
            missing: None,
            all: Vec::new(),
            lost: false,
            meant: Vec::new(),
            unanswered: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, spot: &Spot, mistake: impl FnOnce() -> Mistake) {
        if self.seen.insert((spot.entry, spot.way.clone())) {
            let mistake = mistake();
            self.all.push(mistake);
        }
    }

    /// Tells the keys that two files set.
    pub(super) fn twice(&mut self) {
        for Twice { first, second } in self.layers.twice().into_iter().take(self.most + 1) {
            let (first, place) = (self.layers.place(&first, Part::Key), self.layers.place(&second, Part::Key));
            let what = format!("key `{}.{}` is set in {first} too", self.section.name, second.path.join("."));
            self.all.push(Mistake::new(place, what).of(self.section.name).help("keep one of them"));
        }
    }

    /// Is it no wonder in a layer of several, each of which may say a part of a mapping?
    pub(super) fn is_of_a_part(&self, what: &What, spot: &Spot) -> bool {
        // no other layer says more of it
        if self.layers.is_taken_whole(spot) {
            return false;
        }
        match what {
            What::Missing { .. } => true,
            What::Says(_) => self.layers.is_mapping(spot),
            _ => false,
        }
    }

    /// Tells why a reading stopped.
    pub(super) fn tell(&mut self, what: &What, spot: &Spot, notes: &Notes, dropped: &Dropped) {
        if self.follows(what, spot, notes, dropped) {
            return;
        }
        if let What::Missing { field, .. } = what
            && spot.path.is_empty()
        {
            self.missing.get_or_insert(field);
        }
        let name = if spot.path.is_empty() {
            format!("section `{}`", self.section.name)
        } else {
            format!("key `{}.{}`", self.section.name, spot.path.join("."))
        };
        let (text, help) = match what {
            What::Takes(what) => {
                let help = match spot.path.is_empty() {
                    true => Some("write `key: value`, one to a line".to_string()),
                    false if what.starts_with(NO_TEXT) && self.layers.is_file(spot.entry) => {
                        Some("a text that looks like something else stands in quotes".to_string())
                    }
                    false => None,
                };
                (format!("{name} takes {}", self.layers.as_written(what, spot)), help)
            }
            What::Says(what) => (format!("{name}: {what}"), None),
            What::NoSecret => {
                let help = "only a secret has a second key that names a file: `password-file` beside `password`";
                (format!("key `{}` is unknown", self.written(spot)), Some(help.to_string()))
            }
            What::Unknown { key, known } => {
                let agents = if spot.path.is_empty() { self.section.agents } else { &[] };
                let inner = if spot.path.is_empty() { String::new() } else { format!("{}.", spot.path.join(".")) };
                (format!("key `{}.{inner}{key}` is unknown", self.section.name), Some(suggestion(key, known, agents)))
            }
            What::Missing { field, others } => {
                let of = match spot.path.last() {
                    Some(key) => format!("the type of `{key}`"),
                    None => "the section's type".to_string(),
                };
                let mut help = format!("set it: {of} has no default for it alone");
                let others = others.iter().filter(|other| !Self::is_told(other, spot, notes, dropped));
                let others: Vec<&str> = others.map(String::as_str).collect();
                if !others.is_empty() {
                    help = format!("{help}; not set either, and perhaps needed, too: `{}`", others.join("`, `"));
                }
                (format!("{name}: the key `{}` is missing", kebab(field)), Some(help))
            }
            What::Twice(field) => (format!("{name} is there twice: `{}` is another name of it", kebab(field)), None),
            What::Unanswered(path) => {
                let help = "look at the file system that it is on".to_string();
                (format!("{name}: the file {} does not answer", path.display()), Some(help))
            }
            What::Asked => return,
        };
        let part = if matches!(what, What::NoSecret | What::Twice(_)) { Part::Key } else { Part::Value };
        let mistake = Mistake::new(self.layers.place(spot, part), text).of(self.section.name).help_if(help);
        self.seen.insert((spot.entry, spot.way.clone()));
        if matches!(what, What::Unanswered(_)) { self.unanswered.push(mistake) } else { self.all.push(mistake) }
    }

    /// Does it follow from what has been told, be it that a file does not answer?
    fn follows(&self, what: &What, spot: &Spot, notes: &Notes, dropped: &Dropped) -> bool {
        if self.layers.partial && self.is_of_a_part(what, spot) {
            return true;
        }
        match what {
            What::Missing { field, .. } => Self::is_told(field, spot, notes, dropped),
            What::Twice(field) => !self.is_twice_in_files(field, spot, notes),
            // a whole of which a part has been dropped
            What::Takes(_) | What::Says(_) => dropped.iter().any(|place| is_inner(spot, place)),
            What::NoSecret | What::Unknown { .. } | What::Unanswered(_) | What::Asked => false,
        }
    }

    /// Has something been told of this key of a mapping? It is there, and wrong; or it is there, and misspelled.
    fn is_told(field: &str, spot: &Spot, notes: &Notes, dropped: &Dropped) -> bool {
        let is_it =
            |(_, way): &(usize, Way)| matches!(way.get(spot.way.len()), Some(Step::Key(key)) if same(key, field));
        let misspelled = |other: &Spot| match other.path.split_last() {
            Some((key, around)) => around == spot.path && nearest(key, [field]).is_some(),
            None => false,
        };
        dropped.iter().filter(|place| is_inner(spot, place)).any(is_it)
            || notes.mistakes.iter().any(|(other, _)| misspelled(other))
    }

    /// Of two names of one key the higher layer's holds: it has been read first. In files it is a mistake.
    fn is_twice_in_files(&self, field: &str, spot: &Spot, notes: &Notes) -> bool {
        let is_file = |entry: usize| self.layers.is_file(entry);
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
        if let (Some(last), Some(written)) = (path.last_mut(), self.layers.written(spot)) {
            *last = written;
        }
        format!("{}.{}", self.section.name, path.join("."))
    }

    /// In the order of their places.
    pub(super) fn sorted(mut self) -> Vec<Mistake> {
        self.all.sort_by(|a, b| a.place.cmp(&b.place));
        if self.all.len() > self.most {
            let last = self.all.drain(self.most..).next().and_then(|mistake| mistake.place);
            let more = last.map(|place| Mistake::more(place, &format!("section `{}`", self.section.name)));
            self.all.extend(more.map(|more| more.of(self.section.name)));
        }
        self.all
    }
}

/// Is it a place in there?
fn is_inner(spot: &Spot, (entry, way): &(usize, Way)) -> bool {
    *entry == spot.entry && way.len() > spot.way.len() && way.starts_with(&spot.way)
}
