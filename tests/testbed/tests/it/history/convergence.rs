//! Wrong histories of stores without revisions are found.

use super::{SEEDS, assert_found, model::Model};
use cninfra_testbed::history::{Fault, History, Outcome, Seen, Step};

type Made = Option<(History, Fault, Option<usize>)>;

/// `least`: the minimum number of histories for which `make` must succeed.
fn every(name: &str, least: u64, make: impl Fn(&mut Model) -> Made) {
    let mut made = 0;
    for seed in 0..SEEDS {
        let mut model = Model::run(seed, false);
        let Some((history, fault, event)) = make(&mut model) else { continue };
        made += 1;
        assert_found(seed, name, history.check_convergence().err(), fault, event);
    }
    assert!(made >= least, "{name}: only {made} of {SEEDS} histories could be made wrong so");
}

#[test]
fn what_is_right_is_found_right() {
    let (mut changes, mut snapshots) = (0, 0);
    for seed in 0..SEEDS {
        let model = Model::run(seed, false);
        match model.history.check_convergence() {
            Ok(told) => (changes, snapshots) = (changes + told.changes, snapshots + told.snapshots),
            Err(wrong) => panic!("seed {seed}: {wrong}: {:#?}", model.history),
        }
    }
    assert!(changes > 5000 && snapshots > 1000, "{changes} changes, {snapshots} snapshots");
}

/// The event, key and value of each change.
fn changes(history: &History) -> Vec<(usize, String, Option<String>)> {
    let change = |(at, event): (usize, &Seen)| match event {
        Seen::Changes { changes, .. } => Some((at, changes[0].0.clone(), changes[0].1.clone())),
        _ => None,
    };
    history.seen.iter().enumerate().filter_map(change).collect()
}

fn last_snapshot(history: &History) -> usize {
    history.seen.iter().rposition(|event| matches!(event, Seen::SnapshotEnd(_))).unwrap()
}

fn is_acknowledged(history: &History, value: &Option<String>) -> bool {
    let is =
        |step: &Step| matches!(step, Step::Write(write) if write.value == *value && write.outcome != Outcome::Unknown);
    value.is_some() && history.steps.iter().any(is)
}

/// Whether the store never went back: otherwise a fault may be taken for that.
fn is_steady(history: &History) -> bool {
    !history.steps.contains(&Step::RolledBack)
}

#[test]
fn the_last_change_of_a_key_that_is_dropped_is_found() {
    every("dropped", SEEDS / 2, |model| {
        let mut history = model.history.clone();
        let snapshot = last_snapshot(&history);
        let (at, ..) = changes(&history).pop().filter(|(at, ..)| *at > snapshot)?;
        history.seen.remove(at);
        Some((history, Fault::Lost, None))
    });
}

#[test]
fn a_change_that_is_told_twice_is_found() {
    every("repeated", SEEDS, |model| {
        let mut history = model.history.clone();
        let all = changes(&history);
        let at = all[model.rng.usize(..all.len())].0;
        history.seen.insert(at + 1, history.seen[at].clone());
        Some((history, Fault::Repeated, Some(at + 1)))
    });
}

#[test]
fn changes_of_a_key_in_another_order_are_found() {
    every("reordered", SEEDS / 2, |model| {
        let mut history = model.history.clone();
        let all = changes(&history);
        let number = |value: &Option<String>| value.as_ref().map(|value| value.parse::<u32>().unwrap());
        let (first, second) = all.iter().enumerate().find_map(|(i, first)| {
            let second = all[i + 1..].iter().find(|second| second.1 == first.1)?;
            let apart = history.seen[first.0..second.0].iter().any(|event| matches!(event, Seen::SnapshotEnd(_)));
            let both = is_acknowledged(&history, &first.2) && number(&first.2) < number(&second.2);
            (both && !apart).then_some((first.0, second.0))
        })?;
        history.seen.swap(first, second);
        Some((history, Fault::Reordered, Some(second)))
    });
}

#[test]
fn an_older_value_is_found() {
    every("stale", SEEDS / 2, |model| {
        let mut history = model.history.clone();
        let all = changes(&history);
        // A value that was reported, then overwritten by another one that was reported, and then reported again.
        let made = all.iter().rev().find_map(|(at, key, value)| {
            let before: Vec<_> = all.iter().filter(|other| other.0 < *at && other.1 == *key).collect();
            let [.., older, last] = before.as_slice() else { return None };
            let good = is_acknowledged(&history, &older.2) && last.2.is_some() && value.is_some();
            let apart = history.seen[older.0..*at].iter().any(|event| matches!(event, Seen::SnapshotEnd(_)));
            (good && !apart && older.2 != last.2).then(|| (*at, key.clone(), older.2.clone()))
        });
        let (at, key, value) = made?;
        history.seen[at] = Seen::Changes { revision: None, changes: vec![(key, value)] };
        Some((history, Fault::Stale, Some(at)))
    });
}

#[test]
fn what_never_was_is_found() {
    every("a phantom value", SEEDS, |model| {
        let mut history = model.history.clone();
        let all = changes(&history);
        let (at, key, _) = all[model.rng.usize(..all.len())].clone();
        history.seen[at] = Seen::Changes { revision: None, changes: vec![(key, Some("never".to_string()))] };
        Some((history, Fault::Phantom, Some(at)))
    });
    every("a phantom delete", SEEDS / 2, |model| {
        let mut history = model.history.clone();
        let (at, ..) = changes(&history).into_iter().find(|(_, key, _)| key == "e")?;
        history.seen.insert(at + 1, Seen::changes(None, [("e", None)]));
        Some((history, Fault::Phantom, Some(at + 1)))
    });
    every("a phantom delete by a snapshot", SEEDS / 4, |model| {
        let mut history = model.history.clone();
        let (told, ..) =
            changes(&history).into_iter().find(|(_, key, _)| key == "e").filter(|_| is_steady(&history))?;
        let is = |event: &Seen| matches!(event, Seen::Item(item) if item.key == "e");
        let at = told + history.seen[told..].iter().position(is)?;
        history.seen.remove(at);
        let end = at + history.seen[at..].iter().position(|event| matches!(event, Seen::SnapshotEnd(_)))?;
        Some((history, Fault::Phantom, Some(end)))
    });
}

#[test]
fn a_store_goes_back_only_where_it_may() {
    every("went back", SEEDS / 4, |model| {
        let mut history = model.history.clone();
        if is_steady(&history) {
            return None;
        }
        history.steps.retain(|step| *step != Step::RolledBack);
        let wrong = history.check_convergence().err()?;
        // There is no fault if nothing was reported of what was rolled back.
        Some((history, wrong.fault, wrong.event))
    });
}
