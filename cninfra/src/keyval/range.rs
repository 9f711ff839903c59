//! [`KeyRange`]: a contiguous range of keys.

use bytes::Bytes;
use std::{fmt, ops::Bound};

/// A range of keys, in the order of their bytes, from `start` (inclusive) to `end` (exclusive).
///
/// ```
/// use cninfra::keyval::KeyRange;
///
/// let contacts = KeyRange::prefix("contacts/");
/// assert!(contacts.contains(b"contacts/alice") && !contacts.contains(b"contacts"));
/// assert!(KeyRange::key("a").contains(b"a") && !KeyRange::key("a").contains(b"ab"));
/// assert!(KeyRange::between("a", "c").contains(b"b") && !KeyRange::between("a", "c").contains(b"c"));
/// assert!(KeyRange::all().contains(b""));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRange {
    start: Bytes,
    /// `None` if the range has no end.
    end: Option<Bytes>,
}

impl KeyRange {
    /// This key only.
    #[must_use]
    pub fn key(key: impl AsRef<[u8]>) -> Self {
        let key = key.as_ref();
        // The next possible key is this key followed by a zero byte. Both are slices of one allocation.
        let next = Bytes::from([key, &[0]].concat());
        KeyRange { start: next.slice(..key.len()), end: Some(next) }
    }

    /// All keys with this prefix. An empty prefix means all keys.
    #[must_use]
    pub fn prefix(prefix: impl AsRef<[u8]>) -> Self {
        let start = Bytes::copy_from_slice(prefix.as_ref());
        let end = after_prefix(&start).map(Bytes::from);
        KeyRange { start, end }
    }

    /// From the first key (inclusive) to the second (exclusive). It is empty if the second is not greater than the
    /// first.
    #[must_use]
    pub fn between(from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Self {
        KeyRange { start: Bytes::copy_from_slice(from.as_ref()), end: Some(Bytes::copy_from_slice(to.as_ref())) }
    }

    /// From this key on, without an end.
    #[must_use]
    pub fn from(from: impl AsRef<[u8]>) -> Self {
        KeyRange { start: Bytes::copy_from_slice(from.as_ref()), end: None }
    }

    /// All keys.
    #[must_use]
    pub fn all() -> Self {
        KeyRange { start: Bytes::new(), end: None }
    }

    /// The first key that can be in it (inclusive).
    #[must_use]
    pub fn start(&self) -> &Bytes {
        &self.start
    }

    /// Its end (exclusive); `None` if it has none.
    #[must_use]
    pub fn end(&self) -> Option<&Bytes> {
        self.end.as_ref()
    }

    /// Its bounds, in the form that the standard library's maps take.
    #[must_use]
    pub fn bounds(&self) -> (Bound<&Bytes>, Bound<&Bytes>) {
        // `BTreeMap::range` panics if the end is below the start.
        let end = self.end.as_ref().map(|end| end.max(&self.start));
        (Bound::Included(&self.start), end.map_or(Bound::Unbounded, Bound::Excluded))
    }

    /// Whether it contains this key.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= &*self.start && self.end.as_ref().is_none_or(|end| key < &**end)
    }

    /// Whether it contains no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// Its only key, if it has just one.
    #[must_use]
    pub fn single(&self) -> Option<&Bytes> {
        let (last, front) = self.end.as_ref()?.split_last()?;
        (*last == 0 && *front == *self.start).then_some(&self.start)
    }

    /// The prefix, if its keys are exactly those with that prefix, as made by [`KeyRange::prefix`].
    #[must_use]
    pub fn as_prefix(&self) -> Option<&Bytes> {
        (after_prefix(&self.start).as_deref() == self.end.as_deref()).then_some(&self.start)
    }

    /// Removes a prefix that all its keys have: the reverse of [`under`](Self::under).
    #[must_use]
    pub fn without_prefix(&self, prefix: &[u8]) -> Self {
        let without = |key: &Bytes| key.strip_prefix(prefix).map(|rest| key.slice_ref(rest));
        // An end without this prefix comes after all keys with the prefix, so the result has no end.
        KeyRange { start: without(&self.start).unwrap_or_default(), end: self.end.as_ref().and_then(without) }
    }

