//! [`Capabilities`]: what a store supports and its limits, and the checks of requests against them.

use super::{
    At, Compare, Condition, Expiry, KeyRange, KvError, Op, PageRequest, Put, Reason, Result, Txn, WatchOptions,
};
use bytes::Bytes;
use std::{collections::BTreeSet, time::Duration};

/// What a store supports, and its limits. Larger differences are interfaces of their own
/// ([`Revisions`](super::Revisions), [`Leases`](super::Leases)), so that the compiler checks for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Capabilities {
    /// The largest number of operations in a transaction.
    pub max_txn_ops: usize,
    /// Which keys a transaction may combine.
    pub txn_scope: TxnScope,
    /// The largest size of a value, in bytes.
    pub max_value: usize,
    /// The shortest time to live of a key.
    pub ttl_min: Duration,
    /// Times to live are multiples of this.
    pub ttl_granularity: Duration,
    /// Which changes a watch reports.
    pub delivery: Delivery,
    /// Whether it has leases, so that several keys can expire together.
    pub leases: bool,
    /// Whether entries have revisions, and can be read and watched as of a revision.
    pub revisions: bool,
    /// Whether pages come in the order of the keys, and ranges may begin and end anywhere. Otherwise only prefixes and
    /// single keys are supported.
    pub ordered: bool,
}

impl Capabilities {
    /// A store that can do all that etcd can. A store starts from these values and changes what differs.
    #[must_use]
    pub const fn all() -> Self {
        Capabilities {
            max_txn_ops: 128,
            txn_scope: TxnScope::All,
            max_value: 1 << 20,
            ttl_min: Duration::from_secs(2),
            ttl_granularity: Duration::from_secs(1),
            delivery: Delivery::EveryRevision,
            leases: true,
            revisions: true,
            ordered: true,
        }
    }
}

impl Capabilities {
    /// Refuses a transaction that a store with these capabilities cannot execute. The store calls it before it sends
    /// anything, so nothing is applied.
    ///
    /// # Errors
    /// `TooLarge` and `Unsupported`, with the key or the range.
    pub fn refuse(&self, txn: &Txn) -> Result<()> {
        let name = txn.op();
        let most = txn.then.len().max(txn.otherwise.len()).max(txn.conditions.len());
        if most > self.max_txn_ops {
            let help =
                format!("the store takes {} operations in one, these are {most}: make several of it", self.max_txn_ops);
            return Err(KvError::new(name, Reason::TooLarge).not_applied().with_help(help));
        }
        for Condition { key, is } in &txn.conditions {
            refuse_key(name, key)?;
            if !self.revisions && matches!(is, Compare::Revision(_) | Compare::Created(_) | Compare::Before(_)) {
                return refused(name, Reason::Unsupported("revisions"), KeyRange::key(key));
            }
        }
        for (branch, conditions) in [(&txn.then, &*txn.conditions), (&txn.otherwise, &[])] {
            for op in branch {
                match op {
                    Op::Put(put) => self.refuse_put_if(name, put, conditions)?,
                    Op::Delete { range, .. } | Op::Get(range) => self.refuse_range(name, range)?,
                }
            }
            refuse_twice(branch)?;
        }
        Ok(())
    }

    /// Like [`refuse`](Self::refuse), for a single put.
    ///
    /// # Errors
    /// As [`refuse`](Self::refuse) for a transaction with this put.
    #[inline]
    pub fn refuse_put(&self, put: &Put) -> Result<()> {
        // A fast path: nearly all puts have no expiry and are within the limits.
        let is_plain = put.expiry == Expiry::Never && put.value.len() <= self.max_value && !put.key.is_empty();
        if is_plain { Ok(()) } else { self.refuse_put_if("put", put, &[]) }
    }

