//! Conversions between the values of the store interface and those of the etcd client.

use bytes::Bytes;
use cninfra::keyval::{Entry, KeyRange, LeaseId, Revision};
use etcd_client::{ResponseHeader, proto::PbKeyValue};

pub(crate) fn entry(kv: PbKeyValue) -> Entry {
    let mut entry = Entry::new(kv.key, kv.value);
    entry.revision = revision(kv.mod_revision);
    entry.created = revision(kv.create_revision);
    entry.version = u64::try_from(kv.version).ok().filter(|version| *version > 0);
    entry.lease = (kv.lease != 0).then_some(LeaseId(kv.lease));
    entry
}

pub(crate) fn revision(number: i64) -> Option<Revision> {
    u64::try_from(number).ok().and_then(Revision::new)
}

pub(crate) fn number(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

/// The revision in the header of an answer; 0 if there is no header.
pub(crate) fn header_revision(header: Option<&ResponseHeader>) -> i64 {
    header.map_or(0, ResponseHeader::revision)
}

/// A range in etcd's terms: the first key, and the end, which is exclusive. For a single key the end is empty; for a
/// range without an end it is a zero byte.
pub(crate) fn bounds(range: &KeyRange) -> (Vec<u8>, Vec<u8>) {
    if let Some(key) = range.single() {
        return (key.to_vec(), Vec::new());
    }
    (start(range.start()), range.end().map_or_else(|| vec![0], |end| end.to_vec()))
}

/// etcd has no empty key: the smallest possible key is a zero byte.
pub(crate) fn start(key: &Bytes) -> Vec<u8> {
    if key.is_empty() { vec![0] } else { key.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_etcd_takes_for_it() {
        assert_eq!(bounds(&KeyRange::key("k")), (b"k".to_vec(), Vec::new()));
        assert_eq!(bounds(&KeyRange::prefix("k")), (b"k".to_vec(), b"l".to_vec()));
        assert_eq!(bounds(&KeyRange::all()), (vec![0], vec![0]));
        assert_eq!(bounds(&KeyRange::from("k")), (b"k".to_vec(), vec![0]));
        assert_eq!(bounds(&KeyRange::between("", "k")), (vec![0], b"k".to_vec()));
    }
}
