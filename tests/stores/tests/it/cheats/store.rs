//! [`Cheating`]: a store that breaks one point of the contract.

use super::wrong_report::{WrongReport, claiming_resnapshots, keeping_its_ranges, reporting_wrongly};
use cninfra::{
    BoxFuture,
    keyval::{
        At, Bytes, Capabilities, Compare, Coordination, Entry, Expiry, KeyRange, KvError, LONGEST_LIFE, LeaseId,
        Leases, Op, OpResult, Overflow, Page, PageRequest, Put, Reason, Result, Revision, Revisions, Store, Txn,
        TxnOutcome, Watch, WatchOptions, Written,
    },
};
use cninfra_embedded::EmbeddedStore;
use std::time::Duration;

/// Which point is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cheat {
    None,
    /// A key with an empty value does not exist.
    EmptyIsAbsent,
    /// A delete always reports that it has deleted something.
    DeletesAlwaysCount,
    /// A prefix is one byte shorter.
    PrefixesBleed,
    /// Conditions are ignored.
    ConditionsHold,
    /// Conditions are checked before the transaction instead of within it.
    ConditionsApart,
    PagesLose,
    PagesRepeat,
    /// A range that is not a prefix contains all keys.
    RangesAreAll,
    LivesForEver,
    /// A put that is to keep the time to live removes it.
    KeepsNothing,
    OutlivesItsClient,
    /// Operations report empty results.
    ResultsOfNothing,
    /// Each operation of a transaction is executed separately.
    OneByOne,
    /// An impossible operation is skipped instead of refused.
    RefusesNothing,
    Reports(WrongReport),
    /// A watch of some keys reports all.
    WatchesAll,
    /// Ranges that were removed are still reported.
    RangesStay,
    /// The statistics claim ten times as many new snapshots, as if a subscriber who does not read got one after
    /// another.
    ClaimsResnapshots,
    /// The queue has no limit.
    Unbounded,
    /// A read at a revision returns the newest state.
    OnlyNow,
    /// Each page is of the newest state.
    PagesOfNow,
    /// A watch from a revision begins with a snapshot.
    BeginsNow,
    CompactsNothing,
    /// Compacting what is already compacted fails.
    CompactsOnce,
    /// A watch from a revision begins after it.
    BeginsAfter,
    RevokesNothing,
    KeepsNothingAlive,
    /// A lease that has ended counts as alive.
    LeasesAreAlive,
    /// A time to live that is too long is refused.
    TooLongLifeIsRefused,
    /// A time to live that is too long becomes a short one.
    TooLongLifeIsShort,
    /// A single put ignores the time to live.
    PutsLiveForEver,
    /// A single put does not report its result.
    PutsTellNothing,
    /// A single put creates the key again.
    PutsBeginAnew,
    /// An impossible single put is skipped instead of refused.
    PutsAreNotRefused,
    /// A single put keeps the time to live that the key had.
    PutsKeepTheLife,
}

/// A store that breaks one point of the contract.
pub(super) struct Cheating {
    inner: EmbeddedStore,
    cheat: Cheat,
}

impl Cheating {
    pub(super) fn new(inner: EmbeddedStore, cheat: Cheat) -> Self {
        Cheating { inner, cheat }
    }

    pub(super) fn inner(&self) -> &EmbeddedStore {
        &self.inner
    }

    fn range(&self, range: KeyRange) -> KeyRange {
        match (self.cheat, range.as_prefix().filter(|prefix| prefix.ends_with(b"/"))) {
            (Cheat::PrefixesBleed, Some(prefix)) => KeyRange::prefix(&prefix[..prefix.len() - 1]),
            _ => range,
        }
    }

