//! Random work, compared with a naive store that keeps the whole state of each revision.

use cninfra::keyval::{
    At, Bytes, Cause, Change, ChangeKind, Compare, Entry, Event, Expiry, KeyRange, LeaseId, Leases, Op, OpResult,
    PageRequest, Previous, Put, Reason, Revision, Revisions, Store, Txn, WatchOptions,
};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use fastrand::Rng;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;

const STEPS: usize = 400;
const KEYS: [&str; 8] = ["a", "a\u{0}", "a/1", "a/2", "b", "b/", "b0", "c"];
const MINUTE: Duration = Duration::from_secs(60);

type State = BTreeMap<Bytes, Entry>;

/// The whole state of each revision.
struct Oracle {
    /// Indexed by revision; the first two are empty.
    states: Vec<State>,
    compacted: u64,
}

impl Oracle {
    fn new() -> Self {
        Oracle { states: vec![State::new(), State::new()], compacted: 1 }
    }

    fn revision(&self) -> u64 {
        self.states.len() as u64 - 1
    }

    fn now(&self) -> &State {
        self.states.last().unwrap()
    }

    fn holds(&self, key: &Bytes, is: &Compare) -> bool {
        match (is, self.now().get(key)) {
            (Compare::Absent, found) => found.is_none(),
            (Compare::Present, found) => found.is_some(),
            (Compare::Before(revision), found) => found.is_none_or(|found| found.revision < Some(*revision)),
            (Compare::Value(value), Some(found)) => found.value == value,
            (Compare::Revision(revision), Some(found)) => found.revision == Some(*revision),
            (Compare::Created(revision), Some(found)) => found.created == Some(*revision),
            _ => false,
        }
    }

    fn commit(&mut self, txn: &Txn) -> (bool, Vec<OpResult>) {
        let succeeded = txn.conditions.iter().all(|condition| self.holds(&condition.key, &condition.is));
        let (mut state, next) = (self.now().clone(), Revision::new(self.revision() + 1));
        let mut changed = false;
        let ops = if succeeded { &txn.then } else { &txn.otherwise };
        let results = ops.iter().map(|op| match op {
            Op::Put(Put { key, value, expiry, .. }) => {
                let before = state.get(key).cloned();
                let mut entry = Entry::new(key.clone(), value.clone());
                entry.revision = next;
                entry.created = before.as_ref().map_or(next, |before| before.created);
                entry.version = before.as_ref().map_or(Some(1), |before| before.version.map(|version| version + 1));
                entry.lease = match expiry {
                    Expiry::Lease(lease) => Some(*lease),
                    Expiry::Keep => before.and_then(|before| before.lease),
                    _ => None,
                };
                let lease = entry.lease;
                state.insert(key.clone(), entry);
                changed = true;
                OpResult::put(None, lease)
            }
            Op::Delete { range, previous, .. } => {
                let gone: Vec<Entry> = state.values().filter(|entry| range.contains(&entry.key)).cloned().collect();
                state.retain(|key, _| !range.contains(key));
                changed |= !gone.is_empty();
                OpResult::deleted(gone.len() as u64, if *previous { gone } else { Vec::new() })
            }
            Op::Get(range) => {
                OpResult::Got(state.values().filter(|entry| range.contains(&entry.key)).cloned().collect())
            }
            _ => unreachable!(),
        });
        let results = results.collect();
        if changed {
            self.states.push(state);
        }
        (succeeded, results)
    }

    fn revoke(&mut self, lease: LeaseId) {
        let mut state = self.now().clone();
        state.retain(|_, entry| entry.lease != Some(lease));
        if state.len() < self.now().len() {
            self.states.push(state);
        }
    }

    /// What a watch reports of a revision: each changed key, with its entry before and after.
    fn changes(&self, revision: u64, range: &KeyRange) -> BTreeMap<Bytes, (Option<Entry>, Option<Entry>)> {
        let (before, after) = (&self.states[revision as usize - 1], &self.states[revision as usize]);
        let keys = before.keys().chain(after.keys()).filter(|key| range.contains(key));
        let both = keys.map(|key| (key.clone(), (before.get(key).cloned(), after.get(key).cloned())));
        both.filter(|(_, (before, after))| before != after).collect()
    }
}

fn key(rng: &mut Rng) -> &'static str {
    KEYS[rng.usize(..KEYS.len())]
}

fn range(rng: &mut Rng) -> KeyRange {
    match rng.u8(..5) {
        0 => KeyRange::prefix(key(rng)),
        1 => KeyRange::from(key(rng)),
        2 => KeyRange::all(),
        3 => {
            let (one, other) = (key(rng), key(rng));
            if one < other { KeyRange::between(one, other) } else { KeyRange::key(one) }
        }
        _ => KeyRange::key(key(rng)),
    }
}

fn revision(rng: &mut Rng, oracle: &Oracle) -> Revision {
    Revision::new(rng.u64(1..=oracle.revision() + 1)).unwrap()
}

