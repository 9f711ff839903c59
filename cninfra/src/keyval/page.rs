//! [`PageRequest`] and [`Page`]: a range that is read page by page.

use super::{Entry, KeyRange, Revision};
use bytes::Bytes;
use std::fmt;

/// Which state of the store is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum At {
    /// The newest one that the whole store agrees on.
    #[default]
    Latest,
    /// As of this revision. Only in stores with revisions.
    Revision(Revision),
}

/// Where the next page begins. Its content has a meaning only for the store that made it. In a store with revisions,
/// all pages are of one revision.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor(pub Bytes);

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({})", super::range::shown(&self.0))
    }
}

/// A request for one page of a range.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PageRequest {
    /// The range.
    pub range: KeyRange,
    /// The state that is read. With a cursor, it is that of the previous page, whatever this says.
    pub at: At,
    /// Whether to leave out the values.
    pub keys_only: bool,
    /// The largest number of entries, but at least one.
    pub max_items: usize,
    /// The approximate largest size of keys and values together, in bytes, but at least one entry.
    pub max_bytes: usize,
    /// Where the previous page ended.
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    /// The first page of a range: up to a thousand entries and 8 MiB.
    #[must_use]
    pub fn new(range: KeyRange) -> Self {
        PageRequest { range, at: At::Latest, keys_only: false, max_items: 1000, max_bytes: 8 << 20, cursor: None }
    }
}

/// One page of a range.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The entries. They are in the order of the keys, if the store is [ordered](super::Capabilities::ordered).
    /// Otherwise, a key may come again in a later page; [`Listing`](super::Listing) leaves it out then.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` if this is the last one.
    pub next: Option<Cursor>,
    /// The revision that was read; `None` in a store without revisions.
    pub at: Option<Revision>,
}

impl Page {
    /// For stores: makes a page.
    #[must_use]
    pub fn new(entries: Vec<Entry>, next: Option<Cursor>, at: Option<Revision>) -> Self {
        Page { entries, next, at }
    }
}
