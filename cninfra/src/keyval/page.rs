//! [`PageRequest`] and [`Page`]: a range that is read part by part.

use super::{Entry, KeyRange, Revision};
use bytes::Bytes;
use std::fmt;

/// Of which state something is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum At {
    /// The newest one that the whole store agrees on.
    #[default]
    Latest,
    /// As it was then. In stores with revisions only.
    Revision(Revision),
}

/// Where the next page begins. What is in it only the store knows that has made it; of a store with revisions all pages are of one state.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor(pub Bytes);

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({})", super::range::shown(&self.0))
    }
}

/// What is wanted of a range.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PageRequest {
    /// The range.
    pub range: KeyRange,
    /// Of which state. With a cursor that of the page before is read, whatever this says.
    pub at: At,
    /// The values are not wanted.
    pub keys_only: bool,
    /// So many entries at most; one in any case.
    pub max_items: usize,
    /// About so many bytes at most, of keys and values; one entry in any case.
    pub max_bytes: usize,
    /// Where the page before has ended.
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    /// The first page of a range: a thousand entries, 8 MiB.
    #[must_use]
    pub fn new(range: KeyRange) -> Self {
        PageRequest { range, at: At::Latest, keys_only: false, max_items: 1000, max_bytes: 8 << 20, cursor: None }
    }
}

/// A part of a range.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Page {
    /// In the order of the keys, where the store is [ordered](super::Capabilities::ordered). Where it is not, a key may come again in a later page;
    /// [`Listing`](super::Listing) leaves it out then.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` if this is the last one.
    pub next: Option<Cursor>,
    /// The state that was read; `None` in a store without revisions.
    pub at: Option<Revision>,
}

impl Page {
    /// For a store.
    #[must_use]
    pub fn new(entries: Vec<Entry>, next: Option<Cursor>, at: Option<Revision>) -> Self {
        Page { entries, next, at }
    }
}