    fn op(&self, op: Op) -> Op {
        match op {
            Op::Put(mut put) => {
                put.expiry = match (self.cheat, put.expiry) {
                    (Cheat::LivesForEver, Expiry::After(_)) => Expiry::Never,
                    (Cheat::TooLongLifeIsShort, Expiry::After(Duration::MAX)) => {
                        Expiry::After(Duration::from_secs(3600))
                    }
                    (Cheat::KeepsNothing, Expiry::Keep) => Expiry::Never,
                    (Cheat::OutlivesItsClient, Expiry::WithClient) => Expiry::Never,
                    (Cheat::LeasesAreAlive, Expiry::Lease(_)) => Expiry::Never,
                    (_, expiry) => expiry,
                };
                Op::Put(put)
            }
            Op::Delete { range, previous, .. } => Op::delete(self.range(range), previous),
            op => op,
        }
    }

    async fn one_by_one(&self, txn: Txn) -> Result<TxnOutcome> {
        let (mut results, mut revision) = (Vec::new(), None);
        for op in txn.then {
            let mut outcome = Store::commit(&self.inner, Txn::one(op)).await?;
            tokio::task::yield_now().await;
            results.append(&mut outcome.results);
            revision = outcome.revision;
        }
        Ok(TxnOutcome::new(true, revision, results))
    }
}

impl Store for Cheating {
    fn capabilities(&self) -> Capabilities {
        Store::capabilities(&self.inner)
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
        let at = if self.cheat == Cheat::OnlyNow { At::Latest } else { at };
        let found = Store::get(&self.inner, key, at).await?;
        Ok(found.filter(|entry| self.cheat != Cheat::EmptyIsAbsent || !entry.value.is_empty()))
    }

    async fn page(&self, mut request: PageRequest) -> Result<Page> {
        request.range = self.range(request.range);
        let is_plain = request.range.as_prefix().is_some() || request.range.single().is_some();
        if self.cheat == Cheat::RangesAreAll && !is_plain {
            request.range = KeyRange::all();
        }
        if self.cheat == Cheat::PagesOfNow {
            // Continues at the same offset, but in the current state.
            let skip = request.cursor.take().map_or(0, |cursor| String::from_utf8_lossy(&cursor.0).parse().unwrap());
            let (most, mut all) = (request.max_items, PageRequest::new(request.range));
            all.max_items = usize::MAX;
            let page = Store::page(&self.inner, all).await?;
            let some: Vec<Entry> = page.entries.into_iter().skip(skip).take(most).collect();
            let next = (some.len() == most).then(|| cninfra::keyval::Cursor((skip + most).to_string().into()));
            return Ok(Page::new(some, next, page.at));
        }
        let mut page = Store::page(&self.inner, request).await?;
        match (self.cheat, page.entries.last().cloned()) {
            (Cheat::PagesLose, Some(_)) if page.next.is_some() => drop(page.entries.pop()),
            (Cheat::PagesRepeat, Some(last)) if page.next.is_some() => page.entries.push(last),
            _ => {}
        }
        Ok(page)
    }

    async fn commit(&self, mut txn: Txn) -> Result<TxnOutcome> {
        txn.then = txn.then.into_iter().map(|op| self.op(op)).collect();
        if self.cheat == Cheat::RefusesNothing && self.capabilities().refuse(&txn).is_err() {
            return Ok(TxnOutcome::new(true, Revision::new(1), vec![OpResult::put(None, None)]));
        }
        if self.cheat == Cheat::ConditionsHold {
            txn.conditions.clear();
        }
        if self.cheat == Cheat::ConditionsApart && !txn.conditions.is_empty() {
            let mut asked = txn.clone();
            asked.then.clear();
            let first = Store::commit(&self.inner, asked).await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
            if !first.succeeded {
                return Ok(first);
            }
            txn.conditions.clear();
        }
        if self.cheat == Cheat::OneByOne && txn.conditions.is_empty() {
            return self.one_by_one(txn).await;
        }
        let mut outcome = Store::commit(&self.inner, txn).await?;
        for result in &mut outcome.results {
            match (self.cheat, &result) {
                (Cheat::DeletesAlwaysCount, OpResult::Deleted { count: 0, .. }) => {
                    *result = OpResult::deleted(1, Vec::new())
                }
                (Cheat::ResultsOfNothing, OpResult::Got(_)) => *result = OpResult::Got(Vec::new()),
                _ => {}
            }
        }
        Ok(outcome)
    }

