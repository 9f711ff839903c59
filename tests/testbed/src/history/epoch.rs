//! [`Epoch`]: the changes between two losses of all data, in a store with revisions.

use super::{History, Outcome, Step, Write};
use std::collections::BTreeMap;

/// The changes of one revision.
pub(super) type Txn = BTreeMap<String, Option<String>>;

/// The changes from an empty store to the next loss of all data, as far as they are known: what the writer's
/// acknowledgements say, and what was seen of writes whose outcome the writer does not know.
#[derive(Clone, Debug, Default)]
pub(super) struct Epoch {
    pub(super) changes: BTreeMap<u64, Txn>,
    /// The highest revision at which the history was compacted.
    pub(super) compacted: u64,
    unknown: Vec<Unknown>,
}

#[derive(Clone, Debug)]
struct Unknown {
    key: String,
    value: Option<String>,
    /// It was applied after this revision, if at all.
    after: u64,
    seen: bool,
}

impl Epoch {
    /// All epochs of a history: one more than it has losses.
    pub(super) fn all(history: &History) -> Vec<Epoch> {
        let mut done = Vec::new();
        let mut epoch = Epoch::default();
        for step in &history.steps {
            match step {
                Step::Write(write) => epoch.add(write),
                Step::Compacted(at) => epoch.compacted = epoch.compacted.max(*at),
                Step::RolledBack => {}
                Step::Wiped => {
                    // A write that was in flight may be applied after the loss.
                    let late = epoch.unknown.iter().map(|unknown| Unknown { after: 0, ..unknown.clone() });
                    let next = Epoch { unknown: late.collect(), ..Epoch::default() };
                    done.push(std::mem::replace(&mut epoch, next));
                }
            }
        }
        done.push(epoch);
        done
    }

    fn add(&mut self, write: &Write) {
        let (key, value) = (write.key.clone(), write.value.clone());
        match write.outcome {
            Outcome::Applied(revision) => {
                self.changes.entry(revision.unwrap_or_default()).or_default().insert(key, value);
            }
            Outcome::Unknown => {
                // The writer continues only when it has a response or gives up, so everything acknowledged before is
                // older.
                let after = self.changes.last_key_value().map_or(0, |(revision, _)| *revision);
                self.unknown.push(Unknown { key, value, after, seen: false });
            }
            Outcome::Nothing => {}
        }
    }

    /// Whether this change fits a write of unknown outcome, which then counts as known.
    pub(super) fn learn(&mut self, revision: u64, key: &str, value: Option<&str>) -> bool {
        let fits = |unknown: &&mut Unknown| {
            unknown.key == key && unknown.value.as_deref() == value && unknown.after < revision && !unknown.seen
        };
        let Some(unknown) = self.unknown.iter_mut().find(fits) else { return false };
        let change = self.changes.entry(revision).or_default();
        if change.contains_key(key) {
            return false;
        }
        change.insert(key.to_string(), value.map(str::to_string));
        unknown.seen = true;
        true
    }

    /// Whether a write of unknown outcome, which was not seen, may have caused this state.
    pub(super) fn may_be(&self, key: &str, value: Option<&str>) -> bool {
        let is = |unknown: &Unknown| unknown.key == key && unknown.value.as_deref() == value && !unknown.seen;
        self.unknown.iter().any(is)
    }

    /// The state at a revision: the revision and the value of each key.
    pub(super) fn state(&self, at: u64) -> BTreeMap<&str, (u64, &str)> {
        let mut state = BTreeMap::new();
        for (revision, txn) in self.changes.range(..=at) {
            for (key, value) in txn {
                match value {
                    Some(value) => drop(state.insert(key.as_str(), (*revision, value.as_str()))),
                    None => drop(state.remove(key.as_str())),
                }
            }
        }
        state
    }

    /// The first revision after this one with changes, as far as they are known.
    pub(super) fn next(&self, after: u64) -> Option<(u64, &Txn)> {
        self.changes.range(after.saturating_add(1)..).next().map(|(revision, txn)| (*revision, txn))
    }
}
