//! [`Concerned`]: the index from keys to the watches that have them.

use super::inbox::Inbox;
use bytes::Bytes;
use cninfra::keyval::KeyRange;
use std::{
    collections::BTreeMap,
    ops::Bound::{Included, Unbounded},
    sync::Arc,
};

/// Finds the watches that have a key, without looking at the others, however many there are.
#[derive(Default)]
pub(super) struct Concerned {
    keys: BTreeMap<Bytes, Watches>,
    prefixes: BTreeMap<Bytes, Watches>,
}

/// The watches of one range, by their ids.
type Watches = BTreeMap<u64, Arc<Inbox>>;

impl Concerned {
    /// Adds a range of a watch.
    pub(super) fn add(&mut self, range: &KeyRange, id: u64, inbox: Arc<Inbox>) {
        let (ranges, start) = self.ranges_of_kind(range);
        ranges.entry(start.clone()).or_default().insert(id, inbox);
    }

    /// Removes a range of a watch.
    pub(super) fn remove(&mut self, range: &KeyRange, id: u64) {
        let (ranges, start) = self.ranges_of_kind(range);
        if let Some(watches) = ranges.get_mut(start) {
            watches.remove(&id);
            if watches.is_empty() {
                ranges.remove(start);
            }
        }
    }

    /// Ranges are single keys or prefixes: others were refused before.
    fn ranges_of_kind<'r>(&mut self, range: &'r KeyRange) -> (&mut BTreeMap<Bytes, Watches>, &'r Bytes) {
        match range.single() {
            Some(key) => (&mut self.keys, key),
            None => (&mut self.prefixes, range.start()),
        }
    }

    /// The watches that have this key, each once.
    pub(super) fn watches_of(&self, key: &[u8]) -> BTreeMap<u64, &Arc<Inbox>> {
        let of_prefixes = Candidates { prefixes: &self.prefixes, key, upto: Some(key) };
        let of_prefixes = of_prefixes.filter(|(prefix, _)| key.starts_with(prefix)).map(|(_, watches)| watches);
        let all = self.keys.get(key).into_iter().chain(of_prefixes);
        all.flatten().map(|(id, inbox)| (*id, inbox)).collect()
    }
}

/// The prefixes to look at for a key, in descending order: all prefixes of the key, and a few others between them.
struct Candidates<'c, 'k, T> {
    prefixes: &'c BTreeMap<Bytes, T>,
    key: &'k [u8],
    /// The upper bound of the next candidate, which is a prefix of the key.
    upto: Option<&'k [u8]>,
}

impl<'c, T> Iterator for Candidates<'c, '_, T> {
    type Item = (&'c Bytes, &'c T);

    fn next(&mut self) -> Option<Self::Item> {
        let upto = self.upto.take()?;
        let (prefix, of_it) = self.prefixes.range::<[u8], _>((Unbounded, Included(upto))).next_back()?;
        let common = prefix.iter().zip(self.key).take_while(|(one, other)| one == other).count();
        // The next candidate cannot share more of the key than this one does: it would be greater than this one.
        let rest = if common == prefix.len() { common.checked_sub(1) } else { Some(common) };
        self.upto = rest.map(|rest| &self.key[..rest]);
        Some((prefix, of_it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(range: &KeyRange) -> Arc<Inbox> {
        Arc::new(Inbox::new(vec![range.clone()]))
    }

    #[test]
    fn others_are_not_looked_at() {
        let mut all = Concerned::default();
        let of_others = (0..1000).flat_map(|number| {
            let name = format!("agent/{number:03}/");
            [KeyRange::prefix(&name), KeyRange::key(&name), KeyRange::prefix(format!("{name}deep/er/"))]
        });
        let nested = ["", "a", "agent/", "agent/500/deep/er/k"].map(KeyRange::prefix);
        for (id, range) in of_others.chain(nested).chain([KeyRange::key("agent/500/deep/er/key")]).enumerate() {
            all.add(&range, id as u64, inbox(&range));
        }
        let key = b"agent/500/deep/er/key";
        assert_eq!(all.watches_of(key).into_keys().collect::<Vec<_>>(), [1500, 1502, 3000, 3001, 3002, 3003, 3004]);
        let looked_at = Candidates { prefixes: &all.prefixes, key, upto: Some(key) }.count();
        assert!(looked_at <= 12, "{looked_at} of {} prefixes", all.prefixes.len());
        let strange = b"agent/5000/";
        let looked_at = Candidates { prefixes: &all.prefixes, key: strange, upto: Some(strange) }.count();
        assert!(looked_at <= 12, "{looked_at} of {} prefixes", all.prefixes.len());
    }

    #[test]
    fn they_are_those_that_have_the_key() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut word = |most| -> Vec<u8> {
            (0..random.usize(..=most)).map(|_| *b"a\x00\xff".get(random.usize(..3)).unwrap()).collect()
        };
        for _ in 0..200 {
            let (mut all, mut ranges) = (Concerned::default(), Vec::new());
            for id in 0..20 {
                let start: Vec<u8> = word(4);
                let range = if id % 3 == 0 { KeyRange::key(&start) } else { KeyRange::prefix(&start) };
                all.add(&range, id, inbox(&range));
                ranges.push((range, id));
            }
            for (range, id) in ranges.split_off(15) {
                all.remove(&range, id);
            }
            for _ in 0..20 {
                let key: Vec<u8> = word(6);
                let having = ranges.iter().filter(|(range, _)| range.contains(&key)).map(|(_, id)| *id);
                assert_eq!(all.watches_of(&key).into_keys().collect::<Vec<_>>(), having.collect::<Vec<_>>(), "{key:?}");
            }
            ranges.iter().for_each(|(range, id)| all.remove(range, *id));
            assert!(all.keys.is_empty() && all.prefixes.is_empty());
        }
    }
}
