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
            failure::{Failed, Failure, PANICKED, What, brief},
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
        notes.failed = None;
        notes.within.push(Within { spot, puts_by: false });
        notes.within.len() - 1
    }

    /// Ends reading the value at this depth, and any deeper ones that are left over because the type has caught a
    /// panic.
    pub(super) fn leave(&self, depth: usize) -> Option<Spot> {
        let mut notes = self.notes.borrow_mut();
        notes.failed = None;
        notes.within.truncate(depth + 1);
        notes.within.pop().map(|within| within.spot)
    }

    /// The same if reading it failed. The failure keeps its spot if it has one: that is further in.
    pub(super) fn leave_by(&self, depth: usize, mut failure: Failed) -> Failed {
        let failed = self.notes.borrow_mut().failed.take();
        let spot = self.leave(depth);
        failure.spot = failure.spot.take().or(spot);
        self.notes.borrow_mut().failed = failed.or_else(|| Some(failure.clone()));
        failure
    }

    /// Notes that serde buffers the value that is being read: a mistake in it has no place of its own.
    pub(super) fn puts_by(&self) {
        if let Some(within) = self.notes.borrow_mut().within.last_mut() {
            within.puts_by = true;
        }
    }

    /// Turns a panic of the type into a failure at the innermost value that was being read. If a value has just failed,
    /// its failure is returned instead: then it was values read beside it that panicked, when they were dropped.
    pub(in crate::config) fn panicked(&self, panic: Panic) -> Failed {
        let mut notes = self.notes.borrow_mut();
        if let Some(failed) = notes.failed.take() {
            return failed;
        }
        let within = notes.within.pop();
        notes.panicked_there = within.as_ref().is_some_and(|within| !within.puts_by);
        let what = What::Says(format!("{PANICKED}{}", brief(panic)));
        Box::new(Failure { what, spot: within.map(|within| within.spot) })
    }
}

/// A value that is being read. `puts_by`: serde buffers it before its type is known.
struct Within {
    spot: Spot,
    puts_by: bool,
}

/// What is noted during a reading.
#[derive(Default)]
pub(in crate::config) struct Notes {
    /// The help for the last unknown key, if there was one.
    pub(in crate::config) unknown: Option<String>,
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
    pub(in crate::config) times: BTreeSet<Vec<String>>,
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
    within: Vec<Within>,
    /// The last failure, as long as nothing was read after it.
    failed: Option<Failed>,
    /// The type panicked while it read exactly the value that is reported, without serde's buffering in between.
    pub(in crate::config) panicked_there: bool,
    /// The contents of secrets, for tests that no message shows them.
    #[cfg(feature = "testing")]
    pub(in crate::config) hidden: Vec<String>,
    /// What the type wants at the place where it was asked.
    pub(super) told: Option<Kind>,
    pub(super) told_optional: bool,
    /// That place is a secret, or inside one.
    pub(super) told_secret: bool,
    /// The type accepts any mapping there.
    pub(super) told_open: bool,
}
