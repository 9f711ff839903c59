//! Transactions: a single operation is sent as its plain command, and several as a script that the server runs in one
//! step.

use crate::{
    call::{Asks, Origin, To, Turn},
    command::{Command, Reply},
    core::Core,
    failure::Asked,
    glob::literal,
    scan::Scan,
    script, slots,
    store::{Shared, text},
};
use bytes::Bytes;
use cninfra::keyval::{
    Applied, Compare, Condition, Entry, Expiry, KeyRange, KvError, LONGEST_LIFE, Op, OpResult, Put, Reason, Result,
    Txn, TxnOutcome, Written,
};
use futures_util::future::join_all;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// Runs a transaction that was not refused.
pub(crate) async fn commit(shared: &Shared, txn: Txn) -> Result<TxnOutcome> {
    let Shared { core, session, .. } = shared;
    let _deleting = session.begin(core.config.write_within() / 4, &txn).await;
    let began = Instant::now();
    let result = attempt(core, &txn).await;
    match &result {
        Ok(outcome) => {
            let ops = if outcome.succeeded { &txn.then } else { &txn.otherwise };
            session.record_applied(core, ops, began);
        }
        Err(error) if error.applied() == Applied::Unknown => {
            session.record_unsure(core, &txn.then);
            session.record_unsure(core, &txn.otherwise);
        }
        Err(_) => {}
    }
    result
}

async fn attempt(core: &Core, txn: &Txn) -> Result<TxnOutcome> {
    Ok(match (&*txn.conditions, &*txn.then, &*txn.otherwise) {
        ([], [], _) => TxnOutcome::new(true, None, Vec::new()),
        ([], [Op::Put(put)], _) => single_outcome(put_result(self::put(core, put).await?)),
        ([Condition { key, is: Compare::Absent, .. }], [Op::Put(put)], []) if *key == put.key => {
            Box::pin(set_if_absent(core, put)).await?
        }
        ([], [Op::Delete { range, previous, .. }], _) => {
            single_outcome(Box::pin(delete(core, range, *previous)).await?)
        }
        ([], [Op::Get(range)], _) => single_outcome(OpResult::Got(Box::pin(list(core, range)).await?)),
        _ => Box::pin(run_script(core, txn)).await?,
    })
}

/// Writes a value, whatever was there.
pub(crate) async fn put(core: &Core, put: &Put) -> Result<Written> {
    let asked = || asked_to_put(put);
    core.call(core.to_write(Origin::Caller), &asked, &To::Key(&put.key), &set(core, put)).await?;
    Ok(written(core, put))
}

fn single_outcome(result: OpResult) -> TxnOutcome {
    TxnOutcome::new(true, None, vec![result])
}

/// The time to live of a key that is put with this expiry; `None` if it does not expire.
fn ttl(core: &Core, expiry: Expiry) -> Option<Duration> {
    match expiry {
        Expiry::After(ttl) => {
            // Redis counts milliseconds: rounded up, so that the key lives at least as long as requested.
            let ms = ttl.min(LONGEST_LIFE).as_nanos().div_ceil(1_000_000);
            Some(Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)))
        }
        Expiry::WithClient => Some(*core.config.session_ttl),
        _ => None,
    }
}

pub(crate) fn written(core: &Core, put: &Put) -> Written {
    Written::new(None, ttl(core, put.expiry), None)
}

fn put_result(Written { ttl, lease, .. }: Written) -> OpResult {
    OpResult::put(ttl, lease)
}

pub(crate) fn asked_to_put(put: &Put) -> Asked {
    Asked::to_write("put", Some(KeyRange::key(&put.key)))
}

/// The command that writes a value.
#[inline]
pub(crate) fn set<'p>(core: &Core, put: &'p Put) -> Command<'p> {
    let command = Command::Set(&put.key, &put.value);
    if let Expiry::Never = put.expiry { command } else { with_ttl(core, put.expiry, command) }
}

