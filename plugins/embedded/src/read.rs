//! Reads at one revision: the newest one, or an older one through the history.

use crate::tables::{CURRENT, Current, FIRST, HISTORY, Kind, LOG, META, Place, Record, meta};
use cninfra::keyval::{Bytes, Entry, KeyRange};
use redb::ReadTransaction;
use std::ops::Bound;

/// The result of a read: an answer, or why its revision cannot be read.
pub(crate) type ReadResult<T> = Result<Result<T, UnreadableRevision>, redb::Error>;

/// Why a revision cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UnreadableRevision {
    /// The oldest revision that can be read.
    Compacted(u64),
    Future,
}

/// The newest and the oldest revision, as a transaction sees them.
#[derive(Clone, Copy)]
pub(crate) struct RevisionBounds {
    pub(crate) revision: u64,
    pub(crate) compacted: u64,
}

impl RevisionBounds {
    pub(crate) fn read(txn: &ReadTransaction) -> Result<Self, redb::Error> {
        let table = txn.open_table(META)?;
        let number = |name| Ok::<_, redb::Error>(table.get(name)?.map_or(FIRST, |number| number.value()));
        Ok(RevisionBounds { revision: number(meta::REVISION)?, compacted: number(meta::COMPACTED)? })
    }

    /// Whether a revision can be read.
    pub(crate) fn check(self, revision: u64) -> Result<(), UnreadableRevision> {
        match revision {
            revision if revision > self.revision => Err(UnreadableRevision::Future),
            revision if revision < self.compacted => Err(UnreadableRevision::Compacted(self.compacted)),
            _ => Ok(()),
        }
    }
}

/// Reads a key at the newest revision.
pub(crate) fn get(txn: &ReadTransaction, key: &[u8]) -> Result<Option<Entry>, redb::Error> {
    match txn.open_table(CURRENT)?.get(key)? {
        Some(found) => entry(&txn.open_table(LOG)?, Current::read(found.value()).place, false).map(Some),
        None => Ok(None),
    }
}

/// Reads a key at a revision.
pub(crate) fn get_at(txn: &ReadTransaction, key: &[u8], revision: u64) -> ReadResult<Option<Entry>> {
    if let Err(no_state) = RevisionBounds::read(txn)?.check(revision) {
        return Ok(Err(no_state));
    }
    let history = txn.open_table(HISTORY)?;
    let last = history.range((key, 0)..=(key, revision))?.next_back().transpose()?;
    let Some((at, number)) = last else { return Ok(Ok(None)) };
    let place = (at.value().1, number.value());
    let log = txn.open_table(LOG)?;
    let found = log.get(place)?.ok_or_else(|| missing(place))?;
    let record = Record::read(found.value())?;
    Ok(Ok((record.kind == Kind::Put).then(|| record.entry(place.0, false))))
}

/// How much of a range to read.
pub(crate) struct Wanted<'a> {
    pub(crate) range: &'a KeyRange,
    /// The key to start at, which is in the range.
    pub(crate) from: &'a [u8],
    pub(crate) keys_only: bool,
    pub(crate) max_items: usize,
    pub(crate) max_bytes: usize,
}

/// A part of a range at one revision, with the key that follows it.
pub(crate) struct Part {
    pub(crate) entries: Vec<Entry>,
    pub(crate) next: Option<Bytes>,
    pub(crate) at: u64,
}

/// Reads a part of a range, at this revision or the newest one.
pub(crate) fn part(txn: &ReadTransaction, wanted: &Wanted<'_>, at: Option<u64>) -> ReadResult<Part> {
    let bounds = RevisionBounds::read(txn)?;
    let at = at.unwrap_or(bounds.revision);
    if let Err(no_state) = bounds.check(at) {
        return Ok(Err(no_state));
    }
    let log = txn.open_table(LOG)?;
    let mut part = Part { entries: Vec::new(), next: None, at };
    let mut bytes = 0;
    let mut take = |key: &[u8], place: Place, found: Option<&Record<'_>>| -> Result<bool, redb::Error> {
        if part.entries.len() >= wanted.max_items.max(1) || (bytes >= wanted.max_bytes && !part.entries.is_empty()) {
            part.next = Some(Bytes::copy_from_slice(key));
            return Ok(false);
        }
        let entry = match found {
            Some(record) => record.entry(place.0, wanted.keys_only),
            None => entry(&log, place, wanted.keys_only)?,
        };
        bytes += entry.key.len() + entry.value.len();
        part.entries.push(entry);
        Ok(true)
    };
    let end = wanted.range.end();
    if at == bounds.revision {
        let current = txn.open_table(CURRENT)?;
        let upper = end.map_or(Bound::Unbounded, |end| Bound::Excluded(&**end));
        for found in current.range::<&[u8]>((Bound::Included(wanted.from), upper))? {
            let (key, found) = found?;
            if !take(key.value(), Current::read(found.value()).place, None)? {
                break;
            }
        }
        return Ok(Ok(part));
    }
    let history = txn.open_table(HISTORY)?;
    let upper = end.map_or(Bound::Unbounded, |end| Bound::Excluded((&**end, 0)));
    // The last change of each key that is not newer than `at`.
    let mut last: Option<(Vec<u8>, Place)> = None;
    let mut take_last = |last: Option<(Vec<u8>, Place)>| -> Result<bool, redb::Error> {
        let Some((key, place)) = last else { return Ok(true) };
        let found = log.get(place)?.ok_or_else(|| missing(place))?;
        let record = Record::read(found.value())?;
        Ok(record.kind != Kind::Put || take(&key, place, Some(&record))?)
    };
    for found in history.range::<(&[u8], u64)>((Bound::Included((wanted.from, 0)), upper))? {
        let (key, number) = found?;
        let (key, revision) = key.value();
        if last.as_ref().is_some_and(|(last, _)| last != key) && !take_last(last.take())? {
            return Ok(Ok(part));
        }
        if revision <= at {
            match &mut last {
                Some((_, place)) => *place = (revision, number.value()),
                None => last = Some((key.to_vec(), (revision, number.value()))),
            }
        }
    }
    take_last(last)?;
    Ok(Ok(part))
}

/// The entry at a place in the log.
pub(crate) fn entry(
    log: &impl redb::ReadableTable<Place, &'static [u8]>,
    place: Place,
    keys_only: bool,
) -> Result<Entry, redb::Error> {
    let found = log.get(place)?.ok_or_else(|| missing(place))?;
    Ok(Record::read(found.value())?.entry(place.0, keys_only))
}

pub(crate) fn missing((revision, number): Place) -> redb::Error {
    redb::Error::Corrupted(format!("the log has no record {number} of revision {revision}"))
}
