//! [`Slots`]: which server has which keys.

use std::sync::Arc;

/// The number of slots of a cluster.
pub(crate) const COUNT: u16 = 16384;

/// Which server has which keys: a single server has all of them, and each primary of a cluster has some slots.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Slots {
    /// Sorted, without duplicates.
    primaries: Vec<Arc<str>>,
    /// The index of each slot's primary; `None` if one server has all keys.
    owners: Option<Arc<[u16]>>,
}

/// Marks a slot that no server has.
const NOBODY: u16 = u16::MAX;

impl Slots {
    /// One server that has all keys.
    pub(crate) fn one(endpoint: Arc<str>) -> Self {
        Slots { primaries: vec![endpoint], owners: None }
    }

    /// The slots of a cluster. A range includes both of its ends.
    pub(crate) fn of_ranges(ranges: &[(u16, u16, Arc<str>)]) -> Self {
        let mut primaries: Vec<Arc<str>> = ranges.iter().map(|(_, _, primary)| primary.clone()).collect();
        primaries.sort();
        primaries.dedup();
        let mut owners = vec![NOBODY; usize::from(COUNT)];
        for (first, last, primary) in ranges {
            let index = primaries.iter().position(|other| other == primary).and_then(|index| u16::try_from(index).ok());
            let last = usize::from(*last).min(owners.len() - 1);
            if let Some(some) = owners.get_mut(usize::from(*first)..=last) {
                some.fill(index.unwrap_or(NOBODY));
            }
        }
        Slots { primaries, owners: Some(owners.into()) }
    }

    pub(crate) fn primaries(&self) -> &[Arc<str>] {
        &self.primaries
    }

    pub(crate) fn is_known(&self) -> bool {
        !self.primaries.is_empty()
    }

    /// The server that has this key.
    pub(crate) fn owner(&self, key: &[u8]) -> Option<&Arc<str>> {
        match &self.owners {
            None => self.primaries.first(),
            Some(owners) => self.primaries.get(usize::from(*owners.get(usize::from(slot(key)))?)),
        }
    }
}

pub(crate) fn slot(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) % COUNT
}

/// The hash tag of a key, which alone determines its slot.
pub(crate) fn tag(key: &[u8]) -> Option<&[u8]> {
    let start = key.iter().position(|byte| *byte == b'{')? + 1;
    let len = key[start..].iter().position(|byte| *byte == b'}')?;
    (len > 0).then(|| &key[start..start + len])
}

/// CRC-16/XMODEM, as the specification of Redis Cluster requires.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |mut crc: u16, byte| {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_that_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(
            (tag(b"foo{}{bar}"), tag(b"foo{bar}{zap}"), tag(b"foo{{bar}}")),
            (None, Some(&b"bar"[..]), Some(&b"{bar"[..]))
        );
    }

    #[test]
    fn each_slot_has_its_primary() {
        let slots =
            Slots::of_ranges(&[(0, 8191, "b:1".into()), (8192, 12181, "a:1".into()), (12183, 16383, "b:1".into())]);
        assert_eq!(slots.primaries(), ["a:1".into(), "b:1".into()]);
        assert_eq!((slots.owner(b"foo"), slots.owner(b"bar").map(|owner| &**owner)), (None, Some("b:1")));
        assert_eq!(Slots::one("c:1".into()).owner(b"foo").map(|owner| &**owner), Some("c:1"));
    }
}
