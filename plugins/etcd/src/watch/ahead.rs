//! [`Ahead`]: what ranges have told that were taken out, further than others that have the same keys.

use super::ranges::Tracked;
use cninfra::keyval::KeyRange;

/// A range that is added to a watch is told of a newer state than the others were told up to, whose subscriber may be slow. If it is taken out before they have come as far, its
/// keys stay known to the subscriber as it has told them: what they were before must not be told after that.
#[derive(Default)]
pub(super) struct Ahead(Vec<(KeyRange, i64)>);

impl Ahead {
    /// A range was taken out, and leaves its keys to these.
    pub(super) fn leave(&mut self, gone: &Tracked, others: &[Tracked]) {
        if let Some(last) = gone.last().filter(|last| is_behind(others, *last)) {
            self.0.push((gone.range.clone(), last));
        }
    }

    /// Drops what all have come up to.
    pub(super) fn look_at(&mut self, tracked: &[Tracked]) {
        self.0.retain(|(_, last)| is_behind(tracked, *last));
    }

    /// Was this state of a key told?
    pub(super) fn has_told(&self, key: &[u8], at: i64) -> bool {
        self.0.iter().any(|(range, last)| at <= *last && range.contains(key))
    }

    /// The revisions begin again.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

fn is_behind(tracked: &[Tracked], last: i64) -> bool {
    tracked.iter().any(|tracked| tracked.last().is_some_and(|told| told < last))
}