    fn refuse_put_if(&self, op: &'static str, put: &Put, conditions: &[Condition]) -> Result<()> {
        let Put { key, value, expiry } = put;
        refuse_key(op, key)?;
        let invalid =
            |help| Err(KvError::new(op, Reason::Invalid).not_applied().on(KeyRange::key(key)).with_help(help));
        if value.len() > self.max_value {
            let (is, most) = (value.len(), self.max_value);
            let error = KvError::new(op, Reason::TooLarge).not_applied().on(KeyRange::key(key));
            return Err(error.with_help(format!("the value has {is} bytes, the store takes {most}")));
        }
        let is_there = |condition: &Condition| {
            condition.key == key && !matches!(condition.is, Compare::Absent | Compare::Before(_))
        };
        match expiry {
            Expiry::Lease(_) if !self.leases => refused(op, Reason::Unsupported("leases"), KeyRange::key(key)),
            Expiry::After(Duration::ZERO) => invalid("a life has at least a moment: delete the key instead"),
            Expiry::Keep if !conditions.iter().any(is_there) => {
                invalid("what it keeps must be there: ask for it by a condition, such as `Compare::Present`")
            }
            Expiry::Never | Expiry::After(_) | Expiry::Lease(_) | Expiry::WithClient | Expiry::Keep => Ok(()),
        }
    }

    /// Like [`refuse`](Self::refuse), for a read of a range.
    ///
    /// # Errors
    /// As [`refuse`](Self::refuse).
    pub fn refuse_page(&self, request: &PageRequest) -> Result<()> {
        self.refuse_at("list", request.at).map_err(|error| error.on(request.range.clone()))?;
        self.refuse_range("list", &request.range)
    }

    /// Like [`refuse`](Self::refuse), for a read of a key.
    ///
    /// # Errors
    /// `Unsupported` for a revision if the store has none; `Invalid` for the empty key.
    #[inline]
    pub fn refuse_get(&self, key: &Bytes, at: At) -> Result<()> {
        const OP: &str = "get";
        refuse_key(OP, key)?;
        self.refuse_at(OP, at).map_err(|error| error.on(KeyRange::key(key)))
    }

    #[inline]
    fn refuse_at(&self, op: &'static str, at: At) -> Result<()> {
        match at {
            At::Revision(_) if !self.revisions => Err(KvError::new(op, Reason::Unsupported("revisions")).not_applied()),
            At::Revision(_) | At::Latest => Ok(()),
        }
    }

    /// Like [`refuse`](Self::refuse), for a watch.
    ///
    /// # Errors
    /// `Unsupported` for a range or a revision that the store does not support; `Invalid` if there is no range, or a
    /// range without keys.
    pub fn refuse_watch(&self, ranges: &[KeyRange], options: &WatchOptions) -> Result<()> {
        const OP: &str = "watch";
        if ranges.is_empty() {
            let help = "a watch has at least one range: `KeyRange::all()` is every key";
            return Err(KvError::new(OP, Reason::Invalid).not_applied().with_help(help));
        }
        if options.from.is_some() && !self.revisions {
            return Err(KvError::new(OP, Reason::Unsupported("revisions")).not_applied());
        }
        ranges.iter().try_for_each(|range| self.refuse_range(OP, range))
    }

    /// Like [`refuse`](Self::refuse), for a range.
    ///
    /// # Errors
    /// `Unsupported` for a range that the store does not support; `Invalid` for one without keys.
    pub fn refuse_range(&self, op: &'static str, range: &KeyRange) -> Result<()> {
        if range.is_empty() {
            let help = "it has no keys: its end is not above its start";
            return Err(KvError::new(op, Reason::Invalid).not_applied().on(range.clone()).with_help(help));
        }
        if let Some(key) = range.single() {
            return refuse_key(op, key);
        }
        let is_known = self.ordered || range.as_prefix().is_some();
        if is_known {
            Ok(())
        } else {
            Err(KvError::new(op, Reason::Unsupported("order of keys")).not_applied().on(range.clone()))
        }
    }
}

