//! Checks that a store refuses what it does not support before it does anything.

use super::{Broken, Check, Done, Trial};
use crate::keyval::{
    Applied, At, Bytes, Compare, Expiry, KeyRange, KvError, LeaseId, PageRequest, Reason, Revision, Store, Txn,
    WatchOptions,
};
use std::time::Duration;

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "what cannot be done is refused before anything is done" => before_use,
        "what makes no sense is refused with its key" => nonsense,
    }
}

/// Checks that the request was refused for this reason, and reported as not applied.
fn refused<T>(what: &str, result: Result<T, KvError>, is: impl Fn(&Reason) -> bool) -> Result<KvError, Broken> {
    let Err(error) = result else { fail!("{what} is not refused") };
    ensure!(is(error.reason()), "{what} is refused for another reason: {error}");
    ensure!(error.applied() == Applied::No, "{what} is refused, and may have been applied: {error}");
    Ok(error)
}

async fn before_use<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.slot();
    let has = kv.capabilities();
    let lacks =
        |what: &'static str| move |reason: &Reason| matches!(reason, Reason::Unsupported(lack) if lack.contains(what));
    let too_large = |reason: &Reason| *reason == Reason::TooLarge;
    let Some(revision) = Revision::new(1) else { return Ok(()) };
    if !has.revisions {
        refused("a read at a revision", kv.get_at("k", revision).await, lacks("revisions"))?;
        let mut page = PageRequest::new(KeyRange::all());
        page.at = At::Revision(revision);
        refused("a listing at a revision", kv.list_with(page).next().await, lacks("revisions"))?;
        let txn = Txn::new().when("k", Compare::Before(revision)).put("k", "v");
        refused("a condition on a revision", kv.commit(txn).await, lacks("revisions"))?;
        let from = WatchOptions::default().from(revision);
        refused("a watch from a revision", kv.watch([""], from).await, lacks("revisions"))?;
    }
    if !has.leases {
        let put = kv.put_with("k", "v", Expiry::Lease(LeaseId(1))).await;
        refused("a put with a lease", put, lacks("leases"))?;
    }
    if !has.ordered {
        refused("a range without a prefix", kv.delete_range(KeyRange::between("a", "k")).await, lacks("order"))?;
    }
    let many = (0..=has.max_txn_ops).fold(Txn::new(), |txn, number| txn.put(format!("k{number}"), "v"));
    refused("a transaction of too many operations", kv.commit(many).await, too_large)?;
    // A limit beyond what a test should hold in memory is not tested.
    if has.max_value < 64 << 20 {
        let error = refused("a value that is too large", kv.put("large", vec![0; has.max_value + 1]).await, too_large)?;
        ensure!(error.to_string().contains("large"), "the error of a value that is too large has no key: {error}");
        kv.put("most", vec![0; has.max_value]).await?;
    }
    ensure!(kv.list_keys("k").all().await?.is_empty(), "what was refused was done nevertheless");
    ensure!(kv.get("large").await?.is_none(), "what was refused was done nevertheless");
    Ok(())
}

async fn nonsense<S: Store>(trial: Trial<S>) -> Done {
    let (all, kv) = (crate::keyval::Kv::new(trial.store.clone()), trial.slot());
    let invalid = |reason: &Reason| *reason == Reason::Invalid;
    refused("a put of the empty key", all.put("", "v").await, invalid)?;
    refused("a read of the empty key", all.get("").await, invalid)?;
    refused("a life of no time", kv.put_with("k", "v", Expiry::After(Duration::ZERO)).await, invalid)?;
    refused("to keep the life of nothing", kv.put_with("k", "v", Expiry::Keep).await, invalid)?;
    let twice =
        refused("a key that is written twice", kv.commit(Txn::new().put("k", "1").put("k", "2")).await, invalid)?;
    ensure!(twice.to_string().contains("/k`"), "the error of a key that is written twice has no key: {twice}");
    refused("to write and delete a key", kv.commit(Txn::new().put("k", "1").delete("k")).await, invalid)?;
    let none: [Bytes; 0] = [];
    refused("a watch of nothing", kv.watch(none, WatchOptions::default()).await, invalid)?;
    ensure!(kv.list_keys("").all().await?.is_empty(), "what was refused was done nevertheless");
    Ok(())
}
