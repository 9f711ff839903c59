//! [`Listing`]: the keys of a range, read page by page.

use super::{Access, Entry, KeyVal, Kv, Missed, PageRequest, Paging, Reason, Result, Revision};
use futures_util::{Stream, stream};
use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    vec,
};

/// The keys of a range, read page by page as they are taken. The page size adapts, so that a page has few bytes, but
/// enough keys.
///
/// # Cancel safety
/// Its methods may be dropped and called again: no entry is left out, and none comes twice.
#[must_use = "nothing is read before it is asked for"]
pub struct Listing<S: ?Sized = dyn KeyVal> {
    kv: Kv<S>,
    /// The next page; `None` after the last one.
    next: Option<Paging>,
    page: vec::IntoIter<Entry>,
    at: Option<Revision>,
    /// The keys returned so far, for a store without an order, whose pages may repeat keys.
    seen: Option<SeenKeys>,
}

impl<S: Access + ?Sized> Listing<S> {
    /// `request` has the full range, as in the store itself.
    pub(super) fn new(kv: Kv<S>, request: PageRequest) -> Self {
        let seen = (!kv.capabilities().ordered).then(SeenKeys::default);
        Listing { kv, next: Some(Paging::new(request)), page: Vec::new().into_iter(), at: None, seen }
    }

    /// The next key; `None` after the last one.
    ///
    /// # Errors
    /// Those of the store; `Compacted` if the revision of the previous ones is no longer kept. If an error is
    /// temporary, it may be called again.
    pub async fn next(&mut self) -> Result<Option<Entry>> {
        loop {
            if let Some(entry) = self.page.next() {
                return Ok(Some(entry));
            }
            match self.next_page().await? {
                Some(entries) => self.page = entries.into_iter(),
                None => return Ok(None),
            }
        }
    }

    /// The next page, as it is read; `None` after the last one. It is never empty.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        if self.page.len() > 0 {
            return Ok(Some(std::mem::take(&mut self.page).collect()));
        }
        while let Some(paging) = &mut self.next {
            let mut page = match self.kv.store().page(paging.request().clone()).await {
                Ok(page) => page,
                // Starting again (`Missed::Anew`) is left to `all`, whose caller has not received any entries yet.
                Err(error) if *error.reason() == Reason::TooLarge && paging.missed(error.reason()) == Missed::Again => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.at = page.at;
            if !paging.took(&page) {
                self.next = None;
            }
            if let Some(seen) = &mut self.seen {
                page.entries.retain(|entry| seen.is_new(&entry.key));
            }
            if !page.entries.is_empty() {
                self.kv.strip(&mut page.entries);
                return Ok(Some(page.entries));
            }
        }
        Ok(None)
    }

    /// All that is left. If the revision that is read is compacted meanwhile, and no entry was taken yet, it starts
    /// again with larger pages, and finally reads everything at once.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn all(mut self) -> Result<Vec<Entry>> {
        let mut paging = self.next.clone().filter(|paging| paging.is_at_the_start() && self.page.len() == 0);
        let mut all = Vec::new();
        loop {
            match self.next_page().await {
                Ok(Some(mut entries)) => all.append(&mut entries),
                Ok(None) => return Ok(all),
                Err(error) => {
                    let Some(paging) = &mut paging else { return Err(error) };
                    if paging.missed(error.reason()) != Missed::Anew {
                        return Err(error);
                    }
                    all.clear();
                    self.seen = self.seen.take().map(|_| SeenKeys::default());
                    self.next = Some(paging.clone());
                }
            }
        }
    }

    /// The revision that is read; `None` before the first page, and in a store without revisions.
    #[must_use]
    pub fn at(&self) -> Option<Revision> {
        self.at
    }

    /// The same as a stream. It ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Entry>> + Send {
        stream::try_unfold(self, async |mut listing| Ok(listing.next().await?.map(|entry| (entry, listing))))
    }
}

/// A set of keys, kept as hashes: 16 bytes per key, however long it is. That two keys have the same hashes is less
/// likely than a memory error.
#[derive(Default)]
struct SeenKeys {
    hashers: [RandomState; 2],
    hashes: HashSet<[u64; 2]>,
}

impl SeenKeys {
    fn is_new(&mut self, key: &[u8]) -> bool {
        self.hashes.insert([self.hashers[0].hash_one(key), self.hashers[1].hash_one(key)])
    }
}