#[inline(never)]
fn with_ttl<'p>(core: &Core, expiry: Expiry, command: Command<'p>) -> Command<'p> {
    match ttl(core, expiry) {
        Some(ttl) => command.arg("PX").number(ttl.as_millis()),
        None => command,
    }
}

/// Writes a value if the key is absent.
async fn set_if_absent(core: &Core, put: &Put) -> Result<TxnOutcome> {
    let (asked, command) = (|| asked_to_put(put), set(core, put).arg("NX"));
    match core.call(core.to_write(Origin::Caller), &asked, &To::Key(&put.key), &command).await? {
        Reply::Nil => Ok(TxnOutcome::new(false, None, Vec::new())),
        _ => Ok(single_outcome(put_result(written(core, put)))),
    }
}

/// Deletes a key, or all keys below a prefix, one by one.
async fn delete(core: &Core, range: &KeyRange, previous: bool) -> Result<OpResult> {
    let asked = || Asked::to_write("delete", Some(range.clone()));
    if let Some(key) = range.single() {
        let (count, entry) = delete_key(core, &asked, key, previous).await?;
        return Ok(OpResult::deleted(count, entry.into_iter().collect()));
    }
    let reads = || Asked::to_read("delete", Some(range.clone()));
    let (mut scan, mut count, mut entries) = (Scan::new(core), 0, Vec::new());
    await_servers(core, core.to_read(Origin::Caller), &reads, range, &mut scan).await?;
    while !scan.is_over() {
        // Keys that were deleted before stay deleted.
        let keys =
            scan.next(core, core.to_read(Origin::Caller), &reads, range).await.map_err(|error| partly(error, count))?;
        for some in keys.chunks(AT_ONCE) {
            let mut deletes = Vec::with_capacity(some.len());
            for key in some {
                deletes.push(delete_key(core, &asked, key, previous));
            }
            let mut failed = None;
            for deleted in join_all(deletes).await {
                match deleted {
                    Ok((one, entry)) => {
                        count += one;
                        entries.extend(entry);
                    }
                    Err(error) => failed = Some(unless_worse(error, failed)),
                }
            }
            // By now all deletes of this chunk have been answered.
            if let Some(error) = failed {
                return Err(partly(error, count));
            }
        }
    }
    Ok(OpResult::deleted(count, entries))
}

/// How many deletes are in flight at once.
const AT_ONCE: usize = 64;

/// Of two failures that of the first, unless only the other one may have been applied.
fn unless_worse(error: KvError, first: Option<KvError>) -> KvError {
    match first {
        Some(first) if first.applied() != Applied::No || error.applied() == Applied::No => first,
        _ => error,
    }
}

/// An error in the middle of a delete, with the number of keys that are already gone.
fn partly(error: KvError, count: u64) -> KvError {
    if count == 0 {
        return error;
    }
    let keys = if count == 1 { "1 key was" } else { &*format!("{count} keys were") };
    let help = format!("{keys} deleted before: delete again what is left");
    let mut partial = KvError::new("delete", error.reason().clone()).with_help(help);
    if let Some(range) = error.range() {
        partial = partial.on(range.clone());
    }
    if let Some(endpoint) = error.endpoint() {
        partial = partial.at(endpoint);
    }
    partial.because(error)
}

async fn delete_key(core: &Core, asked: Asks<'_>, key: &Bytes, previous: bool) -> Result<(u64, Option<Entry>)> {
    let to = To::Key(key);
    if !previous {
        let command = Command::new("DEL", [key.clone()]);
        let reply = core.call(core.to_write(Origin::Caller), asked, &to, &command).await?;
        return Ok((reply.number().and_then(|count| u64::try_from(count).ok()).unwrap_or(0), None));
    }
    let take = script::of_key(script::TAKE, key);
    let value = core.call(core.to_write(Origin::Caller), asked, &to, &take).await?.bytes();
    let entry = value.map(|value| Entry::new(key.clone(), value));
    Ok((u64::from(entry.is_some()), entry))
}

