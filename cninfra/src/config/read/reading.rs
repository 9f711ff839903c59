//! [`Reading`]: one reading of a section, and what is seen on the way.

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

/// Of which layers a value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Reads {
    All,
    /// It is a part of what holds, or is overridden: files that it names may not be there.
    OneLayer,
    /// It is no value of the section, but tried.
    Trial,
}

/// One reading of a section.
pub(in crate::config) struct Reading<'a> {
    pub(in crate::config) section: Named<'a>,
    pub(in crate::config) layers: &'a Layers,
    /// Values that were found wrong in an earlier reading: they are not there any more.
    pub(in crate::config) dropped: &'a Dropped,
    /// Where the type is only asked what it wants.
    pub(in crate::config) asked: Option<&'a [Step]>,
    pub(in crate::config) reads: Reads,
    pub(in crate::config) notes: RefCell<Notes>,
}

impl Reading<'_> {
    /// Goes in to what is read there; who comes out again says from how far in.
    pub(in crate::config) fn enter(&self, spot: Spot) -> usize {
        let mut notes = self.notes.borrow_mut();
        notes.failed = None;
        notes.within.push(Within { spot, puts_by: false });
        notes.within.len() - 1
    }

    /// Comes out again. Further in than that a type may have caught a panic of its own.
    pub(super) fn leave(&self, depth: usize) -> Option<Spot> {
        let mut notes = self.notes.borrow_mut();
        notes.failed = None;
        notes.within.truncate(depth + 1);
        notes.within.pop().map(|within| within.spot)
    }

    /// The same where something is wrong: the innermost place of it stays.
    pub(super) fn leave_by(&self, depth: usize, mut failure: Failed) -> Failed {
        let failed = self.notes.borrow_mut().failed.take();
        let spot = self.leave(depth);
        failure.spot = failure.spot.take().or(spot);
        self.notes.borrow_mut().failed = failed.or_else(|| Some(failure.clone()));
        failure
    }

    /// What is read here is put by before the type is known: what is wrong in there has no place of its own.
    pub(super) fn puts_by(&self) {
        if let Some(within) = self.notes.borrow_mut().within.last_mut() {
            within.puts_by = true;
        }
    }

    /// What a panic of the type is as a failure: it was where the reading was. Where something was wrong already, it was about what has been read beside that, and has
    /// been dropped.
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

/// What is being read.
struct Within {
    spot: Spot,
    puts_by: bool,
}

/// What is seen on the way.
#[derive(Default)]
pub(in crate::config) struct Notes {
    /// What to do about a key that nobody knows, where one was met.
    pub(in crate::config) unknown: Option<String>,
    /// What was probably meant by them.
    pub(in crate::config) meant: Vec<String>,
    /// Keys that nobody knows, and the like: what does not stop the reading.
    pub(in crate::config) mistakes: Vec<(Spot, Mistake)>,
    /// Where each key's value comes from.
    pub(in crate::config) origins: BTreeMap<Vec<String>, Spot>,
    /// Paths whose keys are fields of a type.
    pub(in crate::config) structs: BTreeSet<Vec<String>>,
    /// Paths of choices.
    pub(in crate::config) choices: BTreeSet<Vec<String>>,
    /// Paths of lengths of time of the standard library.
    pub(in crate::config) times: BTreeSet<Vec<String>>,
    /// The agent's keys, where the section's type has no such keys.
    pub(in crate::config) agent_keys: BTreeMap<String, Spot>,
    /// Where others than those that hold stand: overridden ones, and second spellings.
    pub(in crate::config) overridden_agent_keys: Vec<(String, Spot)>,
    /// The files that secrets stand in, with the paths of these. The last one is that of the secret that is read.
    pub(in crate::config) secret_files: Vec<(Vec<String>, PathBuf)>,
    /// The files of secrets, and what they hold.
    pub(in crate::config) secrets: Vec<(PathBuf, String)>,
    /// Numbers that an `f32` can not hold, of which the type does not say beforehand what it wants.
    pub(in crate::config) large: Vec<Spot>,
    /// Names of plugins.
    pub(in crate::config) plugins: Vec<(Spot, String)>,
    /// What is being read, from the outside inwards.
    within: Vec<Within>,
    /// What has gone wrong, as long as no more has been read since then.
    failed: Option<Failed>,
    /// The type panicked, and at the very place that is told.
    pub(in crate::config) panicked_there: bool,
    /// What secrets hold, for who looks whether it is told.
    #[cfg(feature = "testing")]
    pub(in crate::config) hidden: Vec<String>,
    /// What the type wants where it was asked.
    pub(super) told: Option<Kind>,
    pub(super) told_optional: bool,
    /// It is a secret there, or in one.
    pub(super) told_secret: bool,
    /// It takes whatever mapping it is given there.
    pub(super) told_open: bool,
}
