//! [`Anchor`]: how a watch recognizes that a store is still the one that it watched.

use super::run::Watcher;
use crate::convert::number;
use bytes::Bytes;
use cninfra::keyval::{Cause, Change, ChangeKind, Entry, KeyRange, Reason, Result, Revision};
use etcd_client::{GetOptions, ResponseHeader};

/// The newest value that was seen. A store that has another value there at the same revision is another store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Anchor {
    key: Bytes,
    revision: Revision,
    hash: u64,
}

impl Anchor {
    fn of(entry: &Entry) -> Option<Self> {
        Some(Anchor { key: entry.key.clone(), revision: entry.revision?, hash: hash(&entry.value) })
    }
}

/// Hashes a value, to compare it with the one that another store has in its place. Nobody can gain by a collision, so
/// the hash need not be cryptographic. It is computed for each change, so it has to be cheap.
fn hash(value: &[u8]) -> u64 {
    /// An odd number without a pattern: digits of pi.
    const SPREAD: u64 = 0x243f_6a88_85a3_08d3;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(SPREAD);
        // Combines both halves, one of them rotated, so that the position of a word matters.
        (product as u64) ^ ((product >> 64) as u64).rotate_left(23)
    };
    let (words, rest) = value.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    words.fold(SPREAD ^ value.len() as u64, mix)
}

/// What is known about the identity of the store.
#[derive(Default)]
pub(super) struct Identity {
    cluster: u64,
    term: u64,
    pub(super) anchor: Option<Anchor>,
}

impl Identity {
    /// Records that a value was seen.
    pub(super) fn record(&mut self, entry: &Entry) {
        if let Some(seen) = Anchor::of(entry).filter(|seen| self.is_newer(seen)) {
            self.anchor = Some(seen);
        }
    }

    fn is_newer(&self, seen: &Anchor) -> bool {
        self.anchor.as_ref().is_none_or(|anchor| anchor.revision <= seen.revision)
    }

    /// The anchor after these changes have been reported. They are of one transaction, so there is at most one per key.
    /// A key that was deleted can no longer be the anchor.
    pub(super) fn anchor_after(&self, changes: &[Change]) -> Option<Anchor> {
        let put = |change: &Change| match &change.kind {
            ChangeKind::Put { entry, .. } => Anchor::of(entry),
            _ => None,
        };
        // All puts of a transaction have the same revision, so any of them will do.
        let newest = changes.iter().rev().find_map(put).filter(|seen| self.is_newer(seen));
        newest.or_else(|| {
            let is_gone = |anchor: &&Anchor| changes.iter().any(|change| change.key == anchor.key);
            self.anchor.as_ref().filter(|anchor| !is_gone(anchor)).cloned()
        })
    }

    /// A range is about to be reported anew: an anchor in it may be outdated.
    pub(super) fn forget_anchor_in(&mut self, range: &KeyRange) {
        self.anchor.take_if(|anchor| range.contains(&anchor.key));
    }

    pub(super) fn forget(&mut self) {
        *self = Identity::default();
    }

    /// Whether a header is of another cluster, or of an earlier term of the same one.
    pub(super) fn check_header(&mut self, header: &ResponseHeader) -> bool {
        let (cluster, term) = (header.cluster_id(), header.raft_term());
        let is_other = (self.cluster != 0 && self.cluster != cluster) || term < self.term;
        (self.cluster, self.term) = (cluster, term);
        is_other
    }
}

impl Watcher {
    /// Checks whether the store that was found again is the one that was lost. Returns `None`, or the cause of the
    /// snapshot that is due.
    ///
    /// Neither cluster id nor member id show it: they are derived from etcd's flags, so a store whose data directory
    /// was lost has the same ids again. Its revisions begin again, but may already be higher than before.
    pub(super) async fn check_identity(&mut self, header: &ResponseHeader) -> Result<Option<Cause>> {
        if self.identity.check_header(header) {
            return Ok(Some(Cause::Replaced));
        }
        let Some((furthest, range)) = self.furthest() else { return Ok(None) };
        // A member that lags behind has a lower revision for a moment too. So a read asks a majority.
        if header.revision() < furthest && self.core.newest(self.terms(), &range).await? < furthest {
            return Ok(Some(Cause::Regressed));
        }
        if !self.is_unsure {
            return Ok(None);
        }
        match self.has_changed().await {
            Ok(true) => Ok(Some(Cause::Replaced)),
            Ok(false) => {
                self.is_unsure = false;
                Ok(None)
            }
            Err(error) if matches!(error.reason(), Reason::Compacted(_)) => Ok(Some(Cause::Compacted)),
            // A majority has confirmed that revision, but the member that was asked does not have it.
            Err(error) if *error.reason() == Reason::Future => Ok(Some(Cause::Regressed)),
            Err(error) => Err(error),
        }
    }

    fn furthest(&self) -> Option<(i64, KeyRange)> {
        let reported = self
            .tracked
            .iter()
            .filter(|tracked| !tracked.is_refused())
            .filter_map(|tracked| Some((tracked.last_reported()?, tracked.range.clone())));
        reported.max_by_key(|(last, _)| *last)
    }

    /// Whether the store has, at the revision that was last reported, another value of the anchor, or another number of
    /// keys.
    async fn has_changed(&self) -> Result<bool> {
        for tracked in &self.tracked {
            let super::ranges::Progress::UpTo { last, count } = tracked.progress else { continue };
            if last <= 0 {
                continue;
            }
            let at = GetOptions::new().with_revision(last);
            if let Some(anchor) = self.identity.anchor.as_ref().filter(|anchor| tracked.range.contains(&anchor.key))
                && number(anchor.revision) <= last
            {
                let key = KeyRange::key(&anchor.key);
                let (found, ..) = self.core.range(self.terms(), "watch", &key, None, at.clone()).await?;
                if found.first().and_then(Anchor::of).as_ref() != Some(anchor) {
                    return Ok(true);
                }
            }
            if let Some(count) = count {
                let found = self.core.count(self.terms(), &tracked.range, last).await?;
                if found != count {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn values_that_are_nearly_the_same_have_other_hashes() {
        let base: Vec<u8> = (0..41).collect();
        let mut values = vec![base.clone(), vec![0; 7], vec![0; 8], vec![0; 9], vec![]];
        for at in 0..base.len() {
            for bit in 0..8 {
                let mut other = base.clone();
                other[at] ^= 1 << bit;
                values.push(other);
            }
            values.push(base[..at].to_vec());
            let mut other = base.clone();
            other.rotate_left(at);
            values.push(other);
        }
        values.extend((0..20_000_u32).map(|number| format!("{number}").into_bytes()));
        let different: HashSet<Vec<u8>> = values.into_iter().collect();
        let hashes: HashSet<u64> = different.iter().map(|value| hash(value)).collect();
        assert_eq!(hashes.len(), different.len());
    }
}
