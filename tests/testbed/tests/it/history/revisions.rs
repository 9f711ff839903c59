//! Wrong histories of stores with revisions are found.

use super::{SEEDS, assert_found, model::Model};
use cninfra_testbed::history::{Fault, History, Item, Outcome, Seen, Write};

/// A history with a fault, the expected kind of fault, and the event at which it must be found, if that is known.
type Made = Option<(History, Fault, Option<usize>)>;

fn every(name: &str, make: impl Fn(&mut Model) -> Made) {
    let mut made = 0;
    for seed in 0..SEEDS {
        let mut model = Model::run(seed, true);
        let Some((history, fault, event)) = make(&mut model) else { continue };
        made += 1;
        assert_found(seed, name, history.check_revisions().err(), fault, event);
    }
    assert!(made > SEEDS / 2, "{name}: only {made} of {SEEDS} histories could be made wrong so");
}

#[test]
fn what_is_right_is_found_right() {
    let (mut changes, mut snapshots) = (0, 0);
    for seed in 0..SEEDS {
        let model = Model::run(seed, true);
        match model.history.check_revisions() {
            Ok(told) => (changes, snapshots) = (changes + told.changes, snapshots + told.snapshots),
            Err(wrong) => panic!("seed {seed}: {wrong}: {:#?}", model.history),
        }
    }
    assert!(changes > 5000 && snapshots > 1000, "{changes} changes, {snapshots} snapshots");
}

/// The indexes of the changes outside of snapshots.
fn changes(history: &History) -> Vec<usize> {
    let mut inside = false;
    let outside = |(at, event): (usize, &Seen)| {
        match event {
            Seen::SnapshotBegin(_) => inside = true,
            Seen::SnapshotEnd(_) => inside = false,
            _ => {}
        }
        (!inside && matches!(event, Seen::Changes { .. })).then_some(at)
    };
    history.seen.iter().enumerate().filter_map(outside).collect()
}

fn parts(event: &mut Seen) -> (u64, &mut Vec<(String, Option<String>)>) {
    match event {
        Seen::Changes { revision: Some(revision), changes } => (*revision, changes),
        other => panic!("{other:?}"),
    }
}

/// The acknowledged writes of a key.
fn acknowledged<'h>(history: &'h History, key: &str) -> Vec<&'h Write> {
    let of = |write: &&Write| write.key == key && matches!(write.outcome, Outcome::Applied(_));
    writes(history).filter(of).collect()
}

fn writes(history: &History) -> impl Iterator<Item = &Write> {
    history.steps.iter().filter_map(|step| match step {
        cninfra_testbed::history::Step::Write(write) => Some(write),
        _ => None,
    })
}

/// The index of the first of two adjacent changes, the first of which is an acknowledged write.
fn pair(model: &mut Model) -> Option<usize> {
    let all = changes(&model.history);
    let is_acknowledged = |at: &usize| {
        let mut event = model.history.seen[*at].clone();
        let (_, changes) = parts(&mut event);
        let (key, value) = &changes[0];
        // A delete may be from a write that was given up.
        value.is_some() && acknowledged(&model.history, key).iter().any(|write| write.value == *value)
    };
    let pairs: Vec<usize> = all.iter().copied().filter(|at| all.contains(&(at + 1))).filter(is_acknowledged).collect();
    (!pairs.is_empty()).then(|| pairs[model.rng.usize(..pairs.len())])
}

fn any(model: &mut Model) -> Option<usize> {
    let all = changes(&model.history);
    (!all.is_empty()).then(|| all[model.rng.usize(..all.len())])
}

#[test]
fn a_change_that_is_dropped_is_found() {
    every("dropped", |model| {
        let at = pair(model)?;
        let mut history = model.history.clone();
        history.seen.remove(at);
        Some((history, Fault::Lost, Some(at)))
    });
}

#[test]
fn the_last_change_that_is_dropped_is_found() {
    every("the last one dropped", |model| {
        let mut history = model.history.clone();
        // A write that was given up may not have been applied, but then its change is not in the history.
        let at = history.seen.len() - 1;
        matches!(history.seen[at], Seen::Changes { .. }).then(|| history.seen.pop())?;
        Some((history, Fault::Lost, None))
    });
}

#[test]
fn a_change_that_is_told_twice_is_found() {
    every("repeated", |model| {
        let at = any(model)?;
        let mut history = model.history.clone();
        let again = history.seen[at].clone();
        let far = changes(&history).contains(&(at + 1)) && model.rng.bool();
        let to = if far { at + 2 } else { at + 1 };
        history.seen.insert(to, again);
        Some((history, Fault::Repeated, Some(to)))
    });
}

