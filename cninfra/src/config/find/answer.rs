//! What is done about a failure: its mistake is found and reported, and the next reading is changed so that it gets
//! further.

use super::{
    again::Scope,
    culprit::{Culprit, Nearness, culprit},
    elsewhere::texts_elsewhere,
    items::what_to_leave_out,
    left_out::has_other_name,
    looks,
    mistakes::{At, Mistakes},
    trial::{MadeUp, Trial},
};
use crate::config::{
    read::reading::{Notes, Reads},
    written::way::{Way, inner},
    wrong::{failure::What, spot::Spot},
};
use figment::value::Value;

/// A reading that failed.
#[derive(Clone, Copy)]
pub(super) struct FailedReading<'r> {
    /// All that was read.
    pub(super) all: &'r Trial<'r>,
    pub(super) notes: &'r Notes,
    pub(super) made_up: &'r MadeUp,
    pub(super) scope: Scope<'r>,
}

/// In what the next reading differs from the one that failed.
pub(super) enum Change {
    /// Texts are read as texts, in spite of what they look like.
    TextsRestored,
    /// A value that overrides a mapping of lower layers is left out. It has been reported.
    OverridingLeftOut((usize, Way)),
    /// What is wrong at these places is left out.
    LeftOut(Vec<(usize, Way)>),
    /// This value is put in the place of something missing or wrong.
    MadeUp(Way, Value),
    /// The made-up value with this index did not fit, and is left out.
    Misfit(usize),
}

