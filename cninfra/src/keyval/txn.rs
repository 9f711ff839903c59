//! [`Txn`]: operations that are done together or not at all.

use super::{Entry, Expiry, KeyRange, LeaseId, Revision};
use bytes::Bytes;
use std::{fmt, time::Duration};

/// Operations that are done together, or not at all. If all conditions hold, those of `then` are done; else those of `otherwise`.
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
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// What is done if it does.
    pub then: Vec<Op>,
    /// What is done if it does not.
    pub otherwise: Vec<Op>,
}

impl Txn {
    /// One that does nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Txn::default()
    }

    /// One that does only this.
    #[must_use]
    pub fn one(op: Op) -> Self {
        Txn { then: vec![op], ..Txn::default() }
    }

    /// Only if that holds of this key.
    #[must_use]
    pub fn when(mut self, key: impl Into<Bytes>, is: Compare) -> Self {
        self.conditions.push(Condition { key: key.into(), is });
        self
    }

    /// Then writes a value.
    #[must_use]
    pub fn put(self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.put_with(key, value, Expiry::Never)
    }

    /// Then writes a value that ends by itself.
    #[must_use]
    pub fn put_with(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>, expiry: Expiry) -> Self {
        self.then.push(Op::Put(Put::new(key, value, expiry)));
        self
    }

    /// Then deletes a key.
    #[must_use]
    pub fn delete(self, key: impl AsRef<[u8]>) -> Self {
        self.delete_range(KeyRange::key(key))
    }

    /// Then deletes all keys of a range.
    #[must_use]
    pub fn delete_range(mut self, range: KeyRange) -> Self {
        self.then.push(Op::Delete { range, previous: false });
        self
    }

    /// Then reads a key.
    #[must_use]
    pub fn get(mut self, key: impl AsRef<[u8]>) -> Self {
        self.then.push(Op::Get(KeyRange::key(key)));
        self
    }

    /// Otherwise reads a key.
    #[must_use]
    pub fn or_get(mut self, key: impl AsRef<[u8]>) -> Self {
        self.otherwise.push(Op::Get(KeyRange::key(key)));
        self
    }

    /// Otherwise does this.
    #[must_use]
    pub fn or(mut self, op: Op) -> Self {
        self.otherwise.push(op);
        self
    }

    /// The same with all keys below a prefix.
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

    /// What it is called in messages: `put`, `delete` or `get`, where it is that alone, and else `transaction`.
    #[must_use]
    pub fn op(&self) -> &'static str {
        match (&*self.conditions, &*self.then, &*self.otherwise) {
            ([], [Op::Put(_)], []) => "put",
            ([], [Op::Delete { .. }], []) => "delete",
            ([], [Op::Get(_)], []) => "get",
            _ => "transaction",
        }
    }

    /// What it is about, for messages: its only key or range, or the first of them.
    #[must_use]
    pub fn subject(&self) -> Option<KeyRange> {
        let of_op = |op: &Op| match op {
            Op::Put(put) => KeyRange::key(&put.key),
            Op::Delete { range, .. } | Op::Get(range) => range.clone(),
        };
        self.then.iter().chain(&self.otherwise).map(of_op).next()
    }
}

/// What must hold of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Condition {
    /// The key.
    pub key: Bytes,
    /// What must hold of it.
    pub is: Compare,
}

/// What must hold of a key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compare {
    /// There is no such key.
    Absent,
    /// There is one.
    Present,
    /// It has this value, byte for byte.
    Value(Bytes),
    /// It was written last at this revision. In stores with revisions only.
    Revision(Revision),
    /// It was made at this revision. In stores with revisions only.
    Created(Revision),
    /// It was written last before this revision, or is not there. In stores with revisions only.
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
        /// The entries that are deleted are wanted.
        previous: bool,
    },
    /// Reads all keys of a range.
    Get(KeyRange),
}

impl Op {
    /// Deletes all keys of a range; what they had is wanted, or only how many they were.
    #[must_use]
    pub fn delete(range: KeyRange, previous: bool) -> Self {
        Op::Delete { range, previous }
    }
}

impl fmt::Debug for Compare {
    /// A value may be a secret: of it only the length is told.
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

/// A value that is written.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Put {
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
    /// When the key is deleted by itself. A put without one takes away that of the put before.
    pub expiry: Expiry,
}

impl Put {
    /// Of these.
    #[must_use]
    pub fn new(key: impl Into<Bytes>, value: impl Into<Bytes>, expiry: Expiry) -> Self {
        Put { key: key.into(), value: value.into(), expiry }
    }
}

impl fmt::Debug for Put {
    /// The value may be a secret: of it only the length is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, len) = (super::range::shown(&self.key).to_string(), self.value.len());
        let mut put = f.debug_struct("Put");
        put.field("key", &key).field("value", &format_args!("{len} bytes")).field("expiry", &self.expiry).finish()
    }
}

/// What came of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TxnOutcome {
    /// All conditions held: what was done is `then`.
    pub succeeded: bool,
    /// The state that followed; `None` in a store without revisions.
    pub revision: Option<Revision>,
    /// What came of each operation, in their order.
    pub results: Vec<OpResult>,
}

impl TxnOutcome {
    /// For a store.
    #[must_use]
    pub fn new(succeeded: bool, revision: Option<Revision>, results: Vec<OpResult>) -> Self {
        TxnOutcome { succeeded, revision, results }
    }
}

/// What came of one operation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OpResult {
    /// It was written.
    #[non_exhaustive]
    Put {
        /// The life that it was granted, which may be longer than what was asked for.
        ttl: Option<Duration>,
        /// The lease that it ends with.
        lease: Option<LeaseId>,
    },
    /// So many were deleted.
    #[non_exhaustive]
    Deleted {
        /// How many.
        count: u64,
        /// What they were, where that was wanted.
        previous: Vec<Entry>,
    },
    /// What was read.
    Got(Vec<Entry>),
}

impl OpResult {
    /// For a store: it was written.
    #[must_use]
    pub fn put(ttl: Option<Duration>, lease: Option<LeaseId>) -> Self {
        OpResult::Put { ttl, lease }
    }

    /// For a store: so many were deleted.
    #[must_use]
    pub fn deleted(count: u64, previous: Vec<Entry>) -> Self {
        OpResult::Deleted { count, previous }
    }
}
