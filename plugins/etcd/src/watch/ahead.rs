//! [`Ahead`]: keys of removed ranges that were reported at a higher revision than the remaining ranges have reached.

use super::ranges::Tracked;
use cninfra::keyval::KeyRange;

/// A range that is added to a watch is reported at a newer revision than the others have reached, if the subscriber is
/// slow. If it is removed before they have caught up, the subscriber still knows its keys as this range reported them.
/// So older changes of these keys must not be reported afterwards.
#[derive(Default)]
pub(super) struct Ahead(Vec<(KeyRange, i64)>);

impl Ahead {
    /// A range was removed. Its keys may still belong to the others.
    pub(super) fn record_removed(&mut self, gone: &Tracked, others: &[Tracked]) {
        if let Some(last) = gone.last_reported().filter(|last| is_behind(others, *last)) {
            self.0.push((gone.range.clone(), last));
        }
    }

    /// Drops the entries up to which all ranges have caught up.
    pub(super) fn drop_caught_up(&mut self, tracked: &[Tracked]) {
        self.0.retain(|(_, last)| is_behind(tracked, *last));
    }

    /// Whether this revision of a key was already reported.
    pub(super) fn was_reported(&self, key: &[u8], at: i64) -> bool {
        self.0.iter().any(|(range, last)| at <= *last && range.contains(key))
    }

    /// The store's revisions start again.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

fn is_behind(tracked: &[Tracked], last: i64) -> bool {
    tracked.iter().any(|tracked| tracked.last_reported().is_some_and(|reported| reported < last))
}
