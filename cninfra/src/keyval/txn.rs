//! [`Txn`]: operations that are executed together or not at all.

use super::{Entry, Expiry, KeyRange, LeaseId, Revision};
use bytes::Bytes;
use std::{fmt, time::Duration};

/// Operations that are executed together or not at all. If all conditions hold, those of `then` are executed, otherwise
/// those of `otherwise`.
///
/// ```
/// use cninfra::keyval::{Compare, Txn};
///
/// // moves a value, if nobody was faster
/// let txn = Txn::new()
///     .when("leader", Compare::Value("a".into()))
///     .when("candidate", Compare::Absent)
///     .put("leader", "b")
///     .delete("former")
///     .or_get("leader");
/// assert_eq!((txn.conditions.len(), txn.then.len(), txn.otherwise.len()), (2, 2, 1));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Txn {
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// The operations if all conditions hold.
    pub then: Vec<Op>,
    /// The operations otherwise.
    pub otherwise: Vec<Op>,
}

impl Txn {
    /// An empty transaction.
    #[must_use]
    pub fn new() -> Self {
        Txn::default()
    }

    /// A transaction with one operation.
    #[must_use]
    pub fn one(op: Op) -> Self {
        Txn { then: vec![op], ..Txn::default() }
    }

    /// Adds a condition on a key.
    #[must_use]
    pub fn when(mut self, key: impl Into<Bytes>, is: Compare) -> Self {
        self.conditions.push(Condition { key: key.into(), is });
        self
    }

    /// Adds a put to `then`.
    #[must_use]
    pub fn put(self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.put_with(key, value, Expiry::Never)
    }

    /// Adds a put with an expiry to `then`.
    #[must_use]
    pub fn put_with(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>, expiry: Expiry) -> Self {
        self.then.push(Op::Put(Put::new(key, value, expiry)));
        self
    }

    /// Adds the delete of a key to `then`.
    #[must_use]
    pub fn delete(self, key: impl AsRef<[u8]>) -> Self {
        self.delete_range(KeyRange::key(key))
    }

    /// Adds the delete of all keys of a range to `then`.
    #[must_use]
    pub fn delete_range(mut self, range: KeyRange) -> Self {
        self.then.push(Op::Delete { range, previous: false });
        self
    }

    /// Adds the read of a key to `then`.
    #[must_use]
    pub fn get(mut self, key: impl AsRef<[u8]>) -> Self {
        self.then.push(Op::Get(KeyRange::key(key)));
        self
    }

    /// Adds the read of a key to `otherwise`.
    #[must_use]
    pub fn or_get(mut self, key: impl AsRef<[u8]>) -> Self {
        self.otherwise.push(Op::Get(KeyRange::key(key)));
        self
    }

    /// Adds an operation to `otherwise`.
    #[must_use]
    pub fn or(mut self, op: Op) -> Self {
        self.otherwise.push(op);
        self
    }

    /// Puts a prefix in front of all keys and ranges.
    pub(super) fn under(mut self, prefix: &[u8]) -> Self {
        if prefix.is_empty() {
            return self;
        }
        let under = |key: &Bytes| Bytes::from([prefix, key].concat());
        for condition in &mut self.conditions {
            condition.key = under(&condition.key);
        }
        for op in self.then.iter_mut().chain(&mut self.otherwise) {
            match op {
                Op::Put(put) => put.key = under(&put.key),
                Op::Delete { range, .. } | Op::Get(range) => *range = range.under(prefix),
            }
        }
        self
    }

    /// The name in messages: `put`, `delete` or `get` for a single operation, otherwise `transaction`.
    #[must_use]
    pub fn op(&self) -> &'static str {
        match (&*self.conditions, &*self.then, &*self.otherwise) {
            ([], [Op::Put(_)], []) => "put",
            ([], [Op::Delete { .. }], []) => "delete",
            ([], [Op::Get(_)], []) => "get",
            _ => "transaction",
        }
    }

    /// What it concerns, for messages: its only key or range, or the first of several.
    #[must_use]
    pub fn subject(&self) -> Option<KeyRange> {
        let of_op = |op: &Op| match op {
            Op::Put(put) => KeyRange::key(&put.key),
            Op::Delete { range, .. } | Op::Get(range) => range.clone(),
        };
        self.then.iter().chain(&self.otherwise).map(of_op).next()
    }
}

