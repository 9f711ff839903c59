//! The tables of a store, and their encoding.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `current` | key | the place of its value in the log, and what else is known of it |
//! | `log` | revision, number in it | a change, with the value, which is stored nowhere else |
//! | `history` | key, revision | the number in that revision |
//! | `leases` | lease | its kind, its time to live, and when it expires |
//! | `owned` | lease, key | the keys that expire with a lease |
//! | `meta` | name | a number |

use cninfra::keyval::{Bytes, Entry, LeaseId, Revision};
use redb::TableDefinition;

pub(crate) const CURRENT: TableDefinition<'_, &[u8], CurrentValue> = TableDefinition::new("current");
pub(crate) const LOG: TableDefinition<'_, Place, &[u8]> = TableDefinition::new("log");
pub(crate) const HISTORY: TableDefinition<'_, (&[u8], u64), u32> = TableDefinition::new("history");
pub(crate) const LEASES: TableDefinition<'_, i64, LeaseValue> = TableDefinition::new("leases");
pub(crate) const OWNED: TableDefinition<'_, (i64, &[u8]), ()> = TableDefinition::new("owned");
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The revision, and the number of the change in it.
pub(crate) type Place = (u64, u32);
/// Created, place (two numbers), version, lease (0 for none).
pub(crate) type CurrentValue = (u64, u64, u32, u64, i64);
/// Kind, time to live and expiry, the latter as milliseconds since 1970.
pub(crate) type LeaseValue = (u8, u64, u64);

/// The names in `meta`.
pub(crate) mod meta {
    /// The version of all these tables.
    pub(crate) const FORMAT: &str = "format";
    /// The newest revision.
    pub(crate) const REVISION: &str = "revision";
    /// The oldest revision that can be read.
    pub(crate) const COMPACTED: &str = "compacted";
    /// The revision up to which compacted data has been discarded.
    pub(crate) const SWEPT: &str = "swept";
    /// The number of redb transactions that were written. It shows whether the last one was.
    pub(crate) const STAMP: &str = "stamp";
}

pub(crate) const FORMAT: u64 = 1;
/// As in etcd, a store without any change has revision 1.
pub(crate) const FIRST: u64 = 1;

/// The lease of the keys that end with the client. It has no time to live.
pub(crate) const OF_CLIENT: u8 = 0;
/// A lease that was granted.
pub(crate) const GRANTED: u8 = 1;
/// The lease of a single key, which ends with that key.
pub(crate) const OF_KEY: u8 = 2;

/// What is known of a key that exists.
#[derive(Clone, Copy)]
pub(crate) struct Current {
    pub(crate) created: u64,
    pub(crate) place: Place,
    pub(crate) version: u64,
    pub(crate) lease: i64,
}

impl Current {
    pub(crate) fn read((created, revision, number, version, lease): CurrentValue) -> Self {
        Current { created, place: (revision, number), version, lease }
    }

    pub(crate) fn write(self) -> CurrentValue {
        (self.created, self.place.0, self.place.1, self.version, self.lease)
    }
}

/// What a change does to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Put,
    Deleted,
    /// Deleted, since its lease has ended.
    Expired,
}

/// A change in the log.
pub(crate) struct Record<'a> {
    pub(crate) kind: Kind,
    pub(crate) created: u64,
    pub(crate) version: u64,
    pub(crate) lease: i64,
    /// The place of the previous value; `None` if the key was absent.
    pub(crate) before: Option<Place>,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

const HEAD: usize = 1 + 8 + 8 + 8 + 8 + 4 + 4;

impl<'a> Record<'a> {
    pub(crate) fn write(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Put => 0,
            Kind::Deleted => 1,
            Kind::Expired => 2,
        };
        let (revision, number) = self.before.unwrap_or((0, 0));
        let mut bytes = Vec::with_capacity(HEAD + self.key.len() + self.value.len());
        bytes.push(kind);
        bytes.extend(self.created.to_le_bytes());
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.lease.to_le_bytes());
        bytes.extend(revision.to_le_bytes());
        bytes.extend(number.to_le_bytes());
        // A key of 4 GiB was refused long before.
        bytes.extend(u32::try_from(self.key.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(self.key);
        bytes.extend_from_slice(self.value);
        bytes
    }

    /// An error if it is malformed, so that the file is damaged.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, redb::Error> {
        Self::parse(bytes).ok_or_else(|| redb::Error::Corrupted("a record of the log is malformed".to_string()))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let kind = match kind {
            0 => Kind::Put,
            1 => Kind::Deleted,
            2 => Kind::Expired,
            _ => return None,
        };
        let (created, rest) = rest.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (lease, rest) = rest.split_first_chunk()?;
        let (revision, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (key, value) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let before = (u64::from_le_bytes(*revision), u32::from_le_bytes(*number));
        Some(Record {
            kind,
            created: u64::from_le_bytes(*created),
            version: u64::from_le_bytes(*version),
            lease: i64::from_le_bytes(*lease),
            before: (before.0 != 0).then_some(before),
            key,
            value,
        })
    }

    /// The entry for callers. The key and the value share one allocation.
    pub(crate) fn entry(&self, revision: u64, keys_only: bool) -> Entry {
        let both = if keys_only { self.key.to_vec() } else { [self.key, self.value].concat() };
        let both = Bytes::from(both);
        let mut entry = Entry::new(both.slice(..self.key.len()), both.slice(self.key.len()..));
        entry.revision = Revision::new(revision);
        entry.created = Revision::new(self.created);
        entry.version = Some(self.version);
        entry.lease = lease_of(self.lease);
        entry
    }
}

/// The lease id for callers.
pub(crate) fn lease_of(lease: i64) -> Option<LeaseId> {
    (lease != 0).then_some(LeaseId(lease))
}
