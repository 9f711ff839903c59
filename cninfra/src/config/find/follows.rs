//! Recognises failures that only follow from a mistake that is already reported.

use super::{
    culprit::Nearness,
    mistakes::{At, Mistakes},
    trial::Trial,
};
use crate::config::{
    read::reading::Notes,
    said::{layers::Dropped, meant::other_form},
    written::{
        key::{kebab, nearest, same},
        way::{Step, Way},
    },
    wrong::{failure::What, spot::Spot},
};

impl Mistakes<'_> {
    /// Is the failure to be expected in one of several layers, since each of them may say a part of a mapping?
    pub(super) fn is_expected_of_part(&self, what: &What, spot: &Spot) -> bool {
        match what {
            What::NoContent => self.layers.has_content_elsewhere(spot),
            // No other layer adds to the value.
            _ if self.layers.is_taken_whole(spot) => false,
            What::Missing { .. } => true,
            What::Says(_) => self.layers.is_mapping(spot),
            _ => false,
        }
    }

    /// Does the failure follow from a mistake that is already reported, or from a file that does not answer?
    pub(super) fn follows(&self, what: &What, at: At<'_>, notes: &Notes, dropped: &Dropped, trial: &Trial<'_>) -> bool {
        let spot = at.spot;
        if self.layers.is_partial && self.is_expected_of_part(what, spot) {
            return true;
        }
        match what {
            What::Missing { field, .. } => self.is_reported(field, at, notes, dropped, trial),
            What::Twice(field) => !self.is_twice_in_files(field, spot, notes),
            // A part of the mapping has been left out, maybe a part from another layer.
            What::Says(_) if self.layers.is_mapping(spot) => dropped.iter().any(|(_, way)| is_within(spot, way)),
            What::Takes(_) | What::NoVariant { .. } | What::Variants { .. } | What::Says(_) => {
                dropped.iter().any(|(entry, way)| *entry == spot.entry && is_within(spot, way))
            }
            What::NoContent
            | What::NoSecret
            | What::OfFile(..)
            | What::Unknown { .. }
            | What::Unanswered(_)
            | What::Asked => false,
        }
    }

    /// Has something been reported about this key of a mapping: that its value is wrong, or that it is misspelled?
    pub(super) fn is_reported(
        &self,
        field: &str,
        At { spot, nearness }: At<'_>,
        notes: &Notes,
        dropped: &Dropped,
        trial: &Trial<'_>,
    ) -> bool {
        let is_field = |key: &str| same(key, field) || same(key, &other_form(field));
        let is_key = |step: Option<&Step>| matches!(step, Some(Step::Key(key)) if is_field(key));
        // A list is read as the keys of an enum, one after the other.
        let is_item = |step: Option<&Step>| matches!(step, Some(Step::Index(_)));
        // In a value that serde buffers, the key may be further in, if its place is not known exactly.
        let may_be_further_in = || nearness == Nearness::Within && !trial.takes_any_spelling(spot, field);
        let is_of_field = |(_, way): &&(usize, Way)| {
            let inner = way.get(spot.way.len());
            is_key(inner) || is_item(inner) || is_key(way.last()) && may_be_further_in()
        };
        let misspelled = |way: &Way| match way.split_last() {
            Some((Step::Key(key), around)) => around == spot.way && nearest(key, [field]).is_some(),
            _ => false,
        };
        let unknown = notes.mistakes.iter().map(|(other, _)| &other.way);
        let unknown = unknown.chain(self.unknown_keys.iter().map(|(_, way)| way));
        dropped.iter().filter(|(_, way)| is_within(spot, way)).any(|place| is_of_field(&place))
            || unknown.into_iter().any(misspelled)
    }

    /// Have files set both names of a key? That is a mistake. Otherwise the name in the higher layer holds: it was read
    /// first.
    fn is_twice_in_files(&self, field: &str, spot: &Spot, notes: &Notes) -> bool {
        let is_file = |entry: usize| self.layers.is_file(entry);
        let around = &spot.path[..spot.path.len().saturating_sub(1)];
        let mut siblings =
            notes.origins.iter().filter(|(path, _)| path.split_last().is_some_and(|(_, before)| before == around));
        match siblings.clone().find(|(path, _)| path.last().is_some_and(|key| *key == kebab(field))) {
            Some((_, other)) => is_file(spot.entry) && is_file(other.entry),
            // Serde does not say which key is the other name.
            None => is_file(spot.entry) && siblings.all(|(_, other)| is_file(other.entry) || other.entry > spot.entry),
        }
    }
}

/// Is this way inside the spot?
fn is_within(spot: &Spot, way: &Way) -> bool {
    way.len() > spot.way.len() && way.starts_with(&spot.way)
}
