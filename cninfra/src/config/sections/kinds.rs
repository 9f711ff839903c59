//! Finds keys that say the same thing in different ways. It is a mistake if the same kind of source says both;
//! otherwise the higher one holds.

use super::{
    check::place_of,
    checked::{Checked, ToRead},
    section::Section,
};
use crate::config::{
    find::extract::{Depth, extract},
    said::{entry::Entries, source::Source},
    wrong::mistake::Mistake,
};

/// Two keys that say the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    /// The parts of the key that is read last.
    pub(crate) key: Vec<String>,
    /// The parts of the other key.
    pub(crate) other: Vec<String>,
    /// What both say, such as "the level of `etcd`".
    pub(crate) what: String,
}

/// Adds to a check what the files say twice, what the environment does, and what the command line does. (The program
/// is left out: what it sets later overrides what it has set before.)
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
        // If anything is wrong with this kind of source, that is reported instead.
        let Some(value) = value.filter(|_| outcome.mistakes.is_empty()) else { continue };
        let mistake = |Clash { key, other, what }: Clash| {
            let name = |key: &[String]| format!("`{}.{}`", section.name, key.join("."));
            let place = |key: &[String]| place_of(key, &outcome, |key| outcome.notes.origins.get(key));
            let (other_place, place) = (place(&other), place(&key));
            let what = format!("key {} says {what}, which key {} says too, {other_place}", name(&key), name(&other));
            Mistake::new(place, what).in_section(section.name).help("keep one of them")
        };
        checked.invalid.extend(clashes(&value).into_iter().map(mistake));
    }
    checked
}
