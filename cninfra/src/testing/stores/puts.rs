//! Checks that a single put behaves like one in a transaction, since a store may implement it separately.

use super::{Check, Done, SOON, Trial, eventually};
use crate::keyval::{
    Applied, At, Bytes, Entry, Expiry, KvError, LeaseId, Leases, Op, Put, Result, Revision, Store, Txn, Written,
};
use std::time::Duration;
use tokio::time::sleep;

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "a put does what a transaction of it alone does" => are_the_same,
        "a put gives the life that a transaction of it alone gives" => lives_are_the_same,
    }
}

pub(super) fn checks_of_leases<S: Store + Leases>() -> Vec<Check<S>> {
    checks! {
        "a put has the lease that a transaction of it alone has" => leases_are_the_same,
    }
}

/// How a put is executed.
#[derive(Clone, Copy, Debug)]
enum Way {
    Itself,
    InATransaction,
}

impl Way {
    async fn put<S: Store>(self, store: &S, put: Put) -> Result<Written> {
        match self {
            Way::Itself => Store::put(store, put).await,
            Way::InATransaction => Written::of(&Store::commit(store, Txn::one(Op::Put(put))).await?),
        }
    }
}

/// What is observed of a put, without the numbers of revisions and leases, which differ.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    reported: std::result::Result<ReportedPut, Refusal>,
    /// The entry afterwards.
    left: Option<StoredEntry>,
}

#[derive(PartialEq, Eq, Debug)]
struct ReportedPut {
    ttl: Option<Duration>,
    has_lease: bool,
    has_revision: bool,
    /// The revision is that of the key, or the store has no revisions.
    is_of_the_key: bool,
}

#[derive(PartialEq, Eq, Debug)]
struct Refusal {
    error: String,
    help: Option<String>,
    applied: Applied,
}

#[derive(PartialEq, Eq, Debug)]
struct StoredEntry {
    value: Bytes,
    version: Option<u64>,
    is_new: bool,
    has_lease: bool,
}

/// Puts a key that is absent or has this expiry before, and returns what is observed.
async fn seen<S: Store>(store: &S, way: Way, before: Option<Expiry>, put: Put) -> Result<Seen> {
    let key = put.key.clone();
    if let Some(expiry) = before {
        // This transaction differs from both ways that are compared.
        let first = Txn::new().put_with(key.clone(), "before", expiry).get([&*key, b"/none"].concat());
        Store::commit(store, first).await?;
    }
    let reported = way.put(store, put).await;
    // An empty or invalid key has no entry.
    let entry = Store::get(store, key.clone(), At::Latest).await.unwrap_or_default();
    if entry.is_some() {
        Store::commit(store, Txn::new().delete(&key)).await?;
    }
    let is_of_the_key = |revision: Option<Revision>| revision == entry.as_ref().and_then(|entry| entry.revision);
    let reported = match reported {
        Ok(Written { revision, ttl, lease }) => Ok(ReportedPut {
            ttl,
            has_lease: lease.is_some(),
            has_revision: revision.is_some(),
            is_of_the_key: is_of_the_key(revision),
        }),
        Err(error) => Err(refusal(&error)),
    };
    let left = |Entry { value, version, created, revision, lease, .. }| StoredEntry {
        value,
        version,
        is_new: created == revision,
        has_lease: lease.is_some(),
    };
    Ok(Seen { reported, left: entry.map(left) })
}

fn refusal(error: &KvError) -> Refusal {
    Refusal { error: error.to_string(), help: error.help().map(str::to_string), applied: error.applied() }
}

