//! Checks of watches whose subscriber keeps up.

use super::{
    Check, Done, Trial,
    picture::{Picture, pairs},
};
use crate::keyval::{Cause, ChangeKind, Delivery, KeyRange, Store, Txn, WatchOptions};

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "a watch tells what is there, and then what changes" => tells,
        "a watch tells the changes of its keys alone" => its_own,
        "a transaction is told as one" => as_one,
        "ranges are added to a watch, taken out and told anew" => ranges,
        "many watches see the same" => many,
    }
}

async fn tells<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    kv.put("a", "1").await?;
    kv.put("empty", "").await?;
    let options = WatchOptions::default().with_previous();
    let mut picture = Picture::new(kv.watch([""], options).await?, kv.capabilities().delivery);
    picture.until_snapshots(1).await?;
    ensure!(picture.snapshots == [(KeyRange::all(), Cause::Start)], "it begins with {:?}", picture.snapshots);
    ensure!(picture.known == pairs([("a", "1"), ("empty", "")]), "the snapshot has {:?}", picture.known);
    kv.put("a", "2").await?;
    kv.put("b", "").await?;
    kv.delete("empty").await?;
    picture.until_known("three changes", &pairs([("a", "2"), ("b", "")])).await?;
    // A deleted key that is written again.
    kv.put("empty", "again").await?;
    picture.until_known("a key that comes back", &pairs([("a", "2"), ("b", ""), ("empty", "again")])).await?;
    kv.delete("a").await?;
    picture.until_known("a delete", &pairs([("b", ""), ("empty", "again")])).await?;
    picture.is_quiet().await?;
    if kv.capabilities().delivery == Delivery::EveryRevision {
        ensure!(picture.changes.len() == 5, "of five changes {} were told", picture.changes.len());
        let created = picture.changes.iter().flat_map(|(_, changes)| changes).filter_map(|change| match &change.kind {
            ChangeKind::Put { created, .. } => *created,
            ChangeKind::Deleted { .. } => None,
        });
        let created: Vec<bool> = created.collect();
        ensure!(created == [false, true, true], "of three puts it tells whether they made a key: {created:?}");
    }
    Ok(())
}

async fn its_own<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    for key in ["p", "p/", "p*/1", "p0"] {
        kv.put(key, "before").await?;
    }
    let ranges = [KeyRange::prefix("p/"), KeyRange::prefix("p*/"), KeyRange::key("k")];
    let watch = kv.watch_ranges(ranges, WatchOptions::default()).await?;
    let mut picture = Picture::new(watch, kv.capabilities().delivery);
    picture.until_snapshots(3).await?;
    ensure!(picture.known == pairs([("p/", "before"), ("p*/1", "before")]), "the snapshots have {:?}", picture.known);
    for key in ["p", "p0", "pp/1", "kk", "k/"] {
        kv.put(key, "not for it").await?;
    }
    kv.delete("p0").await?;
    for key in ["p/2", "p*/2", "k"] {
        kv.put(key, "after").await?;
    }
    let wanted = pairs([("p/", "before"), ("p*/1", "before"), ("p/2", "after"), ("p*/2", "after"), ("k", "after")]);
    picture.until_known("the changes of its own keys", &wanted).await?;
    picture.is_quiet().await
}

async fn as_one<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.slot();
    kv.put("b", "old").await?;
    let mut picture = Picture::new(kv.watch([""], WatchOptions::default()).await?, kv.capabilities().delivery);
    picture.until_snapshots(1).await?;
    let outcome = kv.commit(Txn::new().put("a", "1").delete("b").put("c", "3")).await?;
    picture.until_known("three changes of one transaction", &pairs([("a", "1"), ("c", "3")])).await?;
    if kv.capabilities().delivery == Delivery::EveryRevision {
        let told: Vec<_> = picture.changes.iter().map(|(revision, changes)| (*revision, changes.len())).collect();
        ensure!(told == [(outcome.revision, 3)], "a transaction of three changes is told as {told:?}");
        // A transaction that changes nothing is not reported.
        kv.commit(Txn::new().get("a").delete("none")).await?;
        picture.is_quiet().await?;
    }
    Ok(())
}

async fn ranges<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    for key in ["a/1", "b/1"] {
        kv.put(key, "1").await?;
    }
    let mut picture = Picture::new(kv.watch(["a/"], WatchOptions::default()).await?, kv.capabilities().delivery);
    let handle = picture.watch().handle().clone();
    picture.until_snapshots(1).await?;
    handle.add(KeyRange::prefix("b/")).await?;
    picture.until_snapshots(2).await?;
    ensure!(
        picture.snapshots[1] == (KeyRange::prefix("b/"), Cause::Added),
        "an added range is {:?}",
        picture.snapshots[1]
    );
    let both = pairs([("a/1", "1"), ("b/1", "1")]);
    ensure!(picture.known == both, "with an added range there is {:?}", picture.known);
    for key in ["a/1", "b/1"] {
        kv.put(key, "2").await?;
    }
    picture.until_known("the changes of both ranges", &pairs([("a/1", "2"), ("b/1", "2")])).await?;
    handle.snapshot().await?;
    picture.until_snapshots(4).await?;
    let asked = picture.snapshots[2..].iter().all(|(_, cause)| *cause == Cause::Requested);
    ensure!(asked, "the snapshots that were asked for are {:?}", &picture.snapshots[2..]);
    ensure!(handle.remove(KeyRange::prefix("c/")).await.is_err(), "a range is taken out that was never there");
    handle.remove(KeyRange::prefix("a/")).await?;
    picture.until("that a range was taken out", |picture| !picture.removed.is_empty()).await?;
    ensure!(picture.removed == [KeyRange::prefix("a/")], "the range that was taken out is {:?}", picture.removed);
    kv.put("a/1", "3").await?;
    kv.put("b/1", "3").await?;
    picture.until_known("the change of the range that is left", &pairs([("a/1", "2"), ("b/1", "3")])).await?;
    picture.is_quiet().await
}

async fn many<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let mut pictures = Vec::new();
    for _ in 0..8 {
        pictures.push(Picture::new(kv.watch([""], WatchOptions::default()).await?, kv.capabilities().delivery));
    }
    let keys: Vec<String> = (0..40).map(|number| format!("k{}", number % 10)).collect();
    for (number, key) in keys.iter().enumerate() {
        kv.put(key, number.to_string()).await?;
    }
    let values: Vec<String> = (30..40).map(|number: u32| number.to_string()).collect();
    let wanted = pairs(keys[30..].iter().map(String::as_str).zip(values.iter().map(String::as_str)));
    // Every second watch is dropped; the others must miss nothing.
    let kept: Vec<Picture> = pictures.into_iter().step_by(2).collect();
    for mut picture in kept {
        picture.until_known("ten keys", &wanted).await?;
    }
    Ok(())
}
