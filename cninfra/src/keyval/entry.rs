//! [`Entry`]: a key with its value as stored, and its revision, lease and expiry.

use bytes::Bytes;
use std::{
    fmt,
    num::{NonZeroU64, ParseIntError},
    str::FromStr,
    time::Duration,
};

/// A state of a whole store, which increases with each change. Only stores with a history have revisions (see
/// [`Revisions`](super::Revisions)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(NonZeroU64);

impl Revision {
    /// `None` for 0, which is not a revision.
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

/// A lease of a store. Keys that are bound to it are deleted when it ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub i64);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for LeaseId {
    type Err = ParseIntError;

    /// Parses hexadecimal digits, as `Display` writes them.
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        // A negative id is displayed as its bit pattern.
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
    /// The key, without the prefix of the view it was read from.
    pub key: Bytes,
    /// The value, which may be empty. It is empty if only keys were requested.
    pub value: Bytes,
    /// When the key was last written; `None` in a store without revisions.
    pub revision: Option<Revision>,
    /// When the key was created; `None` in a store without revisions.
    pub created: Option<Revision>,
    /// How often the key was written since it was created, beginning with 1; `None` in a store that does not count.
    pub version: Option<u64>,
    /// The lease it is bound to.
    pub lease: Option<LeaseId>,
}

impl Entry {
    /// An entry with only a key and a value.
    #[must_use]
    pub fn new(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Entry { key: key.into(), value: value.into(), revision: None, created: None, version: None, lease: None }
    }
}

impl fmt::Debug for Entry {
    /// Shows only the length of the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = super::range::shown(&self.key).to_string();
        let mut entry = f.debug_struct("Entry");
        entry.field("key", &key).field("value", &format_args!("{} bytes", self.value.len()));
        entry.field("revision", &self.revision).field("created", &self.created);
        entry.field("version", &self.version).field("lease", &self.lease).finish()
    }
}

/// The longest time to live of a key or a lease, in every store: a hundred years. A longer one is shortened to this, so
/// that `Duration::MAX` means "as long as possible" everywhere.
pub const LONGEST_LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// When a key is deleted automatically.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Expiry {
    /// Never.
    #[default]
    Never,
    /// This long after it was written, at most [`LONGEST_LIFE`]. A store may take longer; what it has granted is in its
    /// answer.
    After(Duration),
    /// When this lease ends.
    Lease(LeaseId),
    /// When the client that writes it is gone: at its close, and some seconds after its process has died. It is for
    /// keys that say that an agent is present.
    ///
    /// Changes by others are respected. If someone else has changed or deleted the key while the client was connected
    /// to the server, the client does not write it again; it checks for that a few times in the time to live of such a
    /// key. But if the key has expired although the client is alive (it could not reach the server for that long, or
    /// the server has lost its data), the client writes it again if it is missing, and leaves what others have written.
    /// A key that was deleted since the last check cannot be distinguished from one that has expired.
    ///
    /// A server that was restored from a backup may have an older value of such a key, or not have it. On etcd, the
    /// client writes its last value again if it notices that the server has gone back: as long as the server's revision
    /// is lower than that at which the value was written. The client checks after each third of the time to live. If
    /// others have written so much by then that the revision is as high again, the older value stays, and a missing key
    /// is taken for deleted, until the client puts it. On Redis, an older value is taken for a change by someone else.
    WithClient,
    /// Keeps the expiry of the previous value, which a condition of the same transaction has to require. The time to
    /// live continues, and does not start again.
    Keep,
}
