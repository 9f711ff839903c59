//! Checks of stores with leases.

use super::{
    Check, Done, SOON, Trial, eventually,
    picture::{Picture, pairs},
};
use crate::keyval::{Applied, Expiry, LONGEST_LIFE, LeaseId, Leases, Reason, Store, WatchOptions};
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(super) fn checks<S: Store + Leases>() -> Vec<Check<S>> {
    checks! {
        "keys of a lease end with it" => together,
        "a lease lives as long as it was granted, or is kept alive" => lives,
        "a lease that is to live for ever lives as long as can be" => for_ever,
        "a key leaves a lease by another write" => leaves,
        "a lease that is gone is said to be" => gone,
    }
}

async fn together<S: Store + Leases>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let (lease, _) = trial.store.grant(Duration::from_secs(60)).await?;
    let (other, _) = trial.store.grant(Duration::from_secs(60)).await?;
    ensure!(lease != other, "two leases have one name");
    for key in ["a", "b"] {
        let written = kv.put_with(key, "1", Expiry::Lease(lease)).await?;
        ensure!(written.lease == Some(lease), "a key of {lease} is told to be of {:?}", written.lease);
    }
    kv.put_with("c", "1", Expiry::Lease(other)).await?;
    let found = kv.get("a").await?.and_then(|entry| entry.lease);
    ensure!(found == Some(lease), "a key of {lease} is read as one of {found:?}");
    let mut picture = Picture::new(kv.watch([""], WatchOptions::default()).await?, kv.capabilities().delivery);
    picture.until_snapshots(1).await?;
    trial.store.revoke(lease).await?;
    picture.until_known("the end of two keys", &pairs([("c", "1")])).await?;
    ensure!(kv.list_keys("").all().await?.len() == 1, "keys of a lease that was revoked are there");
    trial.store.revoke(lease).await?;
    trial.store.revoke(other).await?;
    Ok(())
}

async fn lives<S: Store + Leases>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let asked = kv.capabilities().ttl_min.max(Duration::from_secs(1));
    let (short, life) = trial.store.grant(asked).await?;
    ensure!(life >= asked, "asked for {asked:?} it grants {life:?}");
    let (kept, _) = trial.store.grant(asked).await?;
    kv.put_with("short", "1", Expiry::Lease(short)).await?;
    kv.put_with("kept", "1", Expiry::Lease(kept)).await?;
    let began = Instant::now();
    let gone = async || {
        let left = trial.store.keep_alive(kept).await?;
        ensure!(left >= asked, "kept alive, a lease of {asked:?} has {left:?} left");
        Ok(kv.get("short").await?.is_none())
    };
    eventually("that a key is gone with its lease", life + SOON, gone).await?;
    let lived = began.elapsed();
    ensure!(lived + Duration::from_secs(1) >= life, "granted {life:?}, a lease lived {lived:?}");
    sleep(life / 2).await;
    ensure!(kv.get("kept").await?.is_some(), "a lease that was kept alive has ended");
    let left = trial.store.time_left(kept).await?;
    ensure!(left.is_some_and(|left| left <= life), "of a life of {life:?} there is left {left:?}");
    trial.store.revoke(kept).await?;
    Ok(())
}

async fn for_ever<S: Store + Leases>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    for asked in [LONGEST_LIFE, LONGEST_LIFE + Duration::from_secs(1), Duration::MAX] {
        let (lease, life) = trial.store.grant(asked).await?;
        ensure!(life >= LONGEST_LIFE, "asked for {asked:?} it grants {life:?}");
        kv.put_with("k", "1", Expiry::Lease(lease)).await?;
        let left = trial.store.keep_alive(lease).await?;
        ensure!(left >= LONGEST_LIFE, "kept alive, a lease of {life:?} has {left:?} left");
        ensure!(kv.get("k").await?.is_some(), "a key whose lease has {left:?} is gone");
        trial.store.revoke(lease).await?;
    }
    Ok(())
}

async fn leaves<S: Store + Leases>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let (lease, _) = trial.store.grant(Duration::from_secs(60)).await?;
    for key in ["left", "kept"] {
        kv.put_with(key, "1", Expiry::Lease(lease)).await?;
    }
    kv.put("left", "2").await?;
    ensure!(kv.compare_and_swap("kept", "1", "2").await?, "a value of a lease is not swapped");
    let found = kv.get("left").await?.and_then(|entry| entry.lease);
    ensure!(found.is_none(), "a key that was written without a lease is of {found:?}");
    trial.store.revoke(lease).await?;
    let found: Vec<_> = kv.list_keys("").all().await?.into_iter().map(|entry| entry.key).collect();
    ensure!(found == ["left"], "after the end of a lease there is {found:?}");
    Ok(())
}

async fn gone<S: Store + Leases>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let (lease, _) = trial.store.grant(Duration::from_secs(60)).await?;
    trial.store.revoke(lease).await?;
    // Lease 0 exists nowhere, whatever 0 means to the server.
    for lease in [lease, LeaseId(i64::MAX - i64::from(trial.name)), LeaseId(0)] {
        let put = kv.put_with("k", "1", Expiry::Lease(lease)).await;
        let is_told = |error: &crate::keyval::KvError| {
            *error.reason() == Reason::NoLease(lease) && error.applied() == Applied::No
        };
        ensure!(put.as_ref().is_err_and(is_told), "a put with a lease that is gone is {put:?}");
        let kept = trial.store.keep_alive(lease).await;
        ensure!(
            kept.as_ref().is_err_and(|error| *error.reason() == Reason::NoLease(lease)),
            "kept alive it is {kept:?}"
        );
        let left = trial.store.time_left(lease).await?;
        ensure!(left.is_none(), "of a lease that is gone there is left {left:?}");
    }
    ensure!(kv.get("k").await?.is_none(), "what was refused was done nevertheless");
    Ok(())
}
