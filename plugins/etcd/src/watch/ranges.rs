//! [`Tracked`]: a range of a watch, with the revision up to which it was reported; and which ranges share an etcd
//! watch.

use super::warned::WarningLimit;
use bytes::Bytes;
use cninfra::keyval::{Cause, KeyRange};
use tokio::time::Instant;

/// A range as the subscriber asked for it.
pub(super) struct Tracked {
    pub(super) number: u64,
    pub(super) range: KeyRange,
    pub(super) progress: Progress,
    /// Up to where it was reported when the last snapshot became due; 0 if nothing was, or if that was another store.
    pub(super) reported_before: i64,
    /// A snapshot of it was reported in part.
    pub(super) has_partial_snapshot: bool,
    /// The value of `progress` once the event that is being pushed has been taken.
    pub(super) progress_if_taken: Progress,
    /// The store refuses to read it: it is requested again at this time.
    pub(super) refused_until: Option<Instant>,
    pub(super) warning_limit: WarningLimit,
}

/// Up to where a range was reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// A snapshot is due, for this cause.
    SnapshotDue(Cause),
    /// Everything up to this revision was reported. `count` is the number of keys at it, if that is known.
    UpTo { last: i64, count: Option<i64> },
}

impl Tracked {
    pub(super) fn new(number: u64, range: KeyRange, progress: Progress) -> Self {
        Tracked {
            number,
            range,
            progress,
            reported_before: 0,
            has_partial_snapshot: false,
            progress_if_taken: progress,
            refused_until: None,
            warning_limit: WarningLimit::default(),
        }
    }

    /// Leaves the range out until then. What was reported of it may be outdated by that time.
    pub(super) fn refuse(&mut self, until: Instant) {
        self.refused_until = Some(until);
        if self.last_reported().is_some() {
            self.mark_snapshot_due(Cause::Lost);
        }
    }

    pub(super) fn mark_snapshot_due(&mut self, cause: Cause) {
        self.reported_before = match cause {
            Cause::Regressed | Cause::Replaced => 0,
            _ => self.last_reported().unwrap_or(self.reported_before),
        };
        self.progress = Progress::SnapshotDue(cause);
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused_until.is_some()
    }

    /// The revision up to which it was reported; `None` if a snapshot is due.
    pub(super) fn last_reported(&self) -> Option<i64> {
        match self.progress {
            Progress::UpTo { last, .. } => Some(last),
            Progress::SnapshotDue(_) => None,
        }
    }
}

impl Progress {
    /// Advances to this revision, which adds so many keys, unless it is already at or beyond it.
    pub(super) fn advance_to(&mut self, at: i64, adds: impl FnOnce() -> i64) {
        if let Progress::UpTo { last, count } = self
            && *last < at
        {
            *last = at;
            *count = count.map(|count| count + adds());
        }
    }
}

/// The ranges to watch, one etcd watch each: sorted by key, and without overlaps. Ranges that touch are merged, and so
/// are ranges in the same folder of an agent: so etcd reports a transaction there at once and in order.
pub(super) fn segments<'a>(ranges: impl Iterator<Item = &'a KeyRange>, together: bool) -> Vec<KeyRange> {
    let mut ranges: Vec<&KeyRange> = ranges.collect();
    ranges.sort();
    let mut segments: Vec<KeyRange> = Vec::new();
    for range in ranges {
        if let Some(last) = segments.last_mut()
            && (touches(last, range) || (together && shares_agent_folder(last.start(), range)))
        {
            *last = joined(last, range);
        } else {
            segments.push(range.clone());
        }
    }
    segments
}

/// Whether the second range begins at or before the end of the first one. They are sorted by start.
fn touches(one: &KeyRange, next: &KeyRange) -> bool {
    one.end().is_none_or(|end| end >= next.start())
}

/// Whether there may be a key in both.
pub(super) fn overlap(one: &KeyRange, other: &KeyRange) -> bool {
    let begins_in = |one: &KeyRange, other: &KeyRange| other.end().is_none_or(|end| one.start() < end);
    begins_in(one, other) && begins_in(other, one)
}

/// Whether both begin in the same folder, at least two names deep. That is a folder of an agent
/// (`/vnf-agent/<label>/`), not a root that all agents share.
fn shares_agent_folder(start: &Bytes, range: &KeyRange) -> bool {
    let common = start.iter().zip(range.start().iter()).take_while(|(one, other)| one == other).count();
    let Some(slash) = start[..common].iter().rposition(|byte| *byte == b'/') else { return false };
    let folder = &start[..=slash];
    let is_inside = range.end().is_some_and(|end| end.starts_with(folder));
    is_inside && folder.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).count() >= 2
}

fn joined(one: &KeyRange, next: &KeyRange) -> KeyRange {
    match (one.end(), next.end()) {
        (Some(end), Some(other)) => KeyRange::between(one.start(), end.max(other)),
        _ => KeyRange::from(one.start()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments_of(prefixes: &[&str]) -> Vec<String> {
        let ranges: Vec<KeyRange> = prefixes.iter().map(KeyRange::prefix).collect();
        segments(ranges.iter(), true).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_key_is_watched_twice() {
        assert_eq!(segments_of(&["b/", "a/", "a/x/"]), ["a/*", "b/*"]);
        assert_eq!(segments_of(&["", "a/"]), ["*"]);
        let touching = [KeyRange::between("a", "c"), KeyRange::between("c", "e"), KeyRange::key("k")];
        let shown: Vec<String> = segments(touching.iter(), true).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a..e", "k"]);
    }

    #[test]
    fn ranges_meet_that_have_a_key_in_common() {
        let meets = |one: &str, other: &str| overlap(&KeyRange::prefix(one), &KeyRange::prefix(other));
        assert!(meets("", "a") && meets("a/", "a") && meets("a", "a") && !meets("a", "b") && !meets("b", "a"));
        assert!(
            !overlap(&KeyRange::between("a", "c"), &KeyRange::from("c"))
                && overlap(&KeyRange::all(), &KeyRange::key("k"))
        );
    }

    #[test]
    fn what_an_agent_has_is_watched_together() {
        assert_eq!(segments_of(&["/vnf-agent/one/a/", "/vnf-agent/one/c/"]), ["/vnf-agent/one/a/../vnf-agent/one/c0"]);
        assert_eq!(segments_of(&["/vnf-agent/one/", "/vnf-agent/two/"]), ["/vnf-agent/one/*", "/vnf-agent/two/*"]);
        assert_eq!(segments_of(&["/contiv/", "/vnf-agent/one/"]), ["/contiv/*", "/vnf-agent/one/*"]);
        let apart = [KeyRange::prefix("/vnf-agent/one/a/"), KeyRange::prefix("/vnf-agent/one/c/")];
        assert_eq!(segments(apart.iter(), false).len(), 2);
    }
}