    /// Puts the range below a prefix, which all its keys then have.
    #[must_use]
    pub fn under(&self, prefix: &[u8]) -> Self {
        let under = |key: &[u8]| Bytes::from([prefix, key].concat());
        let end = self.end.as_ref().map_or_else(|| after_prefix(prefix).map(Bytes::from), |end| Some(under(end)));
        KeyRange { start: under(&self.start), end }
    }
}

/// The first key after all keys with this prefix; `None` if there is no such key.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

impl fmt::Debug for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for KeyRange {
    /// `a` for a key, `a*` for a prefix, `a..b` for another range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = shown(&self.start);
        if self.single().is_some() {
            return write!(f, "{start}");
        }
        if self.as_prefix().is_some() {
            return write!(f, "{start}*");
        }
        let end = self.end.as_deref().map(|end| shown(end).to_string()).unwrap_or_default();
        write!(f, "{start}..{end}")
    }
}

/// A key as text for messages: non-printable characters are escaped, and a long key is cut.
pub(super) fn shown(key: &[u8]) -> impl fmt::Display {
    const MOST: usize = 256;
    let text = key[..key.len().min(MOST)].utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.extend(chunk.valid().chars().flat_map(|c| c.escape_debug()));
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        text
    });
    if key.len() > MOST { text + ".." } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_all_that_begins_with_it() {
        let range = KeyRange::prefix([1, 0xff, 0xff]);
        assert!(range.contains(&[1, 0xff, 0xff]) && range.contains(&[1, 0xff, 0xff, 0xff, 9]));
        assert!(!range.contains(&[2]) && !range.contains(&[1, 0xff, 0xfe, 0xff]));
        assert_eq!(range.end().map(|end| end.to_vec()), Some(vec![2]));
        assert_eq!(KeyRange::prefix([0xff, 0xff]).end(), None);
        assert_eq!(KeyRange::prefix(""), KeyRange::all());
    }

    #[test]
    fn what_it_was_made_of_is_known() {
        let (key, prefix, between) = (KeyRange::key("a"), KeyRange::prefix("a"), KeyRange::between("a", "ab"));
        assert_eq!((key.single().map(|key| &**key), key.as_prefix()), (Some(&b"a"[..]), None));
        assert_eq!((prefix.single(), prefix.as_prefix().map(|prefix| &**prefix)), (None, Some(&b"a"[..])));
        assert_eq!((between.single(), between.as_prefix()), (None, None));
        assert_eq!(KeyRange::key("").single().map(|key| key.len()), Some(0));
        let none = std::collections::BTreeMap::from([(Bytes::from("a"), ())]);
        assert_eq!(none.range::<Bytes, _>(KeyRange::between("b", "a").bounds()).count(), 0);
        assert!(KeyRange::between("b", "a").is_empty() && KeyRange::between("a", "a").is_empty() && !key.is_empty());
    }

    #[test]
    fn under_a_prefix_it_has_the_same_keys() {
        for (range, key) in [
            (KeyRange::key("k"), "k"),
            (KeyRange::prefix("k"), "kk"),
            (KeyRange::between("a", "l"), "k"),
            (KeyRange::from("b"), "\u{10ffff}"),
            (KeyRange::all(), ""),
        ] {
            let under = range.under(b"p/");
            assert!(under.contains(format!("p/{key}").as_bytes()), "{under}");
            assert!(!under.contains(key.as_bytes()) && !under.contains(b"p0") && !under.contains(b"p"), "{under}");
            assert_eq!(range.single().is_some(), under.single().is_some());
            assert_eq!(under.without_prefix(b"p/"), range);
        }
        assert_eq!(KeyRange::all().under(b"p/"), KeyRange::prefix("p/"));
    }

    #[test]
    fn people_can_read_it() {
        let shown =
            [KeyRange::key("a\n"), KeyRange::prefix([b'a', 0xc3]), KeyRange::between("a", "c"), KeyRange::all()];
        assert_eq!(shown.map(|range| range.to_string()), ["a\\n", "a\\xc3*", "a..c", "*"]);
        assert_eq!(KeyRange::key("x".repeat(300)).to_string().len(), 258);
    }
}
