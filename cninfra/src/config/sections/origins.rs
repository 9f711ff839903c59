//! [`Origins`]: where the value of each key in a section comes from.

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

/// Origins by the paths of their keys, with the parts separated by dots.
pub(crate) type Origins = BTreeMap<String, KeyOrigin>;

/// Where the value of a key comes from.
#[derive(Debug)]
pub(crate) struct KeyOrigin {
    pub(crate) place: String,
    /// The kind of source: a higher rank overrides a lower one.
    pub(crate) rank: u8,
    /// Is it a variable or a flag?
    pub(crate) of_process: bool,
}

impl Config {
    /// Reads a section, and where the values of its keys come from (but not of items in lists). Files are parsed again
    /// to find the lines.
    pub(crate) fn section_with_origins<C: DeserializeOwned + Default>(&self, name: &str) -> Result<(C, Origins)> {
        let (value, outcome) = extract(Named::plain(name), &self.entries(name), Depth::Top);
        let (value, outcome) = outcome.sound(value)?;
        // A file is parsed once for all of its keys.
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