/// Reads a key, or all keys below a prefix.
async fn list(core: &Core, range: &KeyRange) -> Result<Vec<Entry>> {
    const OP: &str = "get";
    let asked = || Asked::to_read(OP, Some(range.clone()));
    if let Some(key) = range.single() {
        let reply = core.call(core.to_read(Origin::Caller), &asked, &To::Key(key), &Command::Get(key)).await?;
        return Ok(reply.bytes().map(|value| Entry::new(key.clone(), value)).into_iter().collect());
    }
    let (mut scan, mut entries) = (Scan::new(core), HashMap::new());
    await_servers(core, core.to_read(Origin::Caller), &asked, range, &mut scan).await?;
    while !scan.is_over() {
        let keys = scan.next(core, core.to_read(Origin::Caller), &asked, range).await?;
        for (key, value) in keys.iter().zip(core.read(core.to_read(Origin::Caller), OP, &keys).await) {
            if let Some(value) = value? {
                entries.insert(key.clone(), value);
            }
        }
    }
    let mut entries: Vec<Entry> = entries.into_iter().map(|(key, value)| Entry::new(key, value)).collect();
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(entries)
}

/// Waits until a server is known, if the scan was begun before, and then begins it again.
pub(crate) async fn await_servers(
    core: &Core,
    turn: Turn,
    asked: Asks<'_>,
    range: &KeyRange,
    scan: &mut Scan,
) -> Result<()> {
    if scan.is_over() {
        // Whichever server has this key, the servers are known once it has answered.
        let (to, exists) = (To::Key(range.start()), Command::new("EXISTS", [range.start().clone()]));
        core.call(turn, asked, &to, &exists).await?;
        *scan = Scan::new(core);
    }
    Ok(())
}

/// Runs a transaction as a script.
async fn run_script(core: &Core, txn: &Txn) -> Result<TxnOutcome> {
    let asked = Asked::of_txn("transaction", txn);
    let mut program = Program::new(core, asked.clone());
    program.push(txn.conditions.len().to_string());
    for Condition { key, is, .. } in &txn.conditions {
        let (kind, value) = match is {
            Compare::Absent => ("A", Bytes::new()),
            Compare::Present => ("P", Bytes::new()),
            Compare::Value(value) => ("V", value.clone()),
            // The capabilities have refused this before.
            _ => return Err(asked.error(Reason::Unsupported("revisions"), Applied::No)),
        };
        program.push(kind);
        program.key(key)?;
        program.push(value);
    }
    for ops in [&txn.then, &txn.otherwise] {
        program.push(ops.len().to_string());
        for op in ops {
            program.op(op)?;
        }
    }
    let Program { keys, args, .. } = program;
    let subject = txn.subject();
    let to = match (keys.first(), &subject) {
        (Some(key), _) => To::Key(key),
        (None, Some(range)) => To::Key(range.start()),
        (None, None) => return Ok(TxnOutcome::new(true, None, Vec::new())),
    };
    let mut parts = script::txn(core, &asked, &to, &keys, &args).await?.list().into_iter();
    let succeeded = parts.next().and_then(|holds| holds.number()) == Some(1);
    let results = parts.next().map(Reply::list).unwrap_or_default();
    let ops = if succeeded { &txn.then } else { &txn.otherwise };
    let results = ops.iter().zip(results).map(|(op, result)| result_of(op, result));
    Ok(TxnOutcome::new(succeeded, None, results.collect()))
}

fn result_of(op: &Op, result: Reply) -> OpResult {
    if let Op::Put(_) = op {
        let ttl = result.number().and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        return OpResult::put(ttl, None);
    }
    let mut parts = result.list().into_iter();
    let count = parts.next().and_then(|count| count.number()).and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    let mut pairs = parts.next().map(Reply::list).unwrap_or_default().into_iter().filter_map(Reply::bytes);
    let mut entries = Vec::new();
    while let (Some(key), Some(value)) = (pairs.next(), pairs.next()) {
        entries.push(Entry::new(key, value));
    }
    match op {
        Op::Get(_) => OpResult::Got(entries),
        _ => OpResult::deleted(count, entries),
    }
}