/// A condition on a key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Condition {
    /// The key.
    pub key: Bytes,
    /// What has to hold.
    pub is: Compare,
}

/// What has to hold for a key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compare {
    /// It does not exist.
    Absent,
    /// It exists.
    Present,
    /// It has this value, byte for byte.
    Value(Bytes),
    /// It was last written at this revision. Only in stores with revisions.
    Revision(Revision),
    /// It was created at this revision. Only in stores with revisions.
    Created(Revision),
    /// It was last written before this revision, or does not exist. Only in stores with revisions.
    Before(Revision),
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Op {
    /// Writes a value.
    Put(Put),
    /// Deletes all keys of a range.
    #[non_exhaustive]
    Delete {
        /// The range.
        range: KeyRange,
        /// Whether to return the deleted entries.
        previous: bool,
    },
    /// Reads all keys of a range.
    Get(KeyRange),
}

impl Op {
    /// Deletes all keys of a range. `previous` says whether to return the deleted entries, or only their number.
    #[must_use]
    pub fn delete(range: KeyRange, previous: bool) -> Self {
        Op::Delete { range, previous }
    }
}

impl fmt::Debug for Compare {
    /// Shows only the lengths of values, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Compare::Absent => f.write_str("Absent"),
            Compare::Present => f.write_str("Present"),
            Compare::Value(value) => write!(f, "Value({} bytes)", value.len()),
            Compare::Revision(revision) => write!(f, "Revision({revision})"),
            Compare::Created(revision) => write!(f, "Created({revision})"),
            Compare::Before(revision) => write!(f, "Before({revision})"),
        }
    }
}

/// A put: a value to be written.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Put {
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
    /// When the key is deleted automatically. A put without an expiry removes that of the previous put.
    pub expiry: Expiry,
}

impl Put {
    /// A put of this value.
    #[must_use]
    pub fn new(key: impl Into<Bytes>, value: impl Into<Bytes>, expiry: Expiry) -> Self {
        Put { key: key.into(), value: value.into(), expiry }
    }
}

impl fmt::Debug for Put {
    /// Shows only the length of the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, len) = (super::range::shown(&self.key).to_string(), self.value.len());
        let mut put = f.debug_struct("Put");
        put.field("key", &key).field("value", &format_args!("{len} bytes")).field("expiry", &self.expiry).finish()
    }
}

/// The result of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TxnOutcome {
    /// Whether all conditions held, so that `then` was executed.
    pub succeeded: bool,
    /// The revision after it; `None` in a store without revisions.
    pub revision: Option<Revision>,
    /// The results of the operations, in their order.
    pub results: Vec<OpResult>,
}

impl TxnOutcome {
    /// For stores: makes a result.
    #[must_use]
    pub fn new(succeeded: bool, revision: Option<Revision>, results: Vec<OpResult>) -> Self {
        TxnOutcome { succeeded, revision, results }
    }
}

/// The result of one operation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OpResult {
    /// It was written.
    #[non_exhaustive]
    Put {
        /// The time to live that was granted, which may be longer than requested.
        ttl: Option<Duration>,
        /// The lease it is bound to.
        lease: Option<LeaseId>,
    },
    /// Keys were deleted.
    #[non_exhaustive]
    Deleted {
        /// How many.
        count: u64,
        /// The deleted entries, if they were requested.
        previous: Vec<Entry>,
    },
    /// What was read.
    Got(Vec<Entry>),
}

impl OpResult {
    /// For stores: the result of a put.
    #[must_use]
    pub fn put(ttl: Option<Duration>, lease: Option<LeaseId>) -> Self {
        OpResult::Put { ttl, lease }
    }

    /// For stores: the result of a delete.
    #[must_use]
    pub fn deleted(count: u64, previous: Vec<Entry>) -> Self {
        OpResult::Deleted { count, previous }
    }
}