impl<S: ?Sized> std::fmt::Debug for Listing<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listing").field("next", &self.next).field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{KvError, testing::Map},
        *,
    };
    use futures_util::TryStreamExt as _;
    use std::sync::Arc;

    /// `count` keys below `p/`, with values of `len` bytes, and one key outside of it.
    fn map(count: usize, len: usize) -> Arc<Map> {
        let keys = (0..count).map(|number| (format!("p/{number:06}"), len));
        Map::of(keys.chain([("q".to_string(), 1)]))
    }

    #[tokio::test]
    async fn all_pages_are_read_and_their_size_is_learned() {
        let map = map(25_000, 1000);
        let kv = Kv::new(map.clone()).scoped("p/");
        let mut listing = kv.list("");
        let first = listing.next().await.unwrap().unwrap();
        assert_eq!((&*first.key, listing.at()), (&b"000000"[..], Revision::new(7)));
        let rest = listing.all().await.unwrap();
        assert_eq!((rest.len(), &*rest[24_998].key), (24_999, &b"024999"[..]));
        // 8 MiB divided by 1008 bytes per entry.
        assert_eq!(*map.asked.lock().unwrap(), [1000, 8322, 8322, 8322]);
        let streamed: Vec<Entry> = kv.list("0000").into_stream().try_collect().await.unwrap();
        assert_eq!(streamed.len(), 100);
        assert!(kv.list("none").next_page().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn large_values_are_few_a_page_and_small_ones_become_more_step_by_step() {
        let few = |of: &str| PageRequest { max_items: 10, ..PageRequest::new(super::super::KeyRange::prefix(of)) };
        let large = map(40, 1 << 20);
        assert_eq!(Kv::new(large.clone()).list_with(few("p/")).all().await.unwrap().len(), 40);
        assert_eq!(*large.asked.lock().unwrap(), [10, 7, 7, 7, 7, 7]);
        let small = map(2000, 1);
        assert_eq!(Kv::new(small.clone()).list_with(few("p/")).all().await.unwrap().len(), 2000);
        assert_eq!(*small.asked.lock().unwrap(), [10, 100, 1000, 10_000]);
    }

    #[tokio::test]
    async fn a_page_that_is_too_large_is_halved() {
        let map = map(600, 1);
        map.faults.lock().unwrap().extend([Some(Reason::TooLarge), Some(Reason::TooLarge)]);
        assert_eq!(Kv::new(map.clone()).list("p/").all().await.unwrap().len(), 600);
        assert_eq!(map.asked.lock().unwrap()[..3], [1000, 500, 250]);
        let small = PageRequest { max_items: 1, ..PageRequest::new(super::super::KeyRange::all()) };
        map.faults.lock().unwrap().push_back(Some(Reason::TooLarge));
        let error = Kv::new(map).list_with(small).next().await.unwrap_err();
        assert_eq!(error.to_string(), "list of `*`: it is larger than the store takes");
    }

    #[tokio::test]
    async fn a_page_has_one_key_at_least_and_any_number_at_most() {
        let of = |max_items| PageRequest { max_items, ..PageRequest::new(super::super::KeyRange::prefix("p/")) };
        let none = map(30, 1000);
        let mut listing = Kv::new(none.clone()).list_with(of(0));
        assert_eq!(listing.next_page().await.unwrap().map(|page| page.len()), Some(1));
        assert_eq!(listing.all().await.unwrap().len(), 29);
        assert_eq!(*none.asked.lock().unwrap(), [1, 10, 100]);
        // This size cannot be doubled without an overflow.
        let any = map(30, 1000);
        any.faults.lock().unwrap().push_back(Some(Reason::Compacted(None)));
        assert_eq!(Kv::new(any.clone()).list_with(of(usize::MAX - 1)).all().await.unwrap().len(), 30);
        assert_eq!(any.asked.lock().unwrap().last(), Some(&usize::MAX));
    }

    #[tokio::test]
    async fn what_a_store_without_an_order_tells_twice_comes_once() {
        let map = map(3500, 1);
        map.repeats.store(true, std::sync::atomic::Ordering::Relaxed);
        let all = Kv::new(map.clone()).list("p/").all().await.unwrap();
        assert_eq!((all.len(), map.asked.lock().unwrap().len()), (3500, 2));
        assert!(all.is_sorted_by(|one, next| one.key < next.key));
    }

    #[tokio::test]
    async fn who_reads_all_is_not_bothered_by_a_compaction() {
        let map = map(2500, 1);
        let compacted = || Some(Reason::Compacted(None));
        map.faults.lock().unwrap().extend([None, compacted(), None, compacted(), compacted()]);
        assert_eq!(Kv::new(map.clone()).list("p/").all().await.unwrap().len(), 2500);
        assert_eq!(*map.asked.lock().unwrap(), [1000, 10_000, 2000, 20_000, 4000, usize::MAX]);
        // After an entry was taken, it cannot start again.
        let mut listing = Kv::new(map.clone()).list("p/");
        listing.next().await.unwrap();
        map.faults.lock().unwrap().push_back(compacted());
        let error: KvError = listing.all().await.unwrap_err();
        assert_eq!(*error.reason(), Reason::Compacted(None));
    }
}