fn refused<T>(op: &'static str, reason: Reason, range: KeyRange) -> Result<T> {
    Err(KvError::new(op, reason).not_applied().on(range))
}

/// No store accepts the empty key.
#[inline]
fn refuse_key(op: &'static str, key: &Bytes) -> Result<()> {
    if key.is_empty() { Err(no_key(op, key)) } else { Ok(()) }
}

#[cold]
fn no_key(op: &'static str, key: &Bytes) -> KvError {
    let help = "a key has at least one byte";
    KvError::new(op, Reason::Invalid).not_applied().on(KeyRange::key(key)).with_help(help)
}

/// Refuses operations whose result would depend on their order: a key that is written twice, or written and deleted.
fn refuse_twice(branch: &[Op]) -> Result<()> {
    if branch.len() < 2 {
        return Ok(());
    }
    let mut written = BTreeSet::new();
    for op in branch {
        if let Op::Put(put) = op
            && !written.insert(&put.key)
        {
            return twice(&put.key);
        }
    }
    for op in branch {
        if let Op::Delete { range, .. } = op
            && let Some(key) = written.range::<Bytes, _>(range.bounds()).next()
        {
            return twice(key);
        }
    }
    Ok(())
}

fn twice(key: &Bytes) -> Result<()> {
    let help = "it is written twice in one transaction, or written and deleted: say once what it becomes";
    Err(KvError::new("transaction", Reason::Invalid).not_applied().on(KeyRange::key(key)).with_help(help))
}

/// Which keys a transaction may combine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TxnScope {
    /// Any keys.
    All,
    /// Keys of one slot of a cluster: those with the same `{tag}`.
    OneSlot,
}

/// Which changes a watch reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Every change, in the order in which they were made, with one event for each transaction.
    EveryRevision,
    /// The latest value of each key. Intermediate values may be left out, but the final one is always reported.
    LatestPerKey,
}

#[cfg(test)]
mod tests {
    use super::{super::Revision, *};

    #[test]
    fn a_put_alone_is_refused_as_a_transaction_of_it() {
        let has = Capabilities { max_value: 3, leases: false, ..Capabilities::all() };
        let (life, none) = (Duration::from_secs(1), Duration::ZERO);
        let (after, lease) = (Expiry::After, Expiry::Lease(super::super::LeaseId(7)));
        let mut refused = 0;
        for expiry in [Expiry::Never, after(life), after(none), lease, Expiry::WithClient, Expiry::Keep] {
            for (key, value) in [("k", "abc"), ("", "abc"), ("k", "abcd"), ("", "abcd")] {
                let put = Put::new(key, value, expiry);
                let [alone, in_one] = [has.refuse_put(&put), has.refuse(&Txn::one(Op::Put(put.clone())))]
                    .map(|refused| refused.map_err(|error| format!("{error:?}")));
                assert_eq!(alone, in_one, "{put:?}");
                refused += u32::from(alone.is_err());
            }
        }
        assert_eq!(refused, 21);
    }

    #[test]
    fn what_a_store_lacks_is_refused_with_the_key() {
        let (etcd, redis) =
            (Capabilities::all(), Capabilities { revisions: false, ordered: false, ..Capabilities::all() });
        let (revision, between) = (Revision::new(7).unwrap(), KeyRange::between("a", "c"));
        let at_once = Txn::new().when("k", Compare::Revision(revision)).put("k", "v");
        let page = PageRequest { at: At::Revision(revision), ..PageRequest::new(KeyRange::all()) };
        for (refused, what) in [
            (redis.refuse(&at_once), "transaction of `k`: the store has no revisions"),
            (
                redis.refuse(&Txn::new().delete_range(between.clone())),
                "delete of `a..c`: the store has no order of keys",
            ),
            (redis.refuse_page(&page), "list of `*`: the store has no revisions"),
            (redis.refuse_page(&PageRequest::new(between.clone())), "list of `a..c`: the store has no order of keys"),
        ] {
            assert_eq!(refused.unwrap_err().to_string(), what);
        }
        assert!(etcd.refuse(&at_once).is_ok() && etcd.refuse_page(&page).is_ok());
        assert!(redis.refuse(&Txn::new().delete_range(KeyRange::prefix("a"))).is_ok());
    }

