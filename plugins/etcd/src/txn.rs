//! Conversion of transactions and their results from and to etcd's own types.

use crate::convert::{bounds, entry, number};
use bytes::Bytes;
use cninfra::keyval::{Compare, Condition, Entry, Expiry, KvError, LeaseId, Op, OpResult, Put, Reason, Result, Txn};
use etcd_client::{
    CompareOp, DeleteOptions, GetOptions, PutOptions, TxnOp,
    proto::{PbResponseOp, PbTxnOpResponse},
};
use std::time::Duration;

/// The lease of a put, and the time to live that it gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) lease: Option<LeaseId>,
    pub(crate) ttl: Option<Duration>,
}

pub(crate) fn put_options(expiry: &Expiry, lease: Option<LeaseId>) -> PutOptions {
    let options = PutOptions::new();
    match (expiry, lease) {
        (Expiry::Keep, _) => options.with_ignore_lease(),
        (_, Some(lease)) => options.with_lease(lease.0),
        (_, None) => options,
    }
}

pub(crate) fn delete_options(end: Vec<u8>, previous: bool) -> DeleteOptions {
    let options = DeleteOptions::new().with_range(end);
    if previous { options.with_prev_key() } else { options }
}

/// Converts a transaction. `lives` has one element for each put of both branches, in order.
pub(crate) fn request(txn: &Txn, lives: &[Life]) -> etcd_client::Txn {
    let (then, otherwise) = lives.split_at(puts(&txn.then).min(lives.len()));
    etcd_client::Txn::new()
        .when(txn.conditions.iter().map(compare).collect::<Vec<_>>())
        .and_then(ops(&txn.then, then))
        .or_else(ops(&txn.otherwise, otherwise))
}

/// The total size of its keys and values.
pub(crate) fn bytes(txn: &Txn) -> usize {
    let of_condition = |condition: &Condition| match &condition.is {
        Compare::Value(value) => condition.key.len() + value.len(),
        _ => condition.key.len(),
    };
    let of_op = |op: &Op| match op {
        Op::Put(put) => put.key.len() + put.value.len(),
        Op::Delete { range, .. } | Op::Get(range) => range.start().len() + range.end().map_or(0, Bytes::len),
        _ => 0,
    };
    let ops = txn.then.iter().chain(&txn.otherwise).map(of_op).sum::<usize>();
    ops + txn.conditions.iter().map(of_condition).sum::<usize>()
}

/// Whether either branch writes a value.
pub(crate) fn has_puts(txn: &Txn) -> bool {
    puts(&txn.then) + puts(&txn.otherwise) > 0
}

/// A put that is to expire with lease 0, if there is one.
pub(crate) fn put_of_no_lease(txn: &Txn) -> Option<&Put> {
    txn.then.iter().chain(&txn.otherwise).find_map(|op| match op {
        Op::Put(put) if put.expiry == Expiry::Lease(LeaseId(0)) => Some(put),
        _ => None,
    })
}

pub(crate) fn puts(ops: &[Op]) -> usize {
    ops.iter().filter(|op| matches!(op, Op::Put(_))).count()
}

fn compare(Condition { key, is, .. }: &Condition) -> etcd_client::Compare {
    let key = key.to_vec();
    match is {
        Compare::Absent => etcd_client::Compare::version(key, CompareOp::Equal, 0),
        Compare::Value(value) => etcd_client::Compare::value(key, CompareOp::Equal, value.to_vec()),
        Compare::Revision(revision) => etcd_client::Compare::mod_revision(key, CompareOp::Equal, number(*revision)),
        Compare::Created(revision) => etcd_client::Compare::create_revision(key, CompareOp::Equal, number(*revision)),
        // An absent key has revision 0.
        Compare::Before(revision) => etcd_client::Compare::mod_revision(key, CompareOp::Less, number(*revision)),
        Compare::Present => etcd_client::Compare::version(key, CompareOp::Greater, 0),
        // `is_known` has refused this before. As a fallback, a condition that never holds.
        _ => etcd_client::Compare::version(key, CompareOp::Less, 0),
    }
}

/// Whether all operations and conditions are supported here. One that is added to the interface later is refused, not
/// ignored.
pub(crate) fn is_known(txn: &Txn) -> bool {
    let is_known_op = |op: &Op| matches!(op, Op::Put(_) | Op::Delete { .. } | Op::Get(_));
    let is_known_condition = |condition: &Condition| {
        use Compare::{Absent, Before, Created, Present, Revision, Value};
        matches!(condition.is, Absent | Present | Value(_) | Revision(_) | Created(_) | Before(_))
    };
    txn.then.iter().chain(&txn.otherwise).all(is_known_op) && txn.conditions.iter().all(is_known_condition)
}

fn ops(ops: &[Op], lives: &[Life]) -> Vec<TxnOp> {
    let mut lives = lives.iter().copied();
    let op = |op: &Op| match op {
        Op::Put(put) => {
            let options = put_options(&put.expiry, lives.next().unwrap_or_default().lease);
            Some(TxnOp::put(put.key.to_vec(), put.value.to_vec(), Some(options)))
        }
        Op::Delete { range, previous, .. } => {
            let (key, end) = bounds(range);
            Some(TxnOp::delete(key, Some(delete_options(end, *previous))))
        }
        Op::Get(range) => {
            let (key, end) = bounds(range);
            Some(TxnOp::get(key, Some(GetOptions::new().with_range(end))))
        }
        _ => None,
    };
    ops.iter().filter_map(op).collect()
}

/// The results of the operations of the branch that was executed.
///
/// # Errors
/// The server's answer does not match the operations.
pub(crate) fn results(responses: Vec<PbResponseOp>, lives: &[Life]) -> Result<Vec<OpResult>> {
    let mut lives = lives.iter().copied();
    let result = |response: PbResponseOp| match response.response {
        Some(PbTxnOpResponse::ResponsePut(_)) => {
            let Life { lease, ttl } = lives.next().unwrap_or_default();
            Ok(OpResult::put(ttl, lease))
        }
        Some(PbTxnOpResponse::ResponseDeleteRange(deleted)) => {
            let previous = deleted.prev_kvs.into_iter().map(entry).collect();
            Ok(OpResult::deleted(u64::try_from(deleted.deleted).unwrap_or_default(), previous))
        }
        Some(PbTxnOpResponse::ResponseRange(range)) => {
            Ok(OpResult::Got(range.kvs.into_iter().map(entry).collect::<Vec<Entry>>()))
        }
        _ => Err(KvError::new("transaction", Reason::Other).because("the server has told nothing of an operation")),
    };
    responses.into_iter().map(result).collect()
}
