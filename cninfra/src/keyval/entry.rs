//! [`Entry`]: a key with its value, as a store has it.

use bytes::Bytes;
use std::{
    fmt,
    num::{NonZeroU64, ParseIntError},
    str::FromStr,
    time::Duration,
};

/// A state of a whole store: the next one with each change. Only stores with a history have them (see [`Revisions`](super::Revisions)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(NonZeroU64);

impl Revision {
    /// `None` of 0, which is no revision.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Revision(number)),
            None => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A lease of a store: keys that are bound to it are deleted when it ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub i64);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for LeaseId {
    type Err = ParseIntError;

    /// As it is shown: in hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        // a negative one is shown by the bits that it has
        u64::from_str_radix(text, 16).map(|number| LeaseId(number.cast_signed()))
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeaseId({self})")
    }
}

/// A key with its value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The key, without the prefix of the view that it was asked of.
    pub key: Bytes,
    /// The value. It may be empty; it is, where only keys were asked for.
    pub value: Bytes,
    /// When it was written last; `None` in a store without revisions.
    pub revision: Option<Revision>,
    /// When the key was made; `None` in a store without revisions.
    pub created: Option<Revision>,
    /// How often it was written since then, 1 at first; `None` in a store that does not count.
    pub version: Option<u64>,
    /// The lease that it ends with.
    pub lease: Option<LeaseId>,
}

impl Entry {
    /// One of which nothing else is known.
    #[must_use]
    pub fn new(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Entry { key: key.into(), value: value.into(), revision: None, created: None, version: None, lease: None }
    }
}

impl fmt::Debug for Entry {
    /// The value may be a secret: of it only the length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = super::range::shown(&self.key).to_string();
        let mut entry = f.debug_struct("Entry");
        entry.field("key", &key).field("value", &format_args!("{} bytes", self.value.len()));
        entry.field("revision", &self.revision).field("created", &self.created);
        entry.field("version", &self.version).field("lease", &self.lease).finish()
    }
}

/// The longest life of a key or a lease, in every store: a hundred years. Whoever asks for more has this, so that `Duration::MAX` means "as long as can be" everywhere.
pub const LONGEST_LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// When a key is deleted by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Expiry {
    /// Never.
    #[default]
    Never,
    /// So long after it was written, [`LONGEST_LIFE`] at most. A store may take longer: what it has granted is in the answer.
    After(Duration),
    /// With this lease.
    Lease(LeaseId),
    /// When the client that writes it is gone: at its close, and some seconds after its death. For what says that somebody is there.
    ///
    /// What somebody else has changed or deleted while the client was connected to the server is his, and does not come back: the client looks for that a few times in the life of such a key. But where the life has ended though the client
    /// lives (it could not reach the server for as long, or the server has lost its data), it writes again what is not there, and leaves what somebody else has written: what was deleted since it looked last can not be told from what has ended.
    ///
    /// A server that is put back to a state before, from a backup, may have an older value of such a key, or not have it. On etcd the client writes its last value again, if it sees that the server has gone back: while the server's revision is lower than when that was written. The client looks at each
    /// third of the life of such a key; if others have written so much by then that the revision is as high again, the older value stays, and a key that is not there is taken for deleted, until the client puts it. On Redis an older value is taken for somebody else's.
    WithClient,
    /// As it was for the value before, which a condition of the same transaction asks for: its life goes on, and does not begin anew.
    Keep,
}