    #[test]
    fn what_is_too_large_is_refused_with_the_bound() {
        let capabilities = Capabilities { max_txn_ops: 2, max_value: 3, ..Capabilities::all() };
        let three = Txn::new().delete("a").delete("b").delete("c");
        let error = capabilities.refuse(&three).unwrap_err();
        assert_eq!(
            (error.reason(), error.help().unwrap().contains("takes 2 operations in one, these are 3")),
            (&Reason::TooLarge, true)
        );
        assert!(capabilities.refuse(&Txn::new().put("a", "1234")).unwrap_err().to_string().starts_with("put of `a`"));
        assert!(capabilities.refuse(&Txn::new().put("a", "123").delete("b")).is_ok());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_mend() {
        let (etcd, redis) =
            (Capabilities::all(), Capabilities { leases: false, revisions: false, ..Capabilities::all() });
        let put = |expiry| Txn::new().put_with("k", "v", expiry);
        let lease = put(Expiry::Lease(super::super::LeaseId(1)));
        let from = WatchOptions { from: Revision::new(7), ..WatchOptions::default() };
        let (all, none) = ([KeyRange::all()], [KeyRange::between("b", "a")]);
        let other = Txn::new().when("other", Compare::Present).put_with("k", "v", Expiry::Keep);
        let keeps = |is| Txn::new().when("k", is).put_with("k", "v", Expiry::Keep);
        for (refused, what, mend) in [
            (etcd.refuse(&Txn::new().put("", "v")), "put of ``: it is not valid", "at least one byte"),
            (etcd.refuse(&Txn::new().put("k", "1").put("k", "2")), "transaction of `k`: it is not valid", "twice"),
            (
                etcd.refuse(&Txn::new().put("ka", "1").delete_range(KeyRange::prefix("k"))),
                "transaction of `ka`: it is not valid",
                "twice",
            ),
            (etcd.refuse(&put(Expiry::After(Duration::ZERO))), "put of `k`: it is not valid", "delete the key"),
            (etcd.refuse(&put(Expiry::Keep)), "put of `k`: it is not valid", "by a condition"),
            (etcd.refuse(&other), "transaction of `k`: it is not valid", "by a condition"),
            (etcd.refuse(&keeps(Compare::Absent)), "transaction of `k`: it is not valid", "by a condition"),
            (redis.refuse(&lease), "put of `k`: the store has no leases", ""),
            (etcd.refuse_watch(&[], &WatchOptions::default()), "watch: it is not valid", "at least one range"),
            (etcd.refuse_watch(&none, &WatchOptions::default()), "watch of `b..a`: it is not valid", "no keys"),
            (etcd.refuse_get(&Bytes::new(), At::Latest), "get of ``: it is not valid", "at least one byte"),
            (redis.refuse_watch(&all, &from), "watch: the store has no revisions", ""),
        ] {
            let error = refused.unwrap_err();
            assert_eq!((error.to_string().as_str(), error.applied()), (what, super::super::Applied::No));
            assert!(error.help().unwrap_or_default().contains(mend), "{error:?}");
        }
        assert!(etcd.refuse(&lease).is_ok() && etcd.refuse_watch(&all, &from).is_ok());
        assert!(
            etcd.refuse(&keeps(Compare::Present)).is_ok() && etcd.refuse(&keeps(Compare::Value("v".into()))).is_ok()
        );
        // A put of the same key in each branch is fine, since only one branch is executed.
        assert!(etcd.refuse(&Txn::new().put("k", "1").or(Op::Put(Put::new("k", "2", Expiry::Never)))).is_ok());
    }
}