async fn are_the_same<S: Store>(trial: Trial<S>) -> Done {
    let (kv, store) = (trial.slot(), &*trial.store);
    let has = kv.capabilities();
    let key = |name: &[u8]| Bytes::from([&**kv.prefix(), name].concat());
    let plain = |expiry| Put::new(key(b"k"), "v", expiry);
    let mut puts = vec![
        ("for ever", plain(Expiry::Never)),
        ("for some time", plain(Expiry::After(Duration::from_millis(12_345)))),
        ("for a bit more", plain(Expiry::After(Duration::new(60, 1)))),
        ("for as long as can be", plain(Expiry::After(Duration::MAX))),
        ("with the client", plain(Expiry::WithClient)),
        ("for no time", plain(Expiry::After(Duration::ZERO))),
        ("for as long as what was there", plain(Expiry::Keep)),
        ("with a lease that there is not", plain(Expiry::Lease(LeaseId(0x7e57)))),
        ("an empty value", Put::new(key(b"k"), "", Expiry::Never)),
        ("a long value", Put::new(key(b"k"), vec![b'x'; 64 << 10], Expiry::Never)),
        ("the empty key", Put::new("", "v", Expiry::Never)),
        ("a key that is no text", Put::new(key(b"\xff"), "v", Expiry::Never)),
    ];
    // A limit beyond what a test should hold in memory is not tested.
    if has.max_value < 64 << 20 {
        puts.push(("too much", Put::new(key(b"k"), vec![0; has.max_value + 1], Expiry::Never)));
    }
    for (what, put) in puts {
        let befores = match put.key.starts_with(kv.prefix()) && std::str::from_utf8(&put.key).is_ok() {
            true => {
                &[None, Some(Expiry::Never), Some(Expiry::After(Duration::from_secs(60))), Some(Expiry::WithClient)][..]
            }
            false => &[None],
        };
        for before in befores {
            let itself = seen(store, Way::Itself, *before, put.clone()).await?;
            let in_one = seen(store, Way::InATransaction, *before, put.clone()).await?;
            ensure!(
                itself == in_one,
                "{what}, over {before:?}: a put gives {itself:?}, a transaction of it {in_one:?}"
            );
        }
    }
    Ok(())
}

async fn leases_are_the_same<S: Store + Leases>(trial: Trial<S>) -> Done {
    let (kv, store) = (trial.slot(), &*trial.store);
    let (lease, _) = store.grant(Duration::from_secs(60)).await?;
    let put = |expiry| Put::new([&**kv.prefix(), b"k"].concat(), "v", expiry);
    for way in [Way::Itself, Way::InATransaction] {
        for (expiry, wanted) in [(Expiry::Lease(lease), Some(lease)), (Expiry::Never, None)] {
            let reported = way.put(store, put(expiry)).await?.lease;
            ensure!(reported == wanted, "a put ({way:?}) with {expiry:?} tells of {reported:?}");
            let found = kv.get("k").await?.and_then(|entry| entry.lease);
            ensure!(found == wanted, "a key that was put ({way:?}) with {expiry:?} has {found:?}");
        }
    }
    Ok(store.revoke(lease).await?)
}

async fn lives_are_the_same<S: Store>(trial: Trial<S>) -> Done {
    let (kv, store) = (trial.slot(), &*trial.store);
    let life = Expiry::After(kv.capabilities().ttl_min.max(Duration::from_secs(1)));
    let put = |key: &str, expiry| Put::new([&**kv.prefix(), key.as_bytes()].concat(), "v", expiry);
    let mut granted = Duration::ZERO;
    for way in [Way::Itself, Way::InATransaction] {
        for (key, first, then) in [("ends", Expiry::Never, life), ("ends not", life, Expiry::Never)] {
            for expiry in [first, then] {
                let written = way.put(store, put(&format!("{key}/{way:?}"), expiry)).await?;
                granted = granted.max(written.ttl.unwrap_or_default());
            }
        }
    }
    for way in [Way::Itself, Way::InATransaction] {
        let is_gone = async || Ok(kv.get(format!("ends/{way:?}")).await?.is_none());
        eventually(&format!("that a key ends that was put so ({way:?})"), granted + SOON, is_gone).await?;
    }
    // Keys that wrongly expire at the same time have had the time to do so.
    sleep(Duration::from_millis(500)).await;
    for way in [Way::Itself, Way::InATransaction] {
        let is_there = kv.get(format!("ends not/{way:?}")).await?.is_some();
        ensure!(is_there, "a key that was put again to live for ever ({way:?}) has ended with its first life");
    }
    Ok(())
}
