//! Histories that are written by hand, each for one rule.

use cninfra::keyval::{self, Change, Entry, Event, KeyRange, Previous, Revision};
use cninfra_testbed::history::{Cause, Fault, History, Item, Seen, Step, Write};

fn put(revision: u64, key: &str, value: &str) -> Seen {
    Seen::changes(Some(revision), [(key, Some(value))])
}

fn snapshot(cause: Cause, at: u64, items: &[(&str, &str, u64)]) -> Vec<Seen> {
    let item = |(key, value, revision): &(&str, &str, u64)| Seen::Item(Item::new(key, value, Some(*revision)));
    let middle: Vec<Seen> = items.iter().map(item).collect();
    [vec![Seen::SnapshotBegin(cause)], middle, vec![Seen::SnapshotEnd(Some(at))]].concat()
}

/// Three puts of `a`, with revisions 2 to 4.
fn three() -> Vec<Step> {
    (2..5).map(|revision| Write::put("a", &revision.to_string()).applied(revision)).collect()
}

fn of(steps: Vec<Step>, seen: Vec<Seen>, end: &[(&str, &str, u64)]) -> History {
    let end = end.iter().map(|(key, value, revision)| Item::new(key, value, Some(*revision))).collect();
    History { steps, seen, end, from: None }
}

#[track_caller]
fn assert_wrong(history: &History, fault: Fault, event: Option<usize>, what: &str) {
    let wrong = history.check_revisions().unwrap_err();
    assert_eq!((wrong.fault, wrong.event), (fault, event), "{wrong}");
    assert!(wrong.what.contains(what), "{wrong}");
}

#[test]
fn a_snapshot_leaves_out_only_what_was_compacted() {
    let seen = |cause| [snapshot(Cause::Start, 2, &[("a", "2", 2)]), snapshot(cause, 4, &[("a", "4", 4)])].concat();
    let end = [("a", "4", 4)];
    let compacted = |at| three().into_iter().chain([Step::Compacted(at)]).collect();
    assert_eq!(of(compacted(3), seen(Cause::Compacted), &end).check_revisions().unwrap().snapshots, 2);
    let kept = "`a` = `3` of revision 3 was left out by a snapshot (Compacted)";
    // The history after revision 2 was still there.
    assert_wrong(&of(compacted(2), seen(Cause::Compacted), &end), Fault::Lost, Some(5), kept);
    assert_wrong(&of(three(), seen(Cause::Lost), &end), Fault::Lost, Some(5), "left out by a snapshot (Lost)");
    of(three(), seen(Cause::Overflow), &end).check_revisions().unwrap();
    of(three(), seen(Cause::Requested), &end).check_revisions().unwrap();
}

#[test]
fn a_snapshot_is_never_older_than_what_was_told() {
    let seen = [snapshot(Cause::Start, 4, &[("a", "4", 4)]), snapshot(Cause::Requested, 3, &[("a", "3", 3)])].concat();
    assert_wrong(&of(three(), seen, &[("a", "4", 4)]), Fault::Stale, Some(5), "of revision 3 after revision 4");
}

#[test]
fn revisions_begin_again_only_where_the_store_was_wiped() {
    let seen =
        [snapshot(Cause::Start, 4, &[("a", "4", 4)]), snapshot(Cause::Regressed, 2, &[("a", "new", 2)])].concat();
    let wiped = three().into_iter().chain([Step::Wiped, Write::put("a", "new").applied(2)]).collect();
    let end = [("a", "new", 2)];
    of(wiped, seen.clone(), &end).check_revisions().unwrap();
    let twice = three().into_iter().chain([Step::Wiped, Step::Wiped, Write::put("a", "new").applied(2)]).collect();
    of(twice, seen.clone(), &end).check_revisions().unwrap();
    assert_wrong(&of(three(), seen, &[("a", "4", 4)]), Fault::Malformed, Some(5), "the store has not lost its data");
    let unseen: Vec<Step> = three().into_iter().chain([Step::Wiped]).collect();
    assert_wrong(&of(unseen, snapshot(Cause::Start, 4, &[("a", "4", 4)]), &[]), Fault::Lost, None, "lost its data");
}

