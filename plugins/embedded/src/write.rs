//! [`Writer`]: executes requests in one transaction of redb.

mod leases;

pub(crate) use leases::LeasesFound;

use crate::{
    read::{entry, missing},
    tables::{
        CURRENT, Current, CurrentValue, FIRST, GRANTED, HISTORY, Kind, LEASES, LOG, LeaseValue, META, OF_KEY, OWNED,
        Place, Record, lease_of, meta,
    },
    work::{Done, LeaseChange, Work},
};
use cninfra::keyval::{
    Bytes, Compare, Condition, Entry, Expiry, KeyRange, KvError, LeaseId, Op, OpResult, Put, Reason, Revision, Txn,
    TxnOutcome,
};
use redb::{ReadableTable as _, Table, WriteTransaction};
use std::{
    ops::Bound,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How many revisions are discarded in one transaction: more would take long.
const SLICE: u64 = 500;
/// About how many bytes one transaction reads, including the previous values that deletes return.
const MOST_READ: usize = 64 << 20;
/// The shortest time to live of a key or a lease.
pub(crate) const LEAST_LIFE: Duration = Duration::from_millis(100);

/// What a transaction has changed.
#[derive(Default)]
pub(crate) struct Changed {
    /// The keys of each revision.
    pub(crate) revisions: Vec<(u64, Vec<Bytes>)>,
    pub(crate) leases: Vec<LeaseChange>,
    /// The store has become larger, so the disk has room.
    pub(crate) grown: bool,
    /// How many revisions were discarded.
    pub(crate) swept: u64,
    /// Whether anything was written.
    pub(crate) any: bool,
}

pub(crate) struct Writer<'t> {
    current: Table<'t, &'static [u8], CurrentValue>,
    log: Table<'t, Place, &'static [u8]>,
    history: Table<'t, (&'static [u8], u64), u32>,
    leases: Table<'t, i64, LeaseValue>,
    owned: Table<'t, (i64, &'static [u8]), ()>,
    meta: Table<'t, &'static str, u64>,
    /// The newest revision.
    revision: u64,
    compacted: u64,
    swept: u64,
    /// The lease of the keys that end with the client. It is created on demand.
    client: Option<i64>,
    /// The keys that the current request has changed.
    keys: Vec<Bytes>,
    pub(crate) changed: Changed,
}

impl<'t> Writer<'t> {
    pub(crate) fn open(txn: &'t WriteTransaction, client: Option<i64>) -> Result<Self, redb::Error> {
        let meta = txn.open_table(META)?;
        let number = |name| Ok::<_, redb::Error>(meta.get(name)?.map_or(FIRST, |number| number.value()));
        let (revision, compacted) = (number(meta::REVISION)?, number(meta::COMPACTED)?);
        let swept = number(meta::SWEPT)?;
        Ok(Writer {
            current: txn.open_table(CURRENT)?,
            log: txn.open_table(LOG)?,
            history: txn.open_table(HISTORY)?,
            leases: txn.open_table(LEASES)?,
            owned: txn.open_table(OWNED)?,
            meta,
            revision,
            compacted,
            swept,
            client,
            keys: Vec::new(),
            changed: Changed::default(),
        })
    }

    /// The lease of the keys that end with the client, if there is one.
    pub(crate) fn client(&self) -> Option<i64> {
        self.client
    }

    /// Whether there are compacted revisions that were not discarded yet.
    pub(crate) fn has_more_to_sweep(&self) -> bool {
        self.swept < self.compacted
    }

    /// Executes a request. A request that is refused has changed nothing.
    pub(crate) fn run(&mut self, work: &Work) -> Result<Result<Done, KvError>, redb::Error> {
        let result = match work {
            Work::Commit(txn) => self.commit(txn)?.map(Done::Committed),
            Work::Grant(ttl) => {
                let (lease, ttl) = self.grant(GRANTED, *ttl)?;
                Ok(Done::Granted(LeaseId(lease), ttl))
            }
            Work::KeepAlive(lease) => self.keep_alive(*lease)?.map(Done::Left),
            Work::Revoke(lease) => {
                self.end_lease(lease.0)?;
                Ok(Done::Nothing)
            }
            Work::EndClient => {
                if let Some(client) = self.client.take() {
                    self.end_lease(client)?;
                }
                Ok(Done::Nothing)
            }
            Work::Compact(upto) => self.compact(*upto)?.map(|()| Done::Nothing),
        };
        self.end_revision()?;
        Ok(result)
    }

