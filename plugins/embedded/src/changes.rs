//! [`changes`]: reads the changes in the log that a watch reports.

use crate::{
    read::{ReadResult, RevisionBounds, UnreadableRevision},
    tables::{Kind, LOG, Place, Record},
};
use cninfra::keyval::{Bytes, Change, KeyRange, Previous};
use redb::{ReadOnlyTable, ReadTransaction};

/// How many records one call examines, and how many bytes it returns; at least one revision in any case.
const MOST: (usize, usize) = (4096, 1 << 20);

pub(crate) struct Changes {
    pub(crate) revisions: Vec<(u64, Vec<Change>)>,
    /// The last revision that was examined.
    pub(crate) upto: u64,
    /// Whether there is more.
    pub(crate) more: bool,
}

/// The changes of some ranges, beginning at revision `from`. Each range has its own revision, and only later changes of
/// it are returned.
pub(crate) fn changes(
    txn: &ReadTransaction,
    from: u64,
    ranges: &[(KeyRange, u64)],
    previous: bool,
) -> ReadResult<Changes> {
    let bounds = RevisionBounds::read(txn)?;
    if from < bounds.compacted {
        return Ok(Err(UnreadableRevision::Compacted(bounds.compacted)));
    }
    let log = txn.open_table(LOG)?;
    let mut changes = Changes { revisions: Vec::new(), upto: bounds.revision.max(from - 1), more: false };
    let (mut records, mut bytes, mut last) = (0, 0, from - 1);
    for found in log.range((from, 0)..)? {
        let (place, found) = found?;
        let (revision, _) = place.value();
        if revision != last {
            if records >= MOST.0 || bytes >= MOST.1 {
                (changes.upto, changes.more) = (last, true);
                break;
            }
            last = revision;
        }
        records += 1;
        let record = Record::read(found.value())?;
        let is_watched = |(range, since): &(KeyRange, u64)| revision > *since && range.contains(record.key);
        if !ranges.iter().any(is_watched) {
            continue;
        }
        bytes += found.value().len();
        let change = change(&log, revision, &record, previous)?;
        match changes.revisions.last_mut() {
            Some((of, all)) if *of == revision => all.push(change),
            _ => changes.revisions.push((revision, vec![change])),
        }
    }
    Ok(Ok(changes))
}

fn change(
    log: &ReadOnlyTable<Place, &'static [u8]>,
    revision: u64,
    record: &Record<'_>,
    previous: bool,
) -> Result<Change, redb::Error> {
    let before = match record.before {
        None => Previous::Absent,
        Some(_) if !previous => Previous::Unknown,
        // The previous value may be compacted, so it is unknown.
        Some(place) => match log.get(place)? {
            Some(found) => Previous::Entry(Record::read(found.value())?.entry(place.0, false)),
            None => Previous::Unknown,
        },
    };
    Ok(match record.kind {
        Kind::Put => Change::put(record.entry(revision, false), Some(record.before.is_none()), before),
        kind => Change::deleted(Bytes::copy_from_slice(record.key), Some(kind == Kind::Expired), before),
    })
}