#[test]
fn stores_without_anything_at_their_first_revision_are_the_same() {
    let wiped = || three().into_iter().chain([Step::Wiped, Write::put("a", "lost").unknown()]);
    let steps = || {
        wiped().chain([Step::Wiped, Write::put("a", "new").applied(2), Write::put("a", "newer").applied(3)]).collect()
    };
    let told = |then: &[Seen]| {
        let seen = [
            snapshot(Cause::Start, 4, &[("a", "4", 4)]),
            snapshot(Cause::Replaced, 1, &[]),
            vec![Seen::Lost, Seen::Resumed],
            then.to_vec(),
        ];
        of(steps(), seen.concat(), &[("a", "newer", 3)])
    };
    // First the second store, then the third one, which differs from it only later.
    assert_eq!(told(&[put(2, "a", "new"), put(3, "a", "newer")]).check_revisions().unwrap().changes, 2);
    told(&snapshot(Cause::Overflow, 3, &[("a", "newer", 3)])).check_revisions().unwrap();

    assert_wrong(&told(&[put(2, "a", "3")]), Fault::Stale, Some(7), "as of revision 2, which it is not");
    assert_wrong(&told(&[put(3, "a", "newer")]), Fault::Lost, Some(7), "of revision 2 was not told before revision 3");
    assert_wrong(&told(&[put(2, "a", "new")]), Fault::Lost, None, "of revision 3 was not told");
    assert_wrong(&told(&[]), Fault::Lost, None, "of revision 2 was not told");
    // The watch reported a value of the second store, which the third one does not have.
    let of_both = [put(2, "a", "lost"), put(3, "a", "newer")];
    assert_wrong(&told(&of_both), Fault::Stale, Some(8), "as of revision 3, which it is not");
    let unchanged = wiped().chain([Step::Wiped]).collect();
    let seen = [snapshot(Cause::Start, 4, &[("a", "4", 4)]), snapshot(Cause::Replaced, 1, &[])].concat();
    of(unchanged, seen, &[]).check_revisions().unwrap();
}

#[test]
fn events_come_in_an_order_that_makes_sense() {
    let begun =
        |rest: Vec<Seen>| of(three(), [snapshot(Cause::Start, 2, &[("a", "2", 2)]), rest].concat(), &[("a", "4", 4)]);
    let item = || Seen::Item(Item::new("a", "2", Some(2)));
    assert_wrong(&begun(vec![item()]), Fault::Malformed, Some(3), "an item of no snapshot");
    assert_wrong(&begun(vec![Seen::SnapshotEnd(Some(2))]), Fault::Malformed, Some(3), "no snapshot has begun");
    let twice = vec![Seen::SnapshotBegin(Cause::Requested), item(), item()];
    assert_wrong(&begun(twice), Fault::Repeated, Some(5), "twice in the snapshot");
    let lost = vec![Seen::Lost, put(3, "a", "3")];
    assert_wrong(&begun(lost), Fault::Malformed, Some(4), "while the connection is lost");
    let unfinished = vec![put(3, "a", "3"), put(4, "a", "4"), Seen::SnapshotBegin(Cause::Requested)];
    assert_wrong(&begun(unfinished), Fault::Lost, None, "has not come to its end");
    assert_wrong(&of(three(), vec![put(2, "a", "2")], &[]), Fault::Malformed, Some(0), "before the first snapshot");
    let double = vec![Seen::changes(Some(3), [("a", Some("3")), ("a", Some("3"))])];
    assert_wrong(&begun(double), Fault::Repeated, Some(3), "twice in revision 3");
    let wrong =
        vec![put(3, "a", "3"), put(4, "a", "4")].into_iter().chain(snapshot(Cause::Requested, 4, &[("a", "4", 3)]));
    assert_wrong(&begun(wrong.collect()), Fault::Malformed, Some(7), "was written in revision 4, not 3");
}

