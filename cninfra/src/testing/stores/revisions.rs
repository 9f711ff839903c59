//! Checks of stores with revisions.

use super::{
    Broken, Check, Done, Trial,
    picture::{Picture, pairs},
};
use crate::keyval::{
    At, Bytes, Cause, Compare, Delivery, KeyRange, Kv, PageRequest, Previous, Reason, Revision, Revisions, Store, Txn,
    WatchOptions,
};

pub(super) fn checks<S: Store + Revisions>() -> Vec<Check<S>> {
    checks! {
        "each change makes a revision, and what changes nothing makes none" => grow,
        "a key is read as it was" => as_it_was,
        "a listing is of one state, whatever is written meanwhile" => of_one_state,
        "a write on a condition on revisions happens if that holds" => conditions,
        "a watch begins at any state that is kept" => from,
        "what is compacted is said to be" => compacted,
        "what is compacted already is compacted without an error" => compacted_already,
        "a delete at the state that is compacted to is not lost" => at_the_edge,
    }
}

fn of(revision: Option<Revision>, what: &str) -> Result<Revision, Broken> {
    revision.ok_or_else(|| Broken(format!("{what} has no revision")))
}

fn options(from: Revision) -> WatchOptions {
    WatchOptions::default().with_previous().from(from)
}

async fn grow<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let one = of(kv.put("k", "1").await?.revision, "a put")?;
    let two = of(kv.put("k", "1").await?.revision, "a put")?;
    ensure!(two > one, "a put of the same value is of revision {two}, the one before was of {one}");
    let Some(entry) = kv.get("k").await? else { fail!("a key that was put is not there") };
    let told = (entry.revision, entry.created, entry.version);
    ensure!(told == (Some(two), Some(one), Some(2)), "made at {one} and written at {two} it is {told:?}");
    let now = trial.store.revision().await?;
    ensure!(now >= two, "the newest state is {now}, and something was written at {two}");
    let nothing = of(kv.commit(Txn::new().delete("none").get("k")).await?.revision, "a transaction")?;
    let later = of(kv.put("l", "1").await?.revision, "a put")?;
    ensure!(nothing < later, "what changes nothing is of revision {nothing}, what comes later of {later}");
    kv.delete("k").await?;
    let anew = of(kv.put("k", "1").await?.revision, "a put")?;
    let entry = kv.get("k").await?;
    let told = entry.map(|entry| (entry.created, entry.version));
    ensure!(told == Some((Some(anew), Some(1))), "made anew at {anew} it is {told:?}");
    Ok(())
}

async fn as_it_was<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let mut states = Vec::new();
    for value in ["1", "", "3"] {
        states.push((of(kv.put("k", value).await?.revision, "a put")?, Some(value)));
    }
    let outcome = kv.commit(Txn::new().delete("k").put("l", "4")).await?;
    states.push((of(outcome.revision, "a transaction")?, None));
    states.push((of(kv.put("k", "5").await?.revision, "a put")?, Some("5")));
    for (revision, value) in states {
        let found = kv.get_at("k", revision).await?.map(|entry| entry.value);
        ensure!(found == value.map(Bytes::from), "at {revision} it was {value:?}, and is read as {found:?}");
        let mut request = PageRequest::new(KeyRange::prefix("k"));
        request.at = At::Revision(revision);
        let listed = kv.list_with(request).all().await?.pop().map(|entry| entry.value);
        ensure!(listed == value.map(Bytes::from), "at {revision} it was {value:?}, and is listed as {listed:?}");
    }
    let far = Revision::new(trial.store.revision().await?.get() + 1_000_000);
    let error = kv.get_at("k", of(far, "the future")?).await;
    ensure!(matches!(&error, Err(error) if *error.reason() == Reason::Future), "a state to come is read as {error:?}");
    Ok(())
}

async fn of_one_state<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    for number in 0..60 {
        kv.put(format!("k{number:02}"), "before").await?;
    }
    let mut request = PageRequest::new(KeyRange::prefix("k"));
    request.max_items = 10;
    let mut listing = kv.list_with(request);
    let mut values = Vec::new();
    let mut number = 60;
    while let Some(entry) = listing.next().await? {
        values.push(entry.value);
        number -= 1;
        kv.put(format!("k{number:02}"), "after").await?;
        kv.delete(format!("k{:02}", 59 - number / 2)).await?;
    }
    let before = values.iter().filter(|value| **value == "before").count();
    ensure!(
        values.len() == 60 && before == 60,
        "of 60 keys {} are listed, {before} of them as they were",
        values.len()
    );
    Ok(())
}

