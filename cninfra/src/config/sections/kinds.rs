//! Keys that say the same thing, each in its own way: what one source says twice is a mistake. Of several sources the higher one's holds.

use super::{
    checked::{Checked, ToRead},
    section::Section,
};
use crate::config::{
    find::extract::{Depth, Outcome, extract},
    said::{entry::Entries, source::Source},
    written::place::{Part, Place},
    wrong::mistake::Mistake,
};

/// Two keys that say the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    /// The parts of the key that is read last.
    pub(crate) key: Vec<String>,
    /// Those of the other one.
    pub(crate) other: Vec<String>,
    /// What both say: "the level of `etcd`".
    pub(crate) what: String,
}

/// With what the files say twice, what the environment does, and what the command line does. (What a program sets later goes over what it has
/// set before.)
pub(crate) fn check_kinds<S: Section>(
    section: ToRead<'_>,
    mut checked: Checked,
    clashes: fn(&S::__Plain) -> Vec<Clash>,
) -> Checked {
    const PROGRAM: u8 = Source::Program.rank();
    let ToRead { section, entries } = section;
    let mut ranks: Vec<u8> =
        entries.all.iter().map(|entry| entry.source.rank()).filter(|rank| *rank > PROGRAM).collect();
    ranks.dedup();
    for rank in ranks {
        let all: Vec<_> = entries.all.iter().copied().filter(|entry| entry.source.rank() == rank).collect();
        let keys: usize = all.iter().filter_map(|entry| entry.value.as_dict()).map(|dict| dict.len()).sum();
        if keys < 2 {
            continue;
        }
        let of_rank = Entries { all, secrets: entries.secrets.clone(), ..Entries::default() };
        let (value, outcome) = extract::<S::__Plain>(section, &of_rank, Depth::Top);
        // what is wrong with one of them is told of it
        let Some(value) = value.filter(|_| outcome.mistakes.is_empty()) else { continue };
        let mistake = |Clash { key, other, what }: Clash| {
            let name = |key: &[String]| format!("`{}.{}`", section.name, key.join("."));
            let (said, place) = (place(&other, &outcome), place(&key, &outcome));
            let what = format!("key {} says {what}, which key {} says too, {said}", name(&key), name(&other));
            Mistake::new(place, what).of(section.name).help("keep one of them")
        };
        checked.invalid.extend(clashes(&value).into_iter().map(mistake));
    }
    checked
}

/// Where a key is said; else where what is around it is.
fn place(key: &[String], read: &Outcome) -> Place {
    let spot = (1..=key.len()).rev().find_map(|len| read.notes.origins.get(&key[..len]));
    spot.map_or_else(|| Source::Default.place(&[], Part::Value), |spot| read.layers.place(spot, Part::Value))
}