    async fn put(&self, mut put: Put) -> Result<Written> {
        let key = put.key.clone();
        let one = |op| Store::commit(&self.inner, Txn::one(op));
        match self.cheat {
            Cheat::PutsLiveForEver if matches!(put.expiry, Expiry::After(_)) => put.expiry = Expiry::Never,
            Cheat::PutsBeginAnew => drop(one(Op::delete(KeyRange::key(&key), false)).await),
            Cheat::PutsAreNotRefused if self.capabilities().refuse_put(&put).is_err() => {
                return Ok(Written::new(Revision::new(1), None, None));
            }
            Cheat::PutsKeepTheLife if put.expiry == Expiry::Never => {
                let txn = Txn::new().when(key.clone(), Compare::Present).put_with(key, put.value.clone(), Expiry::Keep);
                let kept = Store::commit(&self.inner, txn).await?;
                if kept.succeeded {
                    return Written::of(&kept);
                }
            }
            _ => {}
        }
        let written = Written::of(&self.commit(Txn::one(Op::Put(put))).await?)?;
        Ok(if self.cheat == Cheat::PutsTellNothing { Written::new(None, None, None) } else { written })
    }

    async fn watch(&self, ranges: Vec<KeyRange>, mut options: WatchOptions) -> Result<Watch> {
        let ranges = if self.cheat == Cheat::WatchesAll { vec![KeyRange::all()] } else { ranges };
        match self.cheat {
            Cheat::Unbounded => options = options.with_queue(1 << 20, Overflow::Block),
            Cheat::BeginsNow => options.from = None,
            Cheat::BeginsAfter => options.from = options.from.and_then(|from| Revision::new(from.get() + 1)),
            _ => {}
        }
        let watch = Store::watch(&self.inner, ranges, options).await?;
        Ok(match self.cheat {
            Cheat::Reports(wrong_report) => reporting_wrongly(watch, wrong_report),
            Cheat::RangesStay => keeping_its_ranges(watch),
            Cheat::ClaimsResnapshots => claiming_resnapshots(watch),
            _ => watch,
        })
    }
}

impl Revisions for Cheating {
    fn revision(&self) -> BoxFuture<'_, Result<Revision>> {
        self.inner.revision()
    }

    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>> {
        if self.cheat == Cheat::CompactsNothing {
            return Box::pin(async { Ok(()) });
        }
        if self.cheat == Cheat::CompactsOnce {
            return Box::pin(async move {
                match Store::get(&self.inner, "k".into(), At::Revision(upto)).await {
                    Err(error) => Err(error),
                    Ok(_) => self.inner.compact(upto).await,
                }
            });
        }
        self.inner.compact(upto)
    }
}

impl Leases for Cheating {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>> {
        match self.cheat {
            Cheat::TooLongLifeIsRefused if ttl > LONGEST_LIFE => {
                Box::pin(async { Err(KvError::new("grant", Reason::Invalid).not_applied()) })
            }
            _ => self.inner.grant(ttl),
        }
    }

    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        match self.cheat {
            Cheat::KeepsNothingAlive => Box::pin(async move {
                let left = self.inner.time_left(lease).await?;
                left.map(|_| Duration::from_secs(60)).ok_or_else(|| KvError::new("keep alive", Reason::NoLease(lease)))
            }),
            _ => self.inner.keep_alive(lease),
        }
    }

    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>> {
        if self.cheat == Cheat::RevokesNothing {
            return Box::pin(async { Ok(()) });
        }
        self.inner.revoke(lease)
    }

    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        self.inner.time_left(lease)
    }
}

impl Coordination for Cheating {}