#[test]
fn a_watch_may_begin_with_a_revision() {
    let whole = vec![put(3, "a", "3"), put(4, "a", "4")];
    let from = |from, seen: &[Seen]| History { from: Some(from), ..of(three(), seen.to_vec(), &[("a", "4", 4)]) };
    assert_eq!(from(3, &whole).check_revisions().unwrap().changes, 2);
    assert_wrong(&from(2, &whole), Fault::Lost, Some(0), "revision 2 was not told");
    assert_wrong(&from(3, &whole[..1]), Fault::Lost, None, "revision 4 was not told");
}

#[test]
fn a_store_that_loses_what_it_acknowledged_is_found() {
    let seen = snapshot(Cause::Start, 4, &[("a", "4", 4)]);
    assert_wrong(&of(three(), seen.clone(), &[]), Fault::Store, None, "`a` should be Some(\"4\"), and is None");
    // An unacknowledged delete may have removed it; then the watch should have reported that.
    let given_up = three().into_iter().chain([Write::delete("a").unknown()]).collect();
    assert_wrong(&of(given_up, seen, &[]), Fault::Lost, None, "the delete of `a` was not told");

    let told =
        vec![Seen::SnapshotBegin(Cause::Start), Seen::SnapshotEnd(None), Seen::changes(None, [("a", Some("2"))])];
    let steps = vec![Write::put("a", "1").acknowledged(), Write::put("a", "2").acknowledged()];
    let history = of(steps, told, &[("a", "1", 0)]);
    assert_eq!(history.check_convergence().unwrap_err().fault, Fault::Store);
}

#[test]
fn a_write_that_was_given_up_may_come_late_but_once() {
    let steps = vec![
        Write::put("a", "1").acknowledged(),
        Write::put("a", "2").unknown(),
        Write::put("a", "3").acknowledged(),
        Write::put("a", "4").acknowledged(),
    ];
    let told = |values: &[&str]| {
        let begin = [Seen::SnapshotBegin(Cause::Start), Seen::SnapshotEnd(None)];
        let changes = values.iter().map(|value| Seen::changes(None, [("a", Some(*value))]));
        let seen = begin.into_iter().chain(changes).collect();
        let end = values.last().map_or("", |value| value);
        of(steps.clone(), seen, &[("a", end, 0)]).check_convergence()
    };
    assert_eq!(told(&["1", "3", "2", "4"]).unwrap().changes, 4);
    told(&["1", "2", "4"]).unwrap();
    told(&["4", "2"]).unwrap();
    assert_eq!(told(&["1", "3", "2", "4", "2"]).unwrap_err().fault, Fault::Stale);
    assert_eq!(told(&["1", "3", "2", "3"]).unwrap_err().fault, Fault::Stale);
    assert_eq!(told(&["4", "3"]).unwrap_err().fault, Fault::Reordered);
}

#[test]
fn events_of_the_interface_are_taken_as_they_are() {
    let (range, at) = (KeyRange::prefix("a"), Revision::new(7));
    let mut entry = Entry::new("a", "1");
    entry.revision = Revision::new(3);
    let changes =
        vec![Change::put(entry.clone(), None, Previous::Unknown), Change::deleted("b", None, Previous::Absent)];
    let told = [
        Event::snapshot_begin(range.clone(), keyval::Cause::Added),
        Event::Item(entry),
        Event::snapshot_end(range.clone(), at),
        Event::Link(keyval::Link::Lost),
        Event::Link(keyval::Link::Resumed),
        Event::changes(at, changes),
        Event::snapshot_begin(range, keyval::Cause::Replaced),
    ];
    let expected = [
        Seen::SnapshotBegin(Cause::Start),
        Seen::Item(Item::new("a", "1", Some(3))),
        Seen::SnapshotEnd(Some(7)),
        Seen::Lost,
        Seen::Resumed,
        Seen::changes(Some(7), [("a", Some("1")), ("b", None)]),
        Seen::SnapshotBegin(Cause::Replaced),
    ];
    assert_eq!(told.each_ref().map(Seen::from), expected);
}