/// The input of the script: its keys, without duplicates, and its arguments.
struct Program<'c> {
    core: &'c Core,
    asked: Asked,
    keys: Vec<Bytes>,
    places: HashMap<Bytes, usize>,
    args: Vec<Bytes>,
    slot: Option<u16>,
}

impl<'c> Program<'c> {
    fn new(core: &'c Core, asked: Asked) -> Self {
        Program { core, asked, keys: Vec::new(), places: HashMap::new(), args: Vec::new(), slot: None }
    }

    fn push(&mut self, arg: impl Into<Bytes>) {
        self.args.push(arg.into());
    }

    fn key(&mut self, key: &Bytes) -> Result<()> {
        self.in_one_slot(slots::slot(key), KeyRange::key(key))?;
        let place = self.place(key);
        self.push(place.to_string());
        Ok(())
    }

    /// The index of a key in `KEYS`, from 1. The key is added if it is new.
    fn place(&mut self, key: &Bytes) -> usize {
        let next = self.keys.len() + 1;
        let place = *self.places.entry(key.clone()).or_insert(next);
        if place == next {
            self.keys.push(key.clone());
        }
        place
    }

    fn range(&mut self, range: &KeyRange) -> Result<()> {
        match (range.single(), range.as_prefix()) {
            (Some(key), _) => {
                self.key(key)?;
                self.push("");
            }
            (None, prefix) => {
                let prefix = prefix.map(|prefix| &**prefix).unwrap_or_default();
                if self.core.is_cluster() && slots::tag(prefix).is_none() {
                    return Err(several_slots(range.clone()));
                }
                self.in_one_slot(slots::slot(prefix), range.clone())?;
                if self.core.is_cluster() {
                    // These keys need not exist. They tell the server which slot the script uses. With two keys, the
                    // server refuses while that slot is being moved.
                    self.place(&Bytes::copy_from_slice(prefix));
                    self.place(&[prefix, b"\0"].concat().into());
                }
                self.push("0");
                self.push(format!("{}*", literal(text(&|| self.asked.clone(), prefix, || range.clone())?)));
            }
        }
        Ok(())
    }

    fn op(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Put(put) => {
                self.push("S");
                self.key(&put.key)?;
                self.push(put.value.clone());
                let ttl = ttl(self.core, put.expiry).map(|ttl| ttl.as_millis().to_string());
                self.push(if put.expiry == Expiry::Keep { "K".to_string() } else { ttl.unwrap_or_default() });
            }
            Op::Delete { range, previous, .. } => {
                self.push("D");
                self.range(range)?;
                self.push(if *previous { "P" } else { "" });
            }
            Op::Get(range) => {
                self.push("G");
                self.range(range)?;
                self.push("");
            }
            _ => return Err(several_slots(KeyRange::all())),
        }
        Ok(())
    }

    /// Refuses keys that a cluster cannot handle in one step.
    fn in_one_slot(&mut self, slot: u16, range: KeyRange) -> Result<()> {
        if !self.core.is_cluster() || *self.slot.get_or_insert(slot) == slot {
            return Ok(());
        }
        Err(several_slots(range))
    }
}

fn several_slots(range: KeyRange) -> KvError {
    let error = KvError::new("transaction", Reason::Unsupported("transactions of keys in several slots"));
    error.not_applied().on(range).with_help("keys of one transaction have one `{tag}` in a cluster")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_deleted_is_not_told_as_not_applied() {
        let error = |applied| match applied {
            Applied::No => KvError::new("delete", Reason::Denied).not_applied(),
            _ => KvError::new("delete", Reason::Unavailable),
        };
        let of = |all: [Applied; 2]| {
            let worst = all.into_iter().fold(None, |first, applied| Some(unless_worse(error(applied), first)));
            worst.map(|error| (error.reason().clone(), error.applied()))
        };
        assert_eq!(of([Applied::No, Applied::No]), Some((Reason::Denied, Applied::No)));
        for both in [[Applied::No, Applied::Unknown], [Applied::Unknown, Applied::No]] {
            assert_eq!(of(both), Some((Reason::Unavailable, Applied::Unknown)));
        }
    }
}