async fn conditions<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let made = of(kv.put("k", "1").await?.revision, "a put")?;
    let other = of(kv.put("l", "1").await?.revision, "a put")?;
    let written = of(kv.put("k", "2").await?.revision, "a put")?;
    let later = of(Revision::new(written.get() + 1), "the next state")?;
    for (key, is, holds) in [
        ("k", Compare::Revision(written), true),
        ("k", Compare::Revision(made), false),
        ("k", Compare::Created(made), true),
        ("k", Compare::Created(written), false),
        ("l", Compare::Revision(other), true),
        ("k", Compare::Before(later), true),
        ("k", Compare::Before(written), false),
        ("none", Compare::Before(written), true),
        ("none", Compare::Revision(written), false),
    ] {
        let outcome = kv.commit(Txn::new().when(key, is.clone()).get(key)).await?;
        ensure!(outcome.succeeded == holds, "that `{key}` is {is:?} holds: {}", outcome.succeeded);
    }
    Ok(())
}

/// Writes a history of keys. Returns its first revision for `a`.
async fn history<S: Store + Revisions>(kv: &Kv<S>) -> Result<Revision, Broken> {
    kv.put("before", "1").await?;
    let first = of(kv.put("a", "1").await?.revision, "a put")?;
    kv.commit(Txn::new().put("a", "2").put("b", "1")).await?;
    kv.delete("a").await?;
    kv.put("b", "2").await?;
    Ok(first)
}

async fn from<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let first = history(&kv).await?;
    let mut picture = Picture::new(kv.watch([""], options(first)).await?, Delivery::EveryRevision);
    picture.until_known("the history", &pairs([("b", "2")])).await?;
    kv.put("after", "1").await?;
    picture.until_known("what comes after the history", &pairs([("after", "1"), ("b", "2")])).await?;
    ensure!(picture.snapshots.is_empty(), "the history is kept, and there are snapshots: {:?}", picture.snapshots);
    let told: Vec<usize> = picture.changes.iter().map(|(_, changes)| changes.len()).collect();
    ensure!(told == [1, 2, 1, 1, 1], "five transactions are told as {told:?}");
    let (_, changes) = &picture.changes[2];
    let was_told = matches!(&changes[0].previous, Previous::Entry(entry) if entry.value == "2");
    ensure!(was_told, "what a deleted key was before is {:?}", changes[0].previous);
    ensure!(changes[0].value().is_none(), "a delete is told as {:?}", changes[0]);
    Ok(())
}

async fn compacted<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let first = history(&kv).await?;
    let last = of(kv.put("c", "1").await?.revision, "a put")?;
    trial.store.compact(last).await?;
    let read = kv.get_at("a", first).await;
    let is_told = matches!(&read, Err(error) if matches!(error.reason(), Reason::Compacted(_)));
    ensure!(is_told, "a state that is compacted is read as {read:?}");
    let found = kv.get_at("b", last).await?.map(|entry| entry.value);
    ensure!(found == Some("2".into()), "the state that was compacted to is read as {found:?}");
    let mut picture = Picture::new(kv.watch([""], options(first)).await?, Delivery::EveryRevision);
    picture.until_snapshots(1).await?;
    let causes: Vec<Cause> = picture.snapshots.iter().map(|(_, cause)| *cause).collect();
    ensure!(causes == [Cause::Compacted], "a history that is compacted is told by {causes:?}");
    let now = pairs([("before", "1"), ("b", "2"), ("c", "1")]);
    ensure!(picture.known == now, "after a compaction there is {:?}", picture.known);
    kv.put("d", "1").await?;
    picture.until("what comes after it", |picture| picture.known.contains_key("d".as_bytes())).await?;
    Ok(())
}

async fn compacted_already<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let first = history(&kv).await?;
    let last = of(kv.put("c", "1").await?.revision, "a put")?;
    trial.store.compact(last).await?;
    for upto in [last, first] {
        let again = trial.store.compact(upto).await;
        ensure!(again.is_ok(), "compacted to {last} already, a compaction to {upto} is {again:?}");
    }
    let found = kv.get_at("c", last).await?.map(|entry| entry.value);
    ensure!(found == Some("1".into()), "the state that was compacted to is read as {found:?}");
    let far = of(Revision::new(trial.store.revision().await?.get() + 1_000_000), "the future")?;
    let future = trial.store.compact(far).await;
    let is_told = future.as_ref().is_err_and(|error| *error.reason() == Reason::Future);
    ensure!(is_told, "a compaction to a state to come is {future:?}");
    let found = kv.get_at("c", last).await?.map(|entry| entry.value);
    ensure!(found == Some("1".into()), "after one that was refused, the state before is read as {found:?}");
    Ok(())
}

async fn at_the_edge<S: Store + Revisions>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    kv.put("k", "1").await?;
    let outcome = kv.commit(Txn::new().delete("k")).await?;
    let deleted = of(outcome.revision, "a transaction")?;
    trial.store.compact(deleted).await?;
    let mut picture = Picture::new(kv.watch([""], options(deleted)).await?, Delivery::EveryRevision);
    // The subscriber already knew the key.
    picture.known = pairs([("k", "1")]);
    picture.until_known("a delete at the state that was compacted to", &pairs([])).await
}
