//! [`Capabilities`]: what a store can do, where that is a matter of degree.

use super::{At, Compare, Condition, KeyRange, KvError, Op, PageRequest, Reason, Result, Txn};
use std::time::Duration;

/// What a store can do, where that is a matter of degree. What is not, is an interface of its own ([`Revisions`](super::Revisions),
/// [`Leases`](super::Leases)), so that the compiler asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Capabilities {
    /// So many operations a transaction may have.
    pub max_txn_ops: usize,
    /// Which keys a transaction may have.
    pub txn_scope: TxnScope,
    /// So many bytes a value may have.
    pub max_value: usize,
    /// The shortest life of a key that it grants.
    pub ttl_min: Duration,
    /// Lives are multiples of this.
    pub ttl_granularity: Duration,
    /// What a watch tells.
    pub delivery: Delivery,
    /// Entries have revisions, and can be read and watched as they were at one.
    pub revisions: bool,
    /// Pages come in the order of the keys, and ranges may begin and end anywhere; else only prefixes and single keys are known.
    pub ordered: bool,
}

impl Capabilities {
    /// Those of a store that can do all that etcd can: for a store's own to begin with.
    #[must_use]
    pub const fn all() -> Self {
        Capabilities {
            max_txn_ops: 128,
            txn_scope: TxnScope::All,
            max_value: 1 << 20,
            ttl_min: Duration::from_secs(2),
            ttl_granularity: Duration::from_secs(1),
            delivery: Delivery::EveryRevision,
            revisions: true,
            ordered: true,
        }
    }
}

impl Capabilities {
    /// Refuses what a store of these capabilities can not do, for the store: before anything is sent, so nothing is applied.
    ///
    /// # Errors
    /// `TooLarge` and `Unsupported`, with the key or the range.
    pub fn refuse(&self, txn: &Txn) -> Result<()> {
        const OP: &str = "transaction";
        let fail = |reason: Reason, range: KeyRange| Err(KvError::new(OP, reason).not_applied().on(range));
        let most = txn.then.len().max(txn.otherwise.len()).max(txn.conditions.len());
        if most > self.max_txn_ops {
            let help =
                format!("the store takes {} operations in one, these are {most}: make several of it", self.max_txn_ops);
            return Err(KvError::new(OP, Reason::TooLarge).not_applied().with_help(help));
        }
        for Condition { key, is } in &txn.conditions {
            if !self.revisions && matches!(is, Compare::Revision(_) | Compare::Created(_) | Compare::Before(_)) {
                return fail(Reason::Unsupported("revisions"), KeyRange::key(key));
            }
        }
        for op in txn.then.iter().chain(&txn.otherwise) {
            match op {
                Op::Put(put) if put.value.len() > self.max_value => {
                    let (is, most) = (put.value.len(), self.max_value);
                    let error = KvError::new(OP, Reason::TooLarge).not_applied().on(KeyRange::key(&put.key));
                    return Err(error.with_help(format!("the value has {is} bytes, the store takes {most}")));
                }
                Op::Delete { range, .. } | Op::Get(range) => self.refuse_range(OP, range)?,
                Op::Put(_) => {}
            }
        }
        Ok(())
    }

    /// The same of what is read.
    ///
    /// # Errors
    /// As of [`refuse`](Self::refuse).
    pub fn refuse_page(&self, request: &PageRequest) -> Result<()> {
        self.refuse_at("list", request.at).map_err(|error| error.on(request.range.clone()))?;
        self.refuse_range("list", &request.range)
    }

    /// The same of a state.
    ///
    /// # Errors
    /// `Unsupported` for a revision where there are none.
    pub fn refuse_at(&self, op: &'static str, at: At) -> Result<()> {
        match at {
            At::Revision(_) if !self.revisions => Err(KvError::new(op, Reason::Unsupported("revisions")).not_applied()),
            At::Revision(_) | At::Latest => Ok(()),
        }
    }

    fn refuse_range(&self, op: &'static str, range: &KeyRange) -> Result<()> {
        let is_known = self.ordered || range.single().is_some() || range.as_prefix().is_some();
        if is_known {
            Ok(())
        } else {
            Err(KvError::new(op, Reason::Unsupported("order of keys")).not_applied().on(range.clone()))
        }
    }
}

/// Which keys one transaction may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TxnScope {
    /// Any.
    All,
    /// Those of one slot of a cluster: keys with one `{tag}`.
    OneSlot,
}

/// What a watch tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Each change, in the order in which they were made, one event for each transaction.
    EveryRevision,
    /// Of each key the latest value: what comes between may be left out, but what holds in the end is told.
    LatestPerKey,
}

#[cfg(test)]
mod tests {
    use super::{super::Revision, *};

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
                "transaction of `a..c`: the store has no order of keys",
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
        assert!(
            capabilities
                .refuse(&Txn::new().put("a", "1234"))
                .unwrap_err()
                .to_string()
                .starts_with("transaction of `a`")
        );
        assert!(capabilities.refuse(&Txn::new().put("a", "123").delete("b")).is_ok());
    }
}
