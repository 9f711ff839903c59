//! [`History`]: a checker for the events of a watch.
//!
//! It shares no code with what it checks: a history consists of what a writer did ([`Step`]), what a watch reported
//! ([`Seen`]), and what the store contains at the end, as another client reads it ([`Item`]). With the feature
//! `keyval`, `Seen::from` converts an event of `cninfra::keyval`.
//!
//! There is a single writer, which does one write after the other. Each put has a value of its own, so that a value
//! identifies its write. The watcher watches one range, which contains all keys of the writer.
//!
//! ```
//! use cninfra_testbed::history::{Cause, Fault, History, Item, Seen, Step, Write};
//!
//! let change = |revision, key: &str, value| Seen::changes(Some(revision), [(key, value)]);
//! let mut history = History {
//!     steps: vec![Write::put("a", "1").applied(2), Write::put("b", "2").unknown(), Write::delete("a").applied(4)],
//!     seen: vec![
//!         Seen::SnapshotBegin(Cause::Start),
//!         Seen::SnapshotEnd(Some(1)),
//!         change(2, "a", Some("1")),
//!         change(3, "b", Some("2")),
//!         change(4, "a", None),
//!     ],
//!     end: vec![Item::new("b", "2", Some(3))],
//!     ..History::default()
//! };
//! history.check_revisions().unwrap();
//!
//! history.seen.remove(2);
//! let wrong = history.check_revisions().unwrap_err();
//! assert_eq!((wrong.fault, wrong.event), (Fault::Lost, Some(2)));
//! assert_eq!(wrong.to_string(), "event 2: lost: `a` = `1` of revision 2 was not told before revision 3");
//! ```

mod convergence;
#[cfg(feature = "keyval")]
mod convert;
mod epoch;
mod event;
mod replay;
mod revisions;
mod wrong;

pub use event::{Cause, Item, Seen};
pub use replay::{rounds, seed};
pub use wrong::{Fault, ReportCounts, Wrong};

/// What a writer did, what a watch reported, and what the store contains at the end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// In the order of the writer.
    pub steps: Vec<Step>,
    /// In the order of the watcher.
    pub seen: Vec<Seen>,
    /// Everything in the store, once all writes are done and the watch has reported everything.
    pub end: Vec<Item>,
    /// For a watch that begins without a snapshot: its first revision.
    pub from: Option<u64>,
}

/// What happened to the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A write.
    Write(Write),
    /// The history before this revision was compacted.
    Compacted(u64),
    /// All data was lost, and the revisions start again.
    Wiped,
    /// Acknowledged writes may be lost, since another server took over that did not have all of them. Only in stores
    /// without revisions.
    RolledBack,
}

/// A write of one key. A transaction is several writes with the same revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// The key.
    pub key: String,
    /// The value, which no other write has; `None` for a delete.
    pub value: Option<String>,
    /// What the writer knows about it.
    pub outcome: Outcome,
}

/// What the writer knows about a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was acknowledged, with this revision in stores that have revisions.
    Applied(Option<u64>),
    /// It may have been applied, or may be applied later. Also for a delete caused by the end of a lease or of a key's
    /// time to live, which the writer adds.
    Unknown,
    /// It changed nothing: it was refused, or the key to delete did not exist.
    Nothing,
}

impl Write {
    /// A put whose outcome is not known yet: see [`applied`](Write::applied), [`unknown`](Write::unknown).
    #[must_use]
    pub fn put(key: &str, value: &str) -> Write {
        Write { key: key.to_string(), value: Some(value.to_string()), outcome: Outcome::Unknown }
    }

    /// A delete whose outcome is not known yet.
    #[must_use]
    pub fn delete(key: &str) -> Write {
        Write { key: key.to_string(), value: None, outcome: Outcome::Unknown }
    }

    /// It was acknowledged with this revision.
    #[must_use]
    pub fn applied(self, revision: u64) -> Step {
        Step::Write(Write { outcome: Outcome::Applied(Some(revision)), ..self })
    }

    /// It was acknowledged, by a store without revisions.
    #[must_use]
    pub fn acknowledged(self) -> Step {
        Step::Write(Write { outcome: Outcome::Applied(None), ..self })
    }

    /// It is not known whether it was applied.
    #[must_use]
    pub fn unknown(self) -> Step {
        Step::Write(Write { outcome: Outcome::Unknown, ..self })
    }

    /// It changed nothing.
    #[must_use]
    pub fn nothing(self) -> Step {
        Step::Write(Write { outcome: Outcome::Nothing, ..self })
    }
}

impl History {
    /// Checks the guarantee of stores with revisions: no change that the store still had is lost, and none is reported
    /// twice, out of order, or with a wrong value; a snapshot is the state of its revision, and never older than what
    /// was reported before; the final state of the watcher is that of the store.
    ///
    /// Changes may be left out only by a snapshot whose cause allows that: [`Cause::Compacted`] if the history after
    /// the last reported change was compacted, [`Cause::Regressed`] and [`Cause::Replaced`] if the store was wiped, and
    /// what the watcher chose or requested.
    ///
    /// # Errors
    /// The first wrong event.
    pub fn check_revisions(&self) -> Result<ReportCounts, Wrong> {
        revisions::check(self)
    }

    /// Checks the guarantee of stores without revisions: each key is reported in the order of its writes, of which some
    /// may be left out; no value is reported that was never written, and no delete that did not happen; the final state
    /// of the watcher is that of the store.
    ///
    /// # Errors
    /// The first wrong event.
    pub fn check_convergence(&self) -> Result<ReportCounts, Wrong> {
        convergence::check(self)
    }

    fn writes(&self) -> impl Iterator<Item = &Write> {
        self.steps.iter().filter_map(|step| if let Step::Write(write) = step { Some(write) } else { None })
    }

    /// Whether this value was ever written to this key.
    fn was_written(&self, key: &str, value: &str) -> bool {
        self.writes().any(|write| write.key == key && write.value.as_deref() == Some(value))
    }

    /// The fault of a value that differs from the expected one.
    fn fault_of(&self, key: &str, value: Option<&str>) -> Fault {
        match value {
            Some(value) if self.was_written(key, value) => Fault::Stale,
            _ => Fault::Phantom,
        }
    }
}

/// A key with its value, for messages.
fn shown(key: &str, value: Option<&str>) -> String {
    value.map_or_else(|| format!("the delete of `{key}`"), |value| format!("`{key}` = `{value}`"))
}
