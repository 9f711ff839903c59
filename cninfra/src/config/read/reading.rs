//! [`Reading`]: one reading of a section, and what is noted during it.

use super::named::Named;
use crate::{
    config::{
        said::{
            layers::{Dropped, Layers},
            shape::Kind,
        },
        written::way::Step,
        wrong::{
            failure::{Failed, Failure, PANICKED, What, shortened},
            mistake::Mistake,
            spot::Spot,
        },
    },
    foreign::Panic,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Which layers the value is from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Reads {
    All,
    /// From a part of the layers, or from one that is overridden: a file that holds a secret need not exist.
    OneLayer,
    /// A value that nobody has written, to see what the type says about it.
    Trial,
}

/// One reading of a section.
pub(in crate::config) struct Reading<'a> {
    pub(in crate::config) section: Named<'a>,
    pub(in crate::config) layers: &'a Layers,
    /// Values that were found wrong in an earlier reading, and are left out of this one.
    pub(in crate::config) dropped: &'a Dropped,
    /// The place at which the type is only asked what it wants, if it is.
    pub(in crate::config) asked: Option<&'a [Step]>,
    pub(in crate::config) reads: Reads,
    pub(in crate::config) notes: RefCell<Notes>,
}

impl Reading<'_> {
    /// Begins to read the value at this spot. Returns its depth, for [`leave`](Reading::leave).
    pub(in crate::config) fn enter(&self, spot: Spot) -> usize {
        let mut notes = self.notes.borrow_mut();
        notes.last_failure = None;
        notes.being_read.push(ValueBeingRead { spot, is_buffered: false });
        notes.being_read.len() - 1
    }

    /// Ends reading the value at this depth, and any deeper ones that are left over because the type has caught a
    /// panic.
    pub(super) fn leave(&self, depth: usize) -> Option<Spot> {
        let mut notes = self.notes.borrow_mut();
        notes.last_failure = None;
        notes.being_read.truncate(depth + 1);
        notes.being_read.pop().map(|being_read| being_read.spot)
    }

    /// The same if reading it failed. The failure keeps its spot if it has one: that is further in.
    pub(super) fn leave_failed(&self, depth: usize, mut failure: Failed) -> Failed {
        let last_failure = self.notes.borrow_mut().last_failure.take();
        let spot = self.leave(depth);
        failure.spot = failure.spot.take().or(spot);
        self.notes.borrow_mut().last_failure = last_failure.or_else(|| Some(failure.clone()));
        failure
    }

    /// Notes that serde buffers the value that is being read: a mistake in it has no place of its own.
    pub(super) fn note_buffering(&self) {
        if let Some(being_read) = self.notes.borrow_mut().being_read.last_mut() {
            being_read.is_buffered = true;
        }
    }

    /// Turns a panic of the type into a failure at the innermost value that was being read. If a value has just failed,
    /// its failure is returned instead: then it was values read beside it that panicked, when they were dropped.
    pub(in crate::config) fn failure_of_panic(&self, panic: Panic) -> Failed {
        let mut notes = self.notes.borrow_mut();
        if let Some(last_failure) = notes.last_failure.take() {
            return last_failure;
        }
        let being_read = notes.being_read.pop();
        notes.panicked_there = being_read.as_ref().is_some_and(|being_read| !being_read.is_buffered);
        let what = What::Says(format!("{PANICKED}{}", shortened(panic)));
        Box::new(Failure { what, spot: being_read.map(|being_read| being_read.spot) })
    }
}

/// A value that is being read. `is_buffered`: serde buffers it before its type is known.
struct ValueBeingRead {
    spot: Spot,
    is_buffered: bool,
}

/// What is noted during a reading.
#[derive(Default)]
pub(in crate::config) struct Notes {
    /// The help for the last unknown key, if there was one.
    pub(in crate::config) unknown_key_help: Option<String>,
    /// The known keys that unknown ones were probably meant to be.
    pub(in crate::config) meant: Vec<String>,
    /// Unknown keys and other mistakes that do not stop the reading.
    pub(in crate::config) mistakes: Vec<(Spot, Mistake)>,
    /// Where each key's value comes from.
    pub(in crate::config) origins: BTreeMap<Vec<String>, Spot>,
    /// The paths of structs, whose keys are fields.
    pub(in crate::config) structs: BTreeSet<Vec<String>>,
    /// The paths of enums.
    pub(in crate::config) choices: BTreeSet<Vec<String>>,
    /// The paths of the standard library's durations.
    pub(in crate::config) durations: BTreeSet<Vec<String>>,
    /// The agent's keys, if the section's type has no such keys.
    pub(in crate::config) agent_keys: BTreeMap<String, Spot>,
    /// The agent's keys that do not hold: overridden ones, and second spellings.
    pub(in crate::config) overridden_agent_keys: Vec<(String, Spot)>,
    /// The paths of secrets that are in files, with those files. The last one is that of the secret being read.
    pub(in crate::config) secret_files: Vec<(Vec<String>, PathBuf)>,
    /// The files of secrets, and their contents.
    pub(in crate::config) secrets: Vec<(PathBuf, String)>,
    /// Numbers too large for an `f32`, where it is not known whether the type wants one.
    pub(in crate::config) large: Vec<Spot>,
    /// The names of plugins that were read.
    pub(in crate::config) plugins: Vec<(Spot, String)>,
    /// The values that are being read, the outermost first.
    being_read: Vec<ValueBeingRead>,
    /// The last failure, as long as nothing was read after it.
    last_failure: Option<Failed>,
    /// The type panicked while it read exactly the value that is reported, without serde's buffering in between.
    pub(in crate::config) panicked_there: bool,
    /// The contents of secrets, for tests that no message shows them.
    #[cfg(feature = "testing")]
    pub(in crate::config) secret_texts: Vec<String>,
    /// What the type wants at the place where it was asked.
    pub(super) wanted_kind: Option<Kind>,
    pub(super) wanted_optional: bool,
    /// That place is a secret, or inside one.
    pub(super) wanted_secret: bool,
    /// The type accepts any mapping there.
    pub(super) wanted_open: bool,
}