impl Mistakes<'_> {
    /// Reports the mistake behind this failure, unless it only follows from another one. `has_looked_elsewhere`: all
    /// texts that look like something else have been tried.
    pub(super) fn answer(
        &mut self,
        mut what: What,
        around: Spot,
        failed: FailedReading<'_>,
        has_looked_elsewhere: &mut bool,
    ) -> Change {
        let FailedReading { all, notes, made_up, scope } = failed;
        let (value, dropped) = all.reduced_to(&around.way);
        let trial = trial_of((&what, &around), &all.of_part(&value, &dropped), failed);
        if self.restore_texts((&what, &around), &trial, all, has_looked_elsewhere) {
            return Change::TextsRestored;
        }
        let may_report = scope.reads == Reads::All || !self.is_expected_of_part(&what, &around);
        // If a key is set by two of its names, one of them has been read.
        match what {
            What::Twice(_) => self.named_twice.push(around.path.clone()),
            _ => self.is_incomplete = true,
        }
        let is_searched = may_report && !notes.panicked_there;
        let found = if is_searched { culprit(&what, &around, &trial, made_up) } else { None };
        let Culprit { spot, left_out_len, fits, nearness } = found.unwrap_or_else(|| Culprit {
            spot: around.clone(),
            left_out_len: around.way.len(),
            fits: None,
            nearness: Nearness::Within,
        });
        let is_of_mapping =
            matches!(what, What::Missing { .. }) || matches!(what, What::Says(_)) && self.layers.is_mapping(&spot);
        if is_of_mapping
            && scope.reads == Reads::All
            && let Some(overriding) = self.report_overriding(&spot, all)
        {
            return Change::OverridingLeftOut(overriding);
        }
        let lacks = match &what {
            What::Missing { field, .. } => Some(inner(&spot.way, field)),
            _ => fits.is_some().then(|| spot.way.clone()),
        };
        let at = At { spot: &spot, nearness };
        let follows = follows_from_made_up(lacks.as_ref(), at, made_up);
        let fits = fits.filter(|_| !follows);
        if let (What::Missing { others, .. }, true) = (&mut what, fits.is_some()) {
            // Each of them is reported by itself.
            others.clear();
        }
        let (left_out_len, item) = match &fits {
            Some(_) => (left_out_len, None),
            None => what_to_leave_out(&spot.way[..left_out_len], (&what, &around), made_up, &trial),
        };
        let fitting = lacks.as_ref().zip(fits.as_ref());
        let is_there = fitting.is_some_and(|(way, fits)| is_set(way, fits, all));
        if may_report && !follows && !is_there {
            self.report(&what, at, notes, all.dropped, &trial);
        }
        if let Some(lacks) = lacks.as_ref().filter(|_| may_report && !follows && fits.is_none())
            && self.searched.is_none()
            && !all.is_spent()
        {
            self.report_for_any_variant((lacks, &around.way), (&trial, made_up), scope);
        }
        let is_misfit = |(way, value): &(Way, Option<Value>)| value.is_some() && spot.way.starts_with(way);
        if let Some(at) = made_up.iter().position(is_misfit) {
            return Change::Misfit(at);
        }
        match lacks.zip(fits).or(item) {
            Some((way, fits)) => Change::MadeUp(way, fits),
            None => {
                let of = scope.layers.clone().filter(|_| is_of_mapping);
                Change::LeftOut(self.places_to_leave_out(spot, left_out_len, of))
            }
        }
    }

    /// Finds the texts without which this failure does not occur if they are read as texts, and those elsewhere. Are
    /// there any?
    fn restore_texts(
        &mut self,
        failure: (&What, &Spot),
        trial: &Trial<'_>,
        all: &Trial<'_>,
        has_looked_elsewhere: &mut bool,
    ) -> bool {
        let mut texts = looks::texts_to_restore(failure, trial, &mut self.text_budget);
        // A text that has already been restored is of no use again.
        texts.retain(|text| !self.restored_texts.iter().any(|restored| restored.contains(text)));
        if texts.is_empty() {
            return false;
        }
        self.keep_as_texts(texts);
        if !std::mem::replace(has_looked_elsewhere, true) {
            let texts = texts_elsewhere(all, &mut self.text_budget);
            self.keep_as_texts(texts);
        }
        true
    }

    /// If a value that overrides the mapping of a lower layer is wrong itself, without what higher layers say about it,
    /// that is the mistake. It is reported, and its place returned.
    fn report_overriding(&mut self, spot: &Spot, all: &Trial<'_>) -> Option<(usize, Way)> {
        let (number, way) = self.layers.whole_over_parts(spot, all.dropped)?;
        let above = (0..number).map(|above| (above, way.clone()));
        let mut without = all.dropped.iter().cloned().chain(above).collect();
        let layers = &self.layers.numbers();
        self.search(Scope { read: all.read, reads: Reads::OneLayer, layers }, &mut without);
        self.has_reported_within(number, &way).then_some((number, way))
    }

    /// The places of a wrong value. A mapping that is wrong as a whole is left out of all the layers that say a part of
    /// it (`of`), and not reported for each.
    fn places_to_leave_out(&mut self, spot: Spot, len: usize, of: impl Iterator<Item = usize>) -> Vec<(usize, Way)> {
        let layers = self.layers;
        let parts = of.map(|entry| Spot { entry, ..spot.clone() });
        let parts: Vec<_> = parts.filter(|part| layers.is_mapping(part)).collect();
        // But a layer by itself is still read with its own part of the mapping.
        let is_of_merge_only = |part: &&Spot| part.entry != spot.entry || !layers.is_taken_whole(part);
        let of_merge_only = parts.iter().filter(is_of_merge_only).map(|part| (part.entry, part.way.clone()));
        self.dropped_from_merge_only.extend(of_merge_only);
        parts.into_iter().chain([spot]).map(|part| (part.entry, part.way[..len].to_vec())).collect()
    }
}

/// The trial with which this failure is searched: `near`, with no more than what is around its place, if it occurs
/// there, too.
fn trial_of<'r>((what, spot): (&What, &Spot), near: &Trial<'r>, failed: FailedReading<'r>) -> Trial<'r> {
    let all = failed.all;
    // The place of this panic is known. To search for it, the type would have to panic again and again.
    if failed.notes.panicked_there {
        return *all;
    }
    if near.is_much_smaller_than(all) && !all.is_spent() && near.fails_with(what, spot) {
        return *near;
    }
    Trial { is_unsteady: !all.is_spent() && all.is_reworded(what), ..*all }
}

/// Nobody has written what was made up, so failures about that, or about anything around it, are not reported. `lacks`:
/// the key that is missing, if one is.
fn follows_from_made_up(lacks: Option<&Way>, at: At<'_>, made_up: &MadeUp) -> bool {
    let spot = at.spot;
    made_up.iter().any(|(way, _)| match lacks {
        Some(lacks) => lacks.starts_with(way) || at.nearness == Nearness::Within && way.starts_with(&spot.way),
        None => spot.way.starts_with(way) || way.starts_with(&spot.way),
    })
}

/// Is this missing key set, maybe by another name, but left out?
fn is_set(way: &Way, fits: &Value, all: &Trial<'_>) -> bool {
    all.dropped.iter().any(|(_, other)| other == way) || has_other_name(way, fits, all)
}
