//! [`Origins`]: where what a section says is from, key by key.

use super::config::Config;
use crate::{
    Result,
    config::{
        find::extract::{Depth, extract},
        read::named::Named,
        written::way::Step,
        wrong::spot::Spot,
    },
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Where the keys of a section are from: by their paths, whose parts are parted by dots.
pub(crate) type Origins = BTreeMap<String, KeyOrigin>;

/// Where the value of a key is from.
#[derive(Debug)]
pub(crate) struct KeyOrigin {
    pub(crate) place: String,
    /// Of what it is: the higher ones go over the lower ones.
    pub(crate) rank: u8,
    /// A variable or a flag.
    pub(crate) of_process: bool,
}

impl Config {
    /// A section, and where what is said of its keys is from; not of items of lists. It reads files once more, for their lines.
    pub(crate) fn section_with_origins<C: DeserializeOwned + Default>(&self, name: &str) -> Result<(C, Origins)> {
        let (value, outcome) = extract(Named::plain(name), &self.entries(name), Depth::Top);
        let (value, outcome) = outcome.sound(value)?;
        // a file with many keys is read once for all of them
        let mut places = BTreeMap::new();
        let keys = outcome.notes.origins.iter().filter(|(_, spot)| matches!(spot.way.last(), Some(Step::Key(_))));
        let origin = |(path, spot): (&Vec<String>, &Spot)| {
            let place = outcome.layers.place_of_key(spot, &mut places).to_string();
            let (rank, of_process) = (outcome.layers.rank(spot.entry), outcome.layers.is_process(spot.entry));
            (path.join("."), KeyOrigin { place, rank, of_process })
        };
        let mut origins = Origins::new();
        origins.extend(keys.map(origin));
        Ok((value, origins))
    }
}
