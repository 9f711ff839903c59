//! Checks of transactions.

use super::{Check, Done, Trial};
use crate::keyval::{Capabilities, Compare, KeyRange, Op, OpResult, Store, Txn};

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "a transaction does one of two things, as its conditions say" => branches,
        "a transaction tells what came of each of its operations" => results,
        "a transaction does all or nothing" => whole,
    }
}

async fn branches<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.slot();
    kv.put("there", "1").await?;
    let cases = [
        ("there", Compare::Present, true),
        ("there", Compare::Absent, false),
        ("there", Compare::Value("1".into()), true),
        ("there", Compare::Value("2".into()), false),
        ("gone", Compare::Present, false),
        ("gone", Compare::Absent, true),
        ("gone", Compare::Value("".into()), false),
    ];
    for (key, is, holds) in &cases {
        let txn = Txn::new()
            .when(*key, is.clone())
            .put("then", "1")
            .or_get("there")
            .or(Op::delete(KeyRange::key("then"), false));
        let outcome = kv.commit(txn).await?;
        ensure!(outcome.succeeded == *holds, "that `{key}` is {is:?} holds: {}", outcome.succeeded);
        let wrote = kv.delete("then").await?;
        ensure!(wrote == *holds, "that `{key}` is {is:?} holds: {holds}, but it wrote: {wrote}");
        let count = if *holds { 1 } else { 2 };
        ensure!(outcome.results.len() == count, "of {count} operations there are {} results", outcome.results.len());
    }
    // All conditions have to hold.
    let both = Txn::new().when("there", Compare::Present).when("gone", Compare::Present).put("then", "1");
    ensure!(!kv.commit(both).await?.succeeded, "of two conditions one holds, and that is enough");
    let none = Txn::new().put("a", "1").put("b", "2");
    ensure!(kv.commit(none).await?.succeeded, "without a condition it does nothing");
    Ok(())
}

async fn results<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.slot();
    for key in ["d/1", "d/2", "g/1"] {
        kv.put(key, key).await?;
    }
    let txn = Txn::new().put("p", "new").delete_range(KeyRange::prefix("d/")).get("g/1").get("none").delete("none");
    let outcome = kv.commit(txn).await?;
    let [
        OpResult::Put { ttl: None, .. },
        OpResult::Deleted { count: 2, .. },
        OpResult::Got(one),
        OpResult::Got(none),
        OpResult::Deleted { count: 0, .. },
    ] = &outcome.results[..]
    else {
        fail!("the results are {:?}", outcome.results);
    };
    ensure!(one.len() == 1 && one[0].key == "g/1" && one[0].value == "g/1", "`g/1` is read as {one:?}");
    ensure!(none.is_empty(), "a key that is not there is read as {none:?}");
    ensure!(kv.get("p").await?.is_some_and(|entry| entry.value == "new"), "what it wrote is not there");
    ensure!(outcome.revision.is_some() == kv.capabilities().revisions, "its revision is {:?}", outcome.revision);
    // The deleted entries are returned on request.
    kv.put("d/1", "old").await?;
    let outcome = kv.commit(Txn::one(Op::delete(KeyRange::prefix("d/"), true))).await?;
    let [OpResult::Deleted { count: 1, previous }] = &outcome.results[..] else {
        fail!("the results are {:?}", outcome.results);
    };
    ensure!(previous.len() == 1 && previous[0].value == "old", "what was deleted is {previous:?}");
    Ok(())
}

/// Several keys are written together by one task, and read together by another one, which must never see them partly
/// written.
async fn whole<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.slot();
    let Capabilities { max_txn_ops, .. } = kv.capabilities();
    let keys: Vec<String> = (0..max_txn_ops.min(8)).map(|number| format!("k{number}")).collect();
    let write = |value: u32| {
        let txn = keys.iter().fold(Txn::new(), |txn, key| txn.put(key.clone(), value.to_string()));
        kv.commit(txn)
    };
    write(0).await?;
    let writes = std::cell::Cell::new(true);
    let writer = async {
        let mut done = Ok(());
        for value in 1..=50 {
            done = write(value).await.map(drop);
            if done.is_err() {
                break;
            }
        }
        writes.set(false);
        Done::Ok(done?)
    };
    let reader = async {
        // As long as the writer writes.
        while writes.get() {
            // In the opposite order of the writes: a reader in the same order could miss a partial write.
            let txn = keys.iter().rev().fold(Txn::new(), |txn, key| txn.get(key));
            let outcome = kv.commit(txn).await?;
            let read = outcome.results.iter().flat_map(|result| match result {
                OpResult::Got(entries) => entries.iter().map(|entry| entry.value.clone()).collect(),
                _ => Vec::new(),
            });
            let read: Vec<_> = read.collect();
            ensure!(read.len() == keys.len(), "of {} keys {} were read", keys.len(), read.len());
            ensure!(read.iter().all(|value| *value == read[0]), "keys that are written together are read as {read:?}");
        }
        Done::Ok(())
    };
    let (wrote, read) = tokio::join!(writer, reader);
    wrote.and(read)
}
