//! [`Scan`]: iterates over all keys below a prefix, server by server.

use crate::{
    call::{Asks, To, Turn},
    command::Command,
    core::Core,
    glob::literal,
};
use bytes::Bytes;
use cninfra::keyval::{KeyRange, Result};
use std::sync::Arc;

/// How many keys the server examines for one answer.
const COUNT: usize = 1000;

/// The position in an iteration over all keys below a prefix. It returns each key that exists during the whole
/// iteration at least once; in a cluster, unless its slot is moved meanwhile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scan {
    /// The server, and its cursor; `None` at the end.
    at: Option<(Arc<str>, u64)>,
}

impl Scan {
    /// Begins at the first server.
    pub(crate) fn new(core: &Core) -> Self {
        Scan { at: core.primaries().into_iter().next().map(|first| (first, 0)) }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.at.is_none()
    }

    /// The server where the iteration is.
    pub(crate) fn endpoint(&self) -> Option<&Arc<str>> {
        self.at.as_ref().map(|(endpoint, _)| endpoint)
    }

    /// The next keys. There may be none although the iteration is not over.
    pub(crate) async fn next(
        &mut self,
        core: &Core,
        turn: Turn,
        asked: Asks<'_>,
        range: &KeyRange,
    ) -> Result<Vec<Bytes>> {
        let Some((endpoint, cursor)) = self.at.clone() else { return Ok(Vec::new()) };
        let prefix = range.as_prefix().map(|prefix| &**prefix).unwrap_or_default();
        // If the prefix ends within a UTF-8 character, its last bytes are compared afterwards, by `range.contains`.
        let valid = prefix.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
        let pattern = format!("{}*", literal(valid));
        let command = Command::bare("SCAN").number(cursor).arg("MATCH").arg(pattern).arg("COUNT").number(COUNT);
        // Hashes, lists and the like do not belong to this store.
        let command = command.arg("TYPE").arg("string");
        let mut parts = core.call(turn, asked, &To::Node(endpoint.clone()), &command).await?.list().into_iter();
        let next = parts.next().and_then(|next| next.text()).and_then(|next| next.parse().ok()).unwrap_or(0);
        let keys = parts.next().map(|keys| keys.list()).unwrap_or_default();
        self.at = match next {
            0 => core.primaries().into_iter().find(|other| *other > endpoint).map(|next| (next, 0)),
            next => Some((endpoint, next)),
        };
        // Copied, since a slice of the answer would keep all of it in memory.
        let keys = keys.into_iter().filter_map(|key| key.bytes()).filter(|key| range.contains(key));
        Ok(keys.map(|key| Bytes::copy_from_slice(&key)).collect())
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (endpoint, cursor) = self.at.as_ref().map_or(("", 0), |(endpoint, cursor)| (&**endpoint, *cursor));
        put(out, endpoint.as_bytes());
        out.extend(cursor.to_be_bytes());
    }

    pub(crate) fn decode(from: &mut &[u8]) -> Option<Self> {
        let endpoint = std::str::from_utf8(take(from)?).ok()?;
        let (cursor, rest) = from.split_first_chunk()?;
        let cursor = u64::from_be_bytes(*cursor);
        *from = rest;
        Some(Scan { at: (!endpoint.is_empty()).then(|| (endpoint.into(), cursor)) })
    }
}

/// Appends bytes, with their length before them.
pub(crate) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // Longer bytes are no key, since Redis would not accept it.
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

/// Reads what [`put`] has appended.
pub(crate) fn take<'b>(from: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (len, rest) = from.split_first_chunk()?;
    let (bytes, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    *from = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for at in [None, Some((Arc::from("a:1"), 7))] {
            let scan = Scan { at };
            let mut bytes = Vec::new();
            scan.encode(&mut bytes);
            put(&mut bytes, b"key");
            let mut from = &bytes[..];
            assert_eq!(
                (Scan::decode(&mut from), take(&mut from), take(&mut from)),
                (Some(scan), Some(&b"key"[..]), None)
            );
        }
        assert_eq!(Scan::decode(&mut &[0, 0, 0, 9, 1][..]), None);
    }
}
