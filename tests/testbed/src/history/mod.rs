//! A checker of what a watcher was told: [`History`].
//!
//! It knows nothing of the code that it checks: a history is made of what a writer did ([`Step`]), what a watcher was told ([`Seen`]), and what is in the store at the end, as another client
//! reads it ([`Item`]). With the feature `keyval`, `Seen::from` takes an event of `cninfra::keyval`.
//!
//! One writer does one write after the other, each put with a value of its own, so that a value says which write it is of. The watcher watches one range, which holds all
//! keys of the writer.
//!
//! ```
//! use cninfra_testbed::history::{Cause, Fault, History, Item, Seen, Step, Write};
//!
//! let told = |revision, key: &str, value| Seen::changes(Some(revision), [(key, value)]);
//! let mut history = History {
//!     steps: vec![Write::put("a", "1").applied(2), Write::put("b", "2").unknown(), Write::delete("a").applied(4)],
//!     seen: vec![
//!         Seen::SnapshotBegin(Cause::Start),
//!         Seen::SnapshotEnd(Some(1)),
//!         told(2, "a", Some("1")),
//!         told(3, "b", Some("2")),
//!         told(4, "a", None),
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
mod replay;
mod revisions;
mod told;
mod wrong;

pub use replay::{rounds, seed};
pub use told::{Cause, Item, Seen};
pub use wrong::{Fault, Told, Wrong};

/// What a writer did, what a watcher was told, and what is there at the end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// In the order of the writer.
    pub steps: Vec<Step>,
    /// In the order of the watcher.
    pub seen: Vec<Seen>,
    /// All that is in the store when nothing is written any more, and the watcher has been told all that it will be told.
    pub end: Vec<Item>,
    /// For a watch that begins without a snapshot: its first revision.
    pub from: Option<u64>,
}

/// What happened to the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A write.
    Write(Write),
    /// The history before this revision was thrown away.
    Compacted(u64),
    /// All data was lost, and revisions begin again.
    Wiped,
    /// Acknowledged writes may be lost: another server took over, which had not all of them. In stores without revisions only.
    RolledBack,
}

/// A write of one key. A transaction is some with the same revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// The key.
    pub key: String,
    /// The value, which no other write has; `None` for a delete.
    pub value: Option<String>,
    /// What the writer knows of it.
    pub outcome: Outcome,
}

/// What the writer knows of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was acknowledged, with this revision in stores that have them.
    Applied(Option<u64>),
    /// It may have been applied, or be applied later. So it is with a delete by the end of a lease or of a key's time, which the writer adds.
    Unknown,
    /// It has changed nothing: it was refused, or what it should delete was not there.
    Nothing,
}

impl Write {
    /// A put, of which nothing is known yet: see [`applied`](Write::applied), [`unknown`](Write::unknown).
    #[must_use]
    pub fn put(key: &str, value: &str) -> Write {
        Write { key: key.to_string(), value: Some(value.to_string()), outcome: Outcome::Unknown }
    }

    /// A delete, of which nothing is known yet.
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

    /// Nobody knows whether it was applied.
    #[must_use]
    pub fn unknown(self) -> Step {
        Step::Write(Write { outcome: Outcome::Unknown, ..self })
    }

    /// It has changed nothing.
    #[must_use]
    pub fn nothing(self) -> Step {
        Step::Write(Write { outcome: Outcome::Nothing, ..self })
    }
}

impl History {
    /// Checks the promise of stores with revisions: no change is lost that the store still had, none is told twice, out of order, or with what it is not; snapshots are the state of
    /// their revision, and never an older one than was told; the state that the watcher ends with is the store's.
    ///
    /// Changes may be left out only by a snapshot whose cause allows it: [`Cause::Compacted`] where the history after what was told is compacted, [`Cause::Regressed`] and [`Cause::Replaced`] where the store was
    /// wiped, and what the watcher chose or asked for.
    ///
    /// # Errors
    /// The first event that is wrong.
    pub fn check_revisions(&self) -> Result<Told, Wrong> {
        revisions::check(self)
    }

    /// Checks the promise of stores without revisions: each key is told in the order of its writes, where writes may be left out; nothing that was never written is told, no delete that was none; the
    /// state that the watcher ends with is the store's.
    ///
    /// # Errors
    /// The first event that is wrong.
    pub fn check_convergence(&self) -> Result<Told, Wrong> {
        convergence::check(self)
    }

    fn writes(&self) -> impl Iterator<Item = &Write> {
        self.steps.iter().filter_map(|step| if let Step::Write(write) = step { Some(write) } else { None })
    }

    /// Whether this value was ever written to this key.
    fn was_written(&self, key: &str, value: &str) -> bool {
        self.writes().any(|write| write.key == key && write.value.as_deref() == Some(value))
    }

    /// What is wrong about a value that is not the one it should be.
    fn not_this(&self, key: &str, value: Option<&str>) -> Fault {
        match value {
            Some(value) if self.was_written(key, value) => Fault::Stale,
            _ => Fault::Phantom,
        }
    }
}

/// A key with what it is, for messages.
fn shown(key: &str, value: Option<&str>) -> String {
    value.map_or_else(|| format!("the delete of `{key}`"), |value| format!("`{key}` = `{value}`"))
}
