//! Checks of watches whose subscriber does not keep up: with each policy it reaches the true state, and delays nobody
//! else.

use super::{
    Check, Done, Trial,
    picture::{Picture, pairs},
};
use crate::keyval::{Delivery, Overflow, Store, WatchOptions};
use futures_util::future;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "a slow subscriber that wants all is told all" => all,
        "a slow subscriber that wants the latest is told that" => latest,
        "a slow subscriber that wants snapshots is told one" => snapshot,
        "a subscriber that takes nothing is told nothing anew" => idle,
        "a subscriber that never looks keeps a part of what is there" => unseen,
        "slow subscribers hold up nobody" => nobody,
    }
}

const QUEUE: usize = 8;
const CHANGES: u32 = 400;
const KEYS: u32 = 40;
/// No call takes longer because another subscriber is slow.
const AT_ONCE: Duration = Duration::from_secs(5);

fn options(overflow: Overflow) -> WatchOptions {
    WatchOptions::default().with_queue(QUEUE, overflow)
}

/// A subscriber that has received the first snapshot, but none of the many later changes.
async fn slow<S: Store>(
    trial: &Trial<S>,
    overflow: Overflow,
) -> Result<(Picture, BTreeMap<String, String>), super::Broken> {
    let kv = trial.kv();
    let mut picture = Picture::new(kv.watch([""], options(overflow)).await?, kv.capabilities().delivery);
    picture.until_snapshots(1).await?;
    let mut wanted = BTreeMap::new();
    for number in 0..CHANGES {
        let key = format!("k{:02}", number % KEYS);
        match timeout(AT_ONCE, kv.put(&key, number.to_string())).await {
            Ok(written) => drop(written?),
            Err(_) => fail!("while a subscriber is slow, a put does not end within {AT_ONCE:?}"),
        }
        wanted.insert(key, number.to_string());
    }
    kv.delete("k00").await?;
    wanted.remove("k00");
    // Long enough for the store to report the changes.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stats = picture.watch().handle().stats();
    ensure!(stats.queued <= 2 * QUEUE, "of a queue of {QUEUE} there wait {}", stats.queued);
    Ok((picture, wanted))
}

async fn catches_up(picture: &mut Picture, wanted: &BTreeMap<String, String>) -> Done {
    let wanted = pairs(wanted.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    picture.until_known("the true state", &wanted).await?;
    picture.is_quiet().await
}

async fn all<S: Store>(trial: Trial<S>) -> Done {
    let (mut picture, wanted) = slow(&trial, Overflow::Block).await?;
    catches_up(&mut picture, &wanted).await?;
    if trial.kv().capabilities().delivery == Delivery::EveryRevision {
        let told = picture.changes.len();
        ensure!(told == CHANGES as usize + 1, "of {} changes {told} were told", CHANGES + 1);
        ensure!(picture.snapshots.len() == 1, "what is kept by the store is told as {:?}", picture.snapshots);
    }
    Ok(())
}

async fn latest<S: Store>(trial: Trial<S>) -> Done {
    let (mut picture, wanted) = slow(&trial, Overflow::CoalesceByKey).await?;
    catches_up(&mut picture, &wanted).await?;
    let stats = picture.watch().handle().stats();
    ensure!(stats.coalesced + stats.resnapshots > 0, "what was left out is not counted: {stats:?}");
    let told = picture.changes.len();
    ensure!(told < CHANGES as usize, "of a queue of {QUEUE} all {told} changes were told");
    Ok(())
}

async fn snapshot<S: Store>(trial: Trial<S>) -> Done {
    let (mut picture, wanted) = slow(&trial, Overflow::Resnapshot).await?;
    catches_up(&mut picture, &wanted).await?;
    let stats = picture.watch().handle().stats();
    ensure!(stats.resnapshots > 0 && stats.overflows > 0, "what was thrown away is not counted: {stats:?}");
    ensure!(picture.snapshots.len() > 1, "what was thrown away is not told anew");
    Ok(())
}

async fn idle<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let mut picture = Picture::new(kv.watch([""], options(Overflow::Resnapshot)).await?, kv.capabilities().delivery);
    picture.until_snapshots(1).await?;
    // So few keys that the queue has room for all of them at any time.
    for number in 0..20 * QUEUE {
        kv.put(format!("k{}", number % 3), number.to_string()).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stats = picture.watch().handle().stats();
    ensure!(stats.resnapshots == 1, "what nobody takes is thrown away more than once: {stats:?}");
    ensure!(stats.queued == 0, "what was thrown away is told to who does not look: {stats:?}");
    let last: Vec<(String, String)> =
        (20 * QUEUE - 3..20 * QUEUE).map(|number| (format!("k{}", number % 3), number.to_string())).collect();
    let wanted = pairs(last.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    picture.until_known("the true state", &wanted).await
}

async fn unseen<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let keys: Vec<String> = (0..KEYS).map(|number| format!("k{number:02}")).collect();
    future::try_join_all(keys.iter().map(|key| kv.put(key, "1"))).await?;
    let mut watches = Vec::new();
    for overflow in [Overflow::Block, Overflow::CoalesceByKey, Overflow::Resnapshot] {
        watches.push(kv.watch([""], options(overflow)).await?);
    }
    // Long enough for the store to report the snapshots.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let wanted = pairs(keys.iter().map(|key| (key.as_str(), "1")));
    for watch in watches {
        let queued = watch.handle().stats().queued;
        ensure!(queued <= QUEUE, "of a snapshot of {KEYS} keys {queued} events wait in a queue of {QUEUE}");
        // The rest arrives as soon as the watch is read.
        let mut picture = Picture::new(watch, kv.capabilities().delivery);
        picture.until_known("all that is there", &wanted).await?;
    }
    Ok(())
}

async fn nobody<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let mut slow = Vec::new();
    for overflow in [Overflow::Block, Overflow::Block, Overflow::Block, Overflow::CoalesceByKey, Overflow::Resnapshot] {
        slow.push(kv.watch([""], options(overflow)).await?);
    }
    let mut quick = Picture::new(kv.watch([""], WatchOptions::default()).await?, kv.capabilities().delivery);
    let value = "x".repeat(4 << 10);
    for round in 0..10 {
        let keys: Vec<String> = (0..50).map(|number| format!("k{number}")).collect();
        let puts = keys.iter().map(|key| kv.put(key, format!("{round}{value}")));
        match timeout(AT_ONCE * 2, future::try_join_all(puts)).await {
            Ok(written) => drop(written?),
            Err(_) => fail!("while others are slow, 50 puts do not end within {:?}", AT_ONCE * 2),
        }
        let is_last = |picture: &Picture| {
            keys.iter().all(|key| {
                picture.known.get(key.as_bytes()).is_some_and(|value| value.starts_with(round.to_string().as_bytes()))
            })
        };
        quick.until("what is new, while others are slow", is_last).await?;
    }
    let written = timeout(AT_ONCE, kv.get("k0")).await;
    ensure!(written.is_ok(), "while others are slow, a read does not end within {AT_ONCE:?}");
    drop(slow);
    Ok(())
}