fn txn(rng: &mut Rng, oracle: &Oracle, leases: &[LeaseId]) -> Txn {
    let mut txn = Txn::new();
    for _ in 0..rng.usize(..3) {
        let key = key(rng);
        let found = oracle.now().get(key.as_bytes());
        let is = match rng.u8(..8) {
            0 => Compare::Absent,
            1 | 2 => Compare::Present,
            3 => Compare::Value(found.map_or("none".into(), |found| found.value.clone())),
            4 => Compare::Revision(found.and_then(|found| found.revision).unwrap_or(revision(rng, oracle))),
            5 => Compare::Created(found.and_then(|found| found.created).unwrap_or(revision(rng, oracle))),
            6 => Compare::Before(revision(rng, oracle)),
            _ => Compare::Value("other".into()),
        };
        txn = txn.when(key, is);
    }
    let branch = |rng: &mut Rng, conditions: &[_]| {
        let mut written: Vec<&str> = Vec::new();
        let mut deleted: Vec<KeyRange> = Vec::new();
        let mut ops = Vec::new();
        for _ in 0..rng.usize(..5) {
            match rng.u8(..6) {
                0 => ops.push(Op::Get(range(rng))),
                1 => {
                    let range = range(rng);
                    if !written.iter().any(|key| range.contains(key.as_bytes())) {
                        deleted.push(range.clone());
                        ops.push(Op::delete(range, rng.bool()));
                    }
                }
                _ => {
                    let key = key(rng);
                    let is_there = |condition: &cninfra::keyval::Condition| {
                        condition.key == key && !matches!(condition.is, Compare::Absent | Compare::Before(_))
                    };
                    let expiry = match rng.u8(..4) {
                        0 if !leases.is_empty() => Expiry::Lease(leases[rng.usize(..leases.len())]),
                        1 if conditions.iter().any(is_there) => Expiry::Keep,
                        _ => Expiry::Never,
                    };
                    if !written.contains(&key) && !deleted.iter().any(|range| range.contains(key.as_bytes())) {
                        written.push(key);
                        let value = vec![b'v'; rng.usize(..20)];
                        ops.push(Op::Put(Put::new(key, value, expiry)));
                    }
                }
            }
        }
        ops
    };
    txn.then = branch(rng, &txn.conditions);
    txn.otherwise = branch(rng, &[]);
    txn
}

/// A range at a revision, read in small pages.
async fn listed(rng: &mut Rng, store: &EmbeddedStore, range: &KeyRange, at: At) -> Result<Vec<Entry>, Reason> {
    let mut request = PageRequest::new(range.clone());
    (request.at, request.max_items) = (at, rng.usize(1..4));
    let mut entries = Vec::new();
    loop {
        let page = store.page(request.clone()).await.map_err(|error| error.reason().clone())?;
        entries.extend(page.entries);
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return Ok(entries),
        }
    }
}

async fn check_reads(rng: &mut Rng, store: &EmbeddedStore, oracle: &Oracle) {
    let (key, range, at) = (Bytes::from(key(rng)), range(rng), revision(rng, oracle));
    let got = store.get(key.clone(), At::Revision(at)).await.map_err(|error| error.reason().clone());
    let list = listed(rng, store, &range, At::Revision(at)).await;
    if at.get() > oracle.revision() {
        assert_eq!((got, list), (Err(Reason::Future), Err(Reason::Future)));
    } else if at.get() < oracle.compacted {
        let gone = Reason::Compacted(Revision::new(oracle.compacted));
        assert_eq!((got, list), (Err(gone.clone()), Err(gone)));
    } else {
        let state = &oracle.states[at.get() as usize];
        assert_eq!(got, Ok(state.get(&key).cloned()), "{key:?} at {at}");
        let wanted: Vec<Entry> = state.values().filter(|entry| range.contains(&entry.key)).cloned().collect();
        assert_eq!(list, Ok(wanted), "{range} at {at}");
    }
    assert_eq!(store.get(key.clone(), At::Latest).await.unwrap(), oracle.now().get(&key).cloned());
    let wanted: Vec<Entry> = oracle.now().values().filter(|entry| range.contains(&entry.key)).cloned().collect();
    assert_eq!(listed(rng, store, &range, At::Latest).await, Ok(wanted), "{range} now");
}

/// Compares a change with the states.
fn check_change(oracle: &Oracle, revision: u64, change: &Change, wanted: &(Option<Entry>, Option<Entry>)) {
    let (before, after) = wanted;
    match (&change.kind, after) {
        (ChangeKind::Put { entry, created, .. }, Some(after)) => {
            assert_eq!((entry, *created), (after, Some(before.is_none())), "at {revision}");
        }
        (ChangeKind::Deleted { .. }, None) => {}
        (told, after) => panic!("at {revision} {after:?} is told as {told:?}"),
    }
    match (&change.previous, before) {
        (Previous::Absent, None) => {}
        (Previous::Entry(told), Some(before)) => assert_eq!(told, before, "at {revision}"),
        // Values from before the oldest revision are not kept.
        (Previous::Unknown, Some(_)) if revision <= oracle.compacted => {}
        (told, before) => panic!("at {revision} {before:?} was before, and is told as {told:?}"),
    }
}