#[test]
fn changes_in_another_order_are_found() {
    every("reordered", |model| {
        let at = pair(model)?;
        let mut history = model.history.clone();
        history.seen.swap(at, at + 1);
        Some((history, Fault::Reordered, Some(at)))
    });
}

#[test]
fn a_key_that_is_left_out_of_a_transaction_is_found() {
    every("torn", |model| {
        let all = changes(&model.history);
        let mut history = model.history.clone();
        let at = all.into_iter().find(|at| parts(&mut history.seen[*at]).1.len() > 1)?;
        parts(&mut history.seen[at]).1.pop();
        Some((history, Fault::Lost, Some(at)))
    });
}

#[test]
fn an_older_value_is_found() {
    every("stale", |model| {
        let at = any(model)?;
        let mut history = model.history.clone();
        let (_, changes) = parts(&mut history.seen[at]);
        let (key, value) = &mut changes[0];
        let number = |value: &Option<String>| value.as_ref().and_then(|value| value.parse::<u32>().ok());
        let now = number(value).unwrap_or(u32::MAX);
        let older = acknowledged(&model.history, key)
            .into_iter()
            .rfind(|write| number(&write.value).is_some_and(|it| it < now))?;
        // At the end of another epoch there is no older value.
        value.clone_from(&older.value);
        Some((history, Fault::Stale, Some(at)))
    });
}

#[test]
fn an_older_value_in_a_snapshot_is_found() {
    every("stale in a snapshot", |model| {
        let mut history = model.history.clone();
        let items = |(at, event): (usize, &Seen)| matches!(event, Seen::Item(_)).then_some(at);
        let all: Vec<usize> = history.seen.iter().enumerate().filter_map(items).collect();
        let at = all[model.rng.usize(..all.len())];
        let Seen::Item(item) = &mut history.seen[at] else { return None };
        let now: u32 = item.value.parse().unwrap();
        let number = |write: &&Write| write.value.as_ref().is_some_and(|value| value.parse::<u32>().unwrap() < now);
        // A write that was given up, and is seen only in this snapshot, is not known otherwise.
        let all = acknowledged(&model.history, &item.key);
        all.iter().find(|write| write.value.as_ref() == Some(&item.value))?;
        let older = all.into_iter().rfind(number)?;
        item.value = older.value.clone()?;
        Some((history, Fault::Stale, None))
    });
}

#[test]
fn what_never_was_is_found() {
    every("a phantom value", |model| {
        let at = any(model)?;
        let mut history = model.history.clone();
        parts(&mut history.seen[at]).1[0].1 = Some("never".to_string());
        Some((history, Fault::Phantom, Some(at)))
    });
    every("a phantom delete", |model| {
        let at = any(model)?;
        let mut history = model.history.clone();
        let (_, changes) = parts(&mut history.seen[at]);
        changes.retain(|(key, _)| key != "e");
        changes.insert(0, ("e".to_string(), None));
        Some((history, Fault::Phantom, Some(at)))
    });
    every("a phantom key in a snapshot", |model| {
        let mut history = model.history.clone();
        let at = history.seen.iter().rposition(|event| matches!(event, Seen::SnapshotBegin(_)))?;
        history.seen.insert(at + 1, Seen::Item(Item::new("never", "never", Some(1))));
        Some((history, Fault::Phantom, None))
    });
}

#[test]
fn a_key_that_a_snapshot_leaves_out_is_found() {
    every("left out", |model| {
        let mut history = model.history.clone();
        let is = |event: &Seen| matches!(event, Seen::Item(item) if item.key == "e");
        let at = history.seen.iter().position(is)?;
        let Seen::Item(item) = history.seen.remove(at) else { return None };
        let known = acknowledged(&model.history, "e");
        known.into_iter().find(|write| write.value.as_ref() == Some(&item.value))?;
        // Unless it was changed during the snapshot.
        let rest = &history.seen[at..];
        let end = rest.iter().position(|event| matches!(event, Seen::SnapshotEnd(_)))?;
        let changed =
            |event: &Seen| matches!(event, Seen::Changes { changes, .. } if changes.iter().any(|(key, _)| key == "e"));
        (!rest[..end].iter().any(changed)).then_some((history, Fault::Lost, None))
    });
}