    /// Discards a slice of the compacted revisions. Before that, all but the last `keep` revisions are compacted; with
    /// 0 for `keep`, nothing is compacted automatically.
    pub(crate) fn sweep(&mut self, keep: u64) -> Result<(), redb::Error> {
        let oldest = self.revision.saturating_sub(keep);
        if keep > 0 && oldest >= self.compacted + SLICE.min(keep) {
            self.set_compacted(oldest)?;
        }
        if !self.has_more_to_sweep() {
            return Ok(());
        }
        let upto = self.compacted.min(self.swept + SLICE);
        let (mut places, mut versions) = (Vec::new(), Vec::new());
        for found in self.log.range((self.swept, 0)..=(upto, u32::MAX))? {
            let (place, bytes) = found?;
            let place = place.value();
            // A damaged record does not say where the previous value is. So that value stays, which harms nobody.
            let Ok(record) = Record::read(bytes.value()) else { continue };
            // The value before this change is not visible at any revision that is left.
            if let Some(before) = record.before.filter(|_| place.0 > self.swept) {
                places.push(before);
                versions.push((record.key.to_vec(), before.0));
            }
            // A delete at `upto` itself stays, for watches that start there.
            if record.kind != Kind::Put && place.0 < upto {
                places.push(place);
                versions.push((record.key.to_vec(), place.0));
            }
        }
        for place in places {
            self.log.remove(place)?;
        }
        for (key, revision) in versions {
            self.history.remove((&*key, revision))?;
        }
        self.changed.swept = upto - self.swept;
        self.swept = upto;
        self.meta.insert(meta::SWEPT, upto)?;
        self.changed.any = true;
        Ok(())
    }

    /// Gives the transaction its stamp, before it is written.
    pub(crate) fn stamp(&mut self) -> Result<u64, redb::Error> {
        let stamp = self.meta.get(meta::STAMP)?.map_or(0, |stamp| stamp.value()) + 1;
        self.meta.insert(meta::STAMP, stamp)?;
        self.meta.insert(meta::REVISION, self.revision)?;
        Ok(stamp)
    }

    fn commit(&mut self, txn: &Txn) -> Result<Result<TxnOutcome, KvError>, redb::Error> {
        let mut succeeded = true;
        for Condition { key, is, .. } in &txn.conditions {
            succeeded = succeeded && self.holds(key, is)?;
        }
        let ops = if succeeded { &txn.then } else { &txn.otherwise };
        // Checked before anything is changed.
        if let Some(refused) = self.find_refusal(ops)? {
            return Ok(Err(refused));
        }
        let mut results = Vec::with_capacity(ops.len());
        for op in ops {
            results.push(match op {
                Op::Put(put) => self.put(put)?,
                Op::Delete { range, previous, .. } => self.delete(range, *previous)?,
                Op::Get(range) => OpResult::Got(self.entries(range)?),
                _ => return Ok(Err(unknown("operation"))),
            });
        }
        let revision = self.revision + u64::from(!self.keys.is_empty());
        Ok(Ok(TxnOutcome::new(succeeded, Revision::new(revision), results)))
    }

    fn holds(&self, key: &[u8], is: &Compare) -> Result<bool, redb::Error> {
        let found = self.current.get(key)?.map(|found| Current::read(found.value()));
        Ok(match (is, found) {
            (Compare::Absent, found) => found.is_none(),
            (Compare::Present, found) => found.is_some(),
            (Compare::Before(revision), found) => found.is_none_or(|found| found.place.0 < revision.get()),
            (Compare::Revision(revision), Some(found)) => found.place.0 == revision.get(),
            (Compare::Created(revision), Some(found)) => found.created == revision.get(),
            (Compare::Value(value), Some(found)) => {
                let bytes = self.log.get(found.place)?.ok_or_else(|| missing(found.place))?;
                Record::read(bytes.value())?.value == value
            }
            _ => false,
        })
    }

