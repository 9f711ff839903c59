//! [`WrongReport`]: a watch that reports something wrong.

use cninfra::keyval::{
    Change, ChangeKind, Entry, Event, KeyRange, Previous, Watch, WatchControl, WatchHandle, WatchStats,
};
use cninfra::{BoxFuture, keyval};
use futures_util::{StreamExt as _, stream};
use std::sync::Arc;

/// What is wrong with the reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WrongReport {
    /// Every second change is left out.
    Less,
    /// Every change is reported twice.
    Twice,
    /// Two changes are in the wrong order.
    Backwards,
    /// Keys with empty values are not reported.
    EmptyIsNothing,
    /// A transaction is reported change by change.
    Apart,
    /// There are only changes, and no snapshot.
    NoSnapshot,
    /// Each put is reported as creating its key.
    AllIsNew,
    /// A delete is reported of a key that never existed.
    Phantom,
    /// Deletes are not reported.
    NoDeletes,
}

/// The same watch, with wrong reports.
pub(super) fn reporting_wrongly(watch: Watch, wrong_report: WrongReport) -> Watch {
    let (control, ranges) = (Arc::new(Control::of(&watch)), watch.ranges().to_vec());
    let (mut count, mut held) = (0, None);
    let events = watch.flat_map(move |event| {
        count += usize::from(matches!(event, Event::Changes { .. }));
        stream::iter(reports_of(wrong_report, event, count, &mut held))
    });
    Watch::new(&ranges, events, control)
}

fn reports_of(wrong_report: WrongReport, event: Event, count: usize, held: &mut Option<Event>) -> Vec<Event> {
    let is_change = matches!(event, Event::Changes { .. });
    match wrong_report {
        WrongReport::Less if is_change && count.is_multiple_of(2) => Vec::new(),
        WrongReport::Twice if is_change => vec![event.clone(), event],
        WrongReport::Backwards if is_change => match held.take() {
            None => {
                *held = Some(event);
                Vec::new()
            }
            Some(before) => vec![event, before],
        },
        WrongReport::NoSnapshot if !is_change => Vec::new(),
        WrongReport::EmptyIsNothing if matches!(&event, Event::Item(entry) if entry.value.is_empty()) => Vec::new(),
        WrongReport::Phantom if is_change => {
            let never = Change::deleted("never was", None, Previous::Unknown);
            vec![event, Event::changes(keyval::Revision::new(u64::MAX / 2), vec![never])]
        }
        WrongReport::Apart | WrongReport::EmptyIsNothing | WrongReport::AllIsNew | WrongReport::NoDeletes => {
            changes_of(wrong_report, event)
        }
        _ => vec![event],
    }
}

fn changes_of(wrong_report: WrongReport, event: Event) -> Vec<Event> {
    let Event::Changes { revision, changes, .. } = event else { return vec![event] };
    let each = changes.into_iter().filter_map(|change| match (&change.kind, wrong_report) {
        (ChangeKind::Put { entry, .. }, WrongReport::EmptyIsNothing) if entry.value.is_empty() => None,
        (ChangeKind::Deleted { .. }, WrongReport::NoDeletes) => None,
        (ChangeKind::Put { entry, .. }, WrongReport::AllIsNew) => {
            let entry = Entry::new(entry.key.clone(), entry.value.clone());
            Some(Change::put(entry, Some(true), Previous::Unknown))
        }
        _ => Some(change),
    });
    let each: Vec<Change> = each.collect();
    match wrong_report {
        WrongReport::Apart => each.into_iter().map(|change| Event::changes(revision, vec![change])).collect(),
        _ if each.is_empty() => Vec::new(),
        _ => vec![Event::changes(revision, each)],
    }
}

/// A watch from which ranges are never removed.
pub(super) fn keeping_its_ranges(watch: Watch) -> Watch {
    let control = Arc::new(Control { keeps: true, ..Control::of(&watch) });
    let ranges = watch.ranges().to_vec();
    Watch::new(&ranges, watch, control)
}

/// A watch whose statistics claim that unread events were replaced by new snapshots again and again.
pub(super) fn claiming_resnapshots(watch: Watch) -> Watch {
    let control = Arc::new(Control { resnapshots: 10, ..Control::of(&watch) });
    let ranges = watch.ranges().to_vec();
    Watch::new(&ranges, watch, control)
}

/// Controls the watch that this one wraps.
struct Control {
    below: WatchHandle,
    /// Ranges are not removed.
    keeps: bool,
    /// The factor for its number of new snapshots in the statistics.
    resnapshots: u64,
}

impl Control {
    /// Changes nothing.
    fn of(watch: &Watch) -> Self {
        Control { below: watch.handle().clone(), keeps: false, resnapshots: 1 }
    }
}

impl WatchControl for Control {
    fn add(&self, range: KeyRange) -> BoxFuture<'_, keyval::Result<()>> {
        Box::pin(self.below.add(range))
    }
    fn remove(&self, range: KeyRange) -> BoxFuture<'_, keyval::Result<()>> {
        match self.keeps {
            true => Box::pin(async { Ok(()) }),
            false => Box::pin(self.below.remove(range)),
        }
    }
    fn snapshot(&self) -> BoxFuture<'_, keyval::Result<()>> {
        Box::pin(self.below.snapshot())
    }
    fn stats(&self) -> WatchStats {
        let mut stats = self.below.stats();
        stats.resnapshots *= self.resnapshots;
        stats
    }
}