async fn check_watch(rng: &mut Rng, store: &EmbeddedStore, oracle: &Oracle) {
    let range = range(rng);
    // Often at the oldest revision, where changes are most easily lost.
    let from = match rng.u8(..3) {
        0 => Revision::new(oracle.compacted).unwrap(),
        _ => revision(rng, oracle),
    };
    let options = WatchOptions::default().with_previous().from(from);
    let mut watch = store.watch(vec![range.clone()], options).await.unwrap();
    let mut at = from.get();
    if at < oracle.compacted {
        let begin = timeout(MINUTE, watch.next()).await.unwrap().unwrap();
        assert!(matches!(begin, Event::SnapshotBegin { cause: Cause::Compacted, .. }), "{begin:?}");
        let mut items = Vec::new();
        let end = loop {
            match watch.next().await.unwrap() {
                Event::Item(entry) => items.push(entry),
                event => break event,
            }
        };
        assert_eq!(end, Event::snapshot_end(range.clone(), Revision::new(oracle.revision())));
        let wanted: Vec<Entry> = oracle.now().values().filter(|entry| range.contains(&entry.key)).cloned().collect();
        assert_eq!(items, wanted);
        return;
    }
    while at <= oracle.revision() {
        let wanted = oracle.changes(at, &range);
        if !wanted.is_empty() {
            let told = timeout(MINUTE, watch.next()).await.unwrap().unwrap();
            let Event::Changes { revision, changes, .. } = told else { panic!("{told:?}") };
            assert_eq!(
                (revision, changes.len()),
                (Revision::new(at), wanted.len()),
                "{range} from {from}: {changes:?}"
            );
            for change in &changes {
                check_change(oracle, at, change, &wanted[&change.key]);
            }
        }
        at += 1;
    }
    assert_eq!(watch.handle().stats().queued, 0, "more is told than has happened");
}

async fn compare(seed: u64, config: EmbeddedConfig) {
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let mut store = EmbeddedStore::open(&config).await.unwrap();
    let (mut oracle, mut leases) = (Oracle::new(), Vec::new());
    for _ in 0..STEPS {
        match rng.u8(..20) {
            0 => {
                let upto = revision(&mut rng, &oracle);
                let compacted = store.compact(upto).await.map_err(|error| error.reason().clone());
                if upto.get() > oracle.revision() {
                    assert_eq!(compacted, Err(Reason::Future));
                } else {
                    assert_eq!(compacted, Ok(()));
                    oracle.compacted = oracle.compacted.max(upto.get());
                }
            }
            1 if leases.len() < 3 => leases.push(store.grant(MINUTE * 60).await.unwrap().0),
            2 if !leases.is_empty() => {
                let lease = leases.swap_remove(rng.usize(..leases.len()));
                store.revoke(lease).await.unwrap();
                oracle.revoke(lease);
            }
            3..5 => check_reads(&mut rng, &store, &oracle).await,
            5 => check_watch(&mut rng, &store, &oracle).await,
            6 if !config.in_memory => {
                store.close().await.unwrap();
                store = EmbeddedStore::open(&config).await.unwrap();
            }
            _ => {
                let txn = txn(&mut rng, &oracle, &leases);
                let outcome = store.commit(txn.clone()).await.unwrap();
                let (succeeded, results) = oracle.commit(&txn);
                assert_eq!((outcome.succeeded, outcome.results), (succeeded, results), "{txn:?}");
                assert_eq!(outcome.revision, Revision::new(oracle.revision()), "{txn:?}");
            }
        }
        assert_eq!(store.revision().await.unwrap().get(), oracle.revision());
    }
    for _ in 0..20 {
        check_reads(&mut rng, &store, &oracle).await;
        check_watch(&mut rng, &store, &oracle).await;
    }
    store.close().await.unwrap();
}

/// `ORACLE_SEED` runs one seed again.
fn seeds(count: usize) -> Vec<u64> {
    match std::env::var("ORACLE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..count).map(|_| fastrand::u64(..)).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory_it_does_what_a_naive_store_does() {
    for seed in seeds(8) {
        compare(seed, EmbeddedConfig { in_memory: true, ..EmbeddedConfig::default() }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_that_is_closed_now_and_then_it_does_what_a_naive_store_does() {
    for (number, seed) in seeds(2).into_iter().enumerate() {
        let path = crate::folder(&format!("oracle-{number}")).join("data.redb");
        // With 0, revisions are compacted by calls only.
        compare(seed, EmbeddedConfig { path: Some(path), keep_revisions: 0, ..EmbeddedConfig::default() }).await;
    }
}