    fn find_refusal(&self, ops: &[Op]) -> Result<Option<KvError>, redb::Error> {
        let mut bytes = 0;
        for op in ops {
            match op {
                Op::Put(Put { key, expiry: Expiry::Lease(lease), .. }) if !self.can_be_shared(*lease)? => {
                    let reason = Reason::NoLease(*lease);
                    return Ok(Some(KvError::new("put", reason).not_applied().on(KeyRange::key(key))));
                }
                Op::Get(range) | Op::Delete { range, previous: true, .. } => {
                    bytes += self.size(range, MOST_READ - bytes)?;
                    if bytes >= MOST_READ {
                        let help = format!("a transaction reads {MOST_READ} bytes at most: list the range in pages");
                        let error = KvError::new("transaction", Reason::TooLarge).not_applied().on(range.clone());
                        return Ok(Some(error.with_help(help)));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Whether there is such a lease. The lease of a single key cannot be used by others, since it ends with that key.
    fn can_be_shared(&self, lease: LeaseId) -> Result<bool, redb::Error> {
        Ok(self.leases.get(lease.0)?.is_some_and(|value| value.value().0 != OF_KEY))
    }

    /// The size of the entries of a range, at most `most`.
    fn size(&self, range: &KeyRange, most: usize) -> Result<usize, redb::Error> {
        let mut bytes = 0;
        for found in self.current.range::<&[u8]>(bounds(range))? {
            let place = Current::read(found?.1.value()).place;
            bytes += self.log.get(place)?.ok_or_else(|| missing(place))?.value().len();
            if bytes >= most {
                return Ok(most);
            }
        }
        Ok(bytes)
    }

    fn entries(&self, range: &KeyRange) -> Result<Vec<Entry>, redb::Error> {
        let mut entries = Vec::new();
        for found in self.current.range::<&[u8]>(bounds(range))? {
            entries.push(entry(&self.log, Current::read(found?.1.value()).place, false)?);
        }
        Ok(entries)
    }

    fn put(&mut self, Put { key, value, expiry, .. }: &Put) -> Result<OpResult, redb::Error> {
        let before = self.current.get(&**key)?.map(|found| Current::read(found.value()));
        let (lease, ttl) = match expiry {
            Expiry::After(ttl) => {
                let (lease, ttl) = self.grant(OF_KEY, *ttl)?;
                (lease, Some(ttl))
            }
            Expiry::Lease(lease) => (lease.0, None),
            Expiry::WithClient => (self.client_lease()?, None),
            Expiry::Keep => (before.map_or(0, |before| before.lease), None),
            _ => (0, None),
        };
        if let Some(before) = before.filter(|before| before.lease != lease) {
            self.detach_key(before.lease, key)?;
        }
        if lease != 0 {
            self.owned.insert((lease, &**key), ())?;
        }
        self.changed.grown = true;
        let place = self.next_place(key);
        let current = Current {
            created: before.map_or(place.0, |before| before.created),
            place,
            version: before.map_or(1, |before| before.version + 1),
            lease,
        };
        let record = Record {
            kind: Kind::Put,
            created: current.created,
            version: current.version,
            lease,
            before: before.map(|before| before.place),
            key,
            value,
        };
        self.log.insert(place, &*record.write())?;
        self.history.insert((&**key, place.0), place.1)?;
        self.current.insert(&**key, current.write())?;
        Ok(OpResult::put(ttl, lease_of(lease)))
    }

    fn delete(&mut self, range: &KeyRange, previous: bool) -> Result<OpResult, redb::Error> {
        let mut keys = Vec::new();
        for found in self.current.range::<&[u8]>(bounds(range))? {
            keys.push(Bytes::copy_from_slice(found?.0.value()));
        }
        let (count, mut entries) = (keys.len() as u64, Vec::new());
        for key in keys {
            let before = self.remove(&key, Kind::Deleted)?;
            if let Some(place) = before.filter(|_| previous) {
                entries.push(entry(&self.log, place, false)?);
            }
        }
        Ok(OpResult::deleted(count, entries))
    }

    /// Deletes a key. Returns where its value was.
    fn remove(&mut self, key: &Bytes, kind: Kind) -> Result<Option<Place>, redb::Error> {
        let Some(before) = self.current.remove(&**key)?.map(|found| Current::read(found.value())) else {
            return Ok(None);
        };
        self.detach_key(before.lease, key)?;
        let place = self.next_place(key);
        let record = Record { kind, created: 0, version: 0, lease: 0, before: Some(before.place), key, value: &[] };
        self.log.insert(place, &*record.write())?;
        self.history.insert((&**key, place.0), place.1)?;
        Ok(Some(before.place))
    }

    /// The place of the next change, which is of this key.
    fn next_place(&mut self, key: &Bytes) -> Place {
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key.clone());
        (self.revision + 1, number)
    }

    /// Completes a revision, if there were changes.
    fn end_revision(&mut self) -> Result<(), redb::Error> {
        if self.keys.is_empty() {
            return Ok(());
        }
        self.revision += 1;
        self.changed.revisions.push((self.revision, std::mem::take(&mut self.keys)));
        self.changed.any = true;
        Ok(())
    }

    fn compact(&mut self, upto: u64) -> Result<Result<(), KvError>, redb::Error> {
        if upto > self.revision {
            return Ok(Err(KvError::new("compact", Reason::Future).not_applied()));
        }
        if upto > self.compacted {
            self.set_compacted(upto)?;
        }
        Ok(Ok(()))
    }

    fn set_compacted(&mut self, upto: u64) -> Result<(), redb::Error> {
        self.compacted = upto;
        self.meta.insert(meta::COMPACTED, upto)?;
        self.changed.any = true;
        Ok(())
    }
}

/// A range in redb's terms. Its end is greater than its start.
fn bounds(range: &KeyRange) -> (Bound<&[u8]>, Bound<&[u8]>) {
    let upper = range.end().map_or(Bound::Unbounded, |end| Bound::Excluded(&**end));
    (Bound::Included(range.start()), upper)
}

fn unknown(what: &'static str) -> KvError {
    KvError::new("transaction", Reason::Unsupported(what)).not_applied()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}
