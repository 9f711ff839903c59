//! [`Kv`]: a view of the keys of a store that are below a prefix.

use super::{
    Access, At, Capabilities, Codec, Compare, Entry, Expiry, KeyRange, KeyVal, Listing, Op, OpResult, PageRequest, Put,
    Result, Revision, Txn, TxnOutcome, Typed, Watch, WatchOptions, Written, written::no_result,
};
use crate::{Dep, ServiceLabel};
use bytes::{Buf as _, Bytes};
use std::{fmt, sync::Arc};

/// A view of a store: the keys below a prefix, without that prefix. A clone is the same view and costs two reference
/// counts. All views of a store share its connection.
///
/// Its store is an injected interface (`Kv`, which is `Kv<dyn KeyVal>`) or a store's own type, which avoids an
/// allocation for each call.
///
/// ```
/// use cninfra::{ServiceLabel, keyval::{Kv, KeyVal}, prelude::*};
///
/// #[plugin]
/// struct Phonebook {
///     store: Dep<dyn KeyVal>,
/// }
///
/// impl Lifecycle for Phonebook {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let contacts = Kv::of_agent(&self.store, cx.service_label()).scoped("contacts/");
///         contacts.put("alice", "555-0100").await?; // at `/vnf-agent/<label>/contacts/alice`
///         Ok(())
///     }
/// }
/// ```
pub struct Kv<S: ?Sized = dyn KeyVal> {
    store: Arc<S>,
    prefix: Bytes,
    /// The length of the part of the prefix that belongs to an agent; 0 in a view that is of no agent.
    agent: usize,
}

impl<S: ?Sized> Clone for Kv<S> {
    fn clone(&self) -> Self {
        Kv { store: self.store.clone(), prefix: self.prefix.clone(), agent: self.agent }
    }
}

impl<S: Access + ?Sized> Kv<S> {
    /// A view of all keys of a store.
    #[must_use]
    pub fn new(store: Arc<S>) -> Self {
        Kv { store, prefix: Bytes::new(), agent: 0 }
    }

    /// A view of all keys of an injected store, including those of other agents and those that all agents share.
    #[must_use]
    pub fn of_all(store: &Dep<S>) -> Self {
        Kv::new(store.0.clone())
    }

    /// A view of the keys of an agent in an injected store: those below `/vnf-agent/<label>/`.
    #[must_use]
    pub fn of_agent(store: &Dep<S>, label: &ServiceLabel) -> Self {
        Kv::of_all(store).of_different_agent(label)
    }

    /// A view of the keys below a further prefix.
    #[must_use]
    pub fn scoped(&self, prefix: impl AsRef<[u8]>) -> Self {
        Kv { store: self.store.clone(), prefix: self.full(prefix), agent: self.agent }
    }

    /// A view of the same keys of another agent.
    #[must_use]
    pub fn of_different_agent(&self, label: &ServiceLabel) -> Self {
        let of_agent = label.prefix();
        let prefix = [of_agent.as_bytes(), &self.prefix[self.agent..]].concat().into();
        Kv { store: self.store.clone(), prefix, agent: of_agent.len() }
    }

    /// A view with values of a type.
    #[must_use]
    pub fn typed<T, C: Codec<T>>(&self, codec: C) -> Typed<T, C, S> {
        Typed::new(self.clone(), codec)
    }

    /// The prefix of all its keys in the store.
    #[must_use]
    pub fn prefix(&self) -> &Bytes {
        &self.prefix
    }

    /// The store itself.
    #[must_use]
    pub fn store(&self) -> &Arc<S> {
        &self.store
    }

    /// What the store supports, and its limits.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    /// Reads a key; `None` if it does not exist.
    ///
    /// # Errors
    /// Those of the store.
    pub fn get(&self, key: impl AsRef<[u8]>) -> impl Future<Output = Result<Option<Entry>>> {
        self.get_as_of(key, At::Latest)
    }

    /// Reads a key as of a revision. Only in stores with revisions.
    ///
    /// # Errors
    /// Those of the store; `Compacted` if that revision is no longer kept.
    pub async fn get_at(&self, key: impl AsRef<[u8]>, revision: Revision) -> Result<Option<Entry>> {
        self.get_as_of(key, At::Revision(revision)).await
    }

    async fn get_as_of(&self, key: impl AsRef<[u8]>, at: At) -> Result<Option<Entry>> {
        let mut found = self.store.get(self.full(key), at).await?;
        self.strip(found.as_mut_slice());
        Ok(found)
    }

    /// Writes a value unconditionally.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl Into<Bytes>) -> impl Future<Output = Result<Written>> {
        self.put_with(key, value, Expiry::Never)
    }

    /// Writes a value that expires.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub fn put_with(
        &self,
        key: impl AsRef<[u8]>,
        value: impl Into<Bytes>,
        expiry: Expiry,
    ) -> impl Future<Output = Result<Written>> {
        self.store.put(Put::new(self.full(key), value, expiry))
    }

    /// Writes a value if the key does not exist. Returns whether it was written.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn put_if_absent(&self, key: impl AsRef<[u8]>, value: impl Into<Bytes>) -> Result<bool> {
        self.put_if_absent_with(key, value, Expiry::Never).await
    }

    /// Writes a value that expires, if the key does not exist. Returns whether it was written.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn put_if_absent_with(
        &self,
        key: impl AsRef<[u8]>,
        value: impl Into<Bytes>,
        expiry: Expiry,
    ) -> Result<bool> {
        let key = self.full(key);
        let txn = Txn::new().when(key.clone(), Compare::Absent).put_with(key, value, expiry);
        Ok(self.store.commit(txn).await?.succeeded)
    }

    /// Writes a value if the key has the expected one, byte for byte. Returns whether it was written. A key that
    /// expires keeps its expiry.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn compare_and_swap(
        &self,
        key: impl AsRef<[u8]>,
        expected: impl Into<Bytes>,
        value: impl Into<Bytes>,
    ) -> Result<bool> {
        self.compare_and_swap_with(key, expected, value, Expiry::Keep).await
    }

    /// Writes a value with an expiry if the key has the expected one, byte for byte. Returns whether it was written.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn compare_and_swap_with(
        &self,
        key: impl AsRef<[u8]>,
        expected: impl Into<Bytes>,
        value: impl Into<Bytes>,
        expiry: Expiry,
    ) -> Result<bool> {
        let key = self.full(key);
        let txn = Txn::new().when(key.clone(), Compare::Value(expected.into())).put_with(key, value, expiry);
        Ok(self.store.commit(txn).await?.succeeded)
    }

    /// Deletes a key if it has the expected value, byte for byte. Returns whether it was deleted.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn compare_and_delete(&self, key: impl AsRef<[u8]>, expected: impl Into<Bytes>) -> Result<bool> {
        let key = self.full(key);
        let txn = Txn::new().when(key.clone(), Compare::Value(expected.into())).delete(key);
        Ok(self.store.commit(txn).await?.succeeded)
    }

    /// Deletes a key. Returns whether it existed.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.delete_full(KeyRange::key(self.full(key))).await.map(|count| count > 0)
    }

    /// Deletes all keys with this prefix. Returns how many there were.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn delete_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<u64> {
        self.delete_range(KeyRange::prefix(prefix)).await
    }

    /// Deletes all keys of a range. Returns how many there were.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn delete_range(&self, range: KeyRange) -> Result<u64> {
        self.delete_full(range.under(&self.prefix)).await
    }

    async fn delete_full(&self, range: KeyRange) -> Result<u64> {
        let outcome = self.store.commit(Txn::one(Op::delete(range, false))).await?;
        match outcome.results.first() {
            Some(OpResult::Deleted { count, .. }) => Ok(*count),
            _ => Err(no_result("delete")),
        }
    }

    /// Executes a transaction on keys of this view.
    ///
    /// # Errors
    /// Those of the store. See [`KvError::applied`](super::KvError::applied).
    pub async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        let mut outcome = self.store.commit(txn.under(&self.prefix)).await?;
        for result in &mut outcome.results {
            if let OpResult::Got(entries) | OpResult::Deleted { previous: entries, .. } = result {
                self.strip(entries);
            }
        }
        Ok(outcome)
    }

    /// All keys with this prefix, with their values. They are read page by page, as they are taken. In a store with
    /// revisions, all are of one revision.
    pub fn list(&self, prefix: impl AsRef<[u8]>) -> Listing<S> {
        self.list_range(KeyRange::prefix(prefix))
    }

    /// All keys with this prefix, without their values.
    pub fn list_keys(&self, prefix: impl AsRef<[u8]>) -> Listing<S> {
        self.list_with(PageRequest { keys_only: true, ..PageRequest::new(KeyRange::prefix(prefix)) })
    }

    /// All keys of a range, with their values.
    pub fn list_range(&self, range: KeyRange) -> Listing<S> {
        self.list_with(PageRequest::new(range))
    }

    /// All keys of a range, as the request says: of which revision, with or without values, and with which page size at
    /// first.
    pub fn list_with(&self, request: PageRequest) -> Listing<S> {
        let range = request.range.under(&self.prefix);
        Listing::new(self.clone(), PageRequest { range, ..request })
    }

    /// Watches all keys with one of these prefixes.
    ///
    /// # Errors
    /// The store was closed, or cannot watch such keys; [`Denied`](super::Reason::Denied), with help, if it is known at
    /// once that the user may watch none of them. It is no error if the store is away: the watch begins when it is
    /// back.
    pub async fn watch<P: AsRef<[u8]>>(
        &self,
        prefixes: impl IntoIterator<Item = P>,
        options: WatchOptions,
    ) -> Result<Watch> {
        self.watch_ranges(prefixes.into_iter().map(KeyRange::prefix), options).await
    }

    /// Watches ranges.
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    pub async fn watch_ranges(
        &self,
        ranges: impl IntoIterator<Item = KeyRange>,
        options: WatchOptions,
    ) -> Result<Watch> {
        let ranges: Vec<_> = ranges.into_iter().map(|range| range.under(&self.prefix)).collect();
        Ok(self.store.watch(ranges, options).await?.below(&self.prefix))
    }

    /// The full key in the store, made with one allocation.
    fn full(&self, key: impl AsRef<[u8]>) -> Bytes {
        [&*self.prefix, key.as_ref()].concat().into()
    }

    /// Removes the prefix of the view from the keys. The bytes stay where they are: to split them would cost an
    /// allocation each.
    pub(super) fn strip(&self, entries: &mut [Entry]) {
        if self.prefix.is_empty() {
            return;
        }
        for Entry { key, .. } in entries {
            key.advance(self.prefix.len().min(key.len()));
        }
    }
}

impl<S: Access> Kv<S>
where
    S: KeyVal,
{
    /// The same view, without the type of the store.
    #[must_use]
    pub fn erase(self) -> Kv {
        Kv { store: self.store, prefix: self.prefix, agent: self.agent }
    }
}

impl<S: ?Sized> fmt::Debug for Kv<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kv({})", super::range::shown(&self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Cause, Change, Delegate, Event, Leases, Page, Previous, Pushed, Store, testing::Map},
        *,
    };
    use std::time::Duration;

    fn agent(label: &str) -> ServiceLabel {
        label.parse().unwrap()
    }

    /// Calls through a view have the same effect for a concrete store, for `dyn KeyVal`, and for a larger interface.
    async fn check<S: Access + ?Sized>(all: Kv<S>) {
        let one = all.of_different_agent(&agent("one")).scoped("c/");
        assert!(one.put_if_absent("k", "v").await.unwrap() && !one.put_if_absent("k", "w").await.unwrap());
        assert!(
            one.compare_and_swap("k", "v", "w").await.unwrap() && !one.compare_and_swap("k", "v", "x").await.unwrap()
        );
        let found = one.get("k").await.unwrap().unwrap();
        assert_eq!((&*found.key, &*found.value), (&b"k"[..], &b"w"[..]));
        assert!(all.get("/vnf-agent/one/c/k").await.unwrap().is_some() && all.get("k").await.unwrap().is_none());
        // The view of another agent has other keys.
        let two = one.of_different_agent(&agent("two"));
        assert_eq!((&**two.prefix(), two.get("k").await.unwrap()), (&b"/vnf-agent/two/c/"[..], None));
        assert_eq!(
            two.put_with("k", "", Expiry::After(Duration::from_secs(1))).await.unwrap().ttl,
            Some(Duration::from_secs(2))
        );
        assert_eq!(two.delete_prefix("").await.unwrap(), 1);
        // Transactions use the keys of the view, too.
        let txn =
            Txn::new().when("k", Compare::Value("w".into())).put("l", "1").get("k").delete_range(KeyRange::key("k"));
        let outcome = one.commit(txn).await.unwrap();
        let [_, OpResult::Got(got), OpResult::Deleted { count: 1, .. }] = &outcome.results[..] else {
            panic!("{outcome:?}")
        };
        assert_eq!((outcome.succeeded, &*got[0].key), (true, &b"k"[..]));
        assert_eq!(one.list("l").next().await.unwrap().unwrap().value, "1");
        assert_eq!(one.list_keys("l").next().await.unwrap().unwrap().value, "");
        assert!(one.delete("l").await.unwrap() && !one.delete("l").await.unwrap());
        assert!(!one.compare_and_delete("k", "w").await.unwrap());
    }

    #[tokio::test]
    async fn a_view_has_its_own_keys() {
        let map = Arc::<Map>::default();
        check(Kv::new(map.clone())).await;
        check(Kv::new(map.clone()).erase()).await;
        check(Kv::new(map.clone() as Arc<dyn KeyVal>)).await;
        check(Kv::new(map as Arc<dyn Leases>)).await;
    }

    /// A store with its own implementation of `put`.
    struct Own(Arc<Map>);

    impl Store for Own {
        fn capabilities(&self) -> Capabilities {
            Store::capabilities(&*self.0)
        }
        async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
            Store::get(&*self.0, key, at).await
        }
        async fn page(&self, request: PageRequest) -> Result<Page> {
            Store::page(&*self.0, request).await
        }
        async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
            Store::commit(&*self.0, txn).await
        }
        async fn put(&self, put: Put) -> Result<Written> {
            Store::commit(&*self.0, Txn::one(Op::Put(put))).await?;
            Ok(Written::new(Revision::new(9), None, None))
        }
        async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
            Store::watch(&*self.0, ranges, options).await
        }
    }

    struct Opened(Arc<Own>);

    impl Delegate for Opened {
        type Store = Own;
        fn capabilities(&self) -> Capabilities {
            Capabilities::all()
        }
        fn store(&self, _: &'static str) -> Result<Arc<Own>> {
            Ok(self.0.clone())
        }
    }

    #[tokio::test]
    async fn a_store_that_has_a_put_of_its_own_is_asked_for_that() {
        let map = Arc::<Map>::default();
        let own = Arc::new(Own(map.clone()));
        let opened = Arc::new(Opened(own.clone()));
        let revisions = [
            Kv::new(map.clone()).put("k", "0").await.unwrap().revision,
            Kv::new(own.clone()).put("k", "1").await.unwrap().revision,
            Kv::new(own as Arc<dyn KeyVal>).put("k", "2").await.unwrap().revision,
            Kv::new(opened.clone()).put_with("k", "3", Expiry::WithClient).await.unwrap().revision,
            Kv::new(opened).erase().put("k", "4").await.unwrap().revision,
        ];
        assert_eq!(revisions, [7, 9, 9, 9, 9].map(Revision::new));
        assert_eq!(Kv::new(map).get("k").await.unwrap().unwrap().value, "4");
    }

    #[tokio::test]
    async fn a_watch_of_a_view_has_its_keys() {
        let map = Arc::<Map>::default();
        let kv = Kv::new(map.clone()).scoped("p/");
        let mut watch = kv.watch(["a/", ""], WatchOptions::default()).await.unwrap();
        let (ranges, feed) = map.watched.lock().unwrap().take().unwrap();
        assert_eq!(ranges, [KeyRange::prefix("p/a/"), KeyRange::prefix("p/")]);
        let change = |prefix: &str| {
            let key = format!("{prefix}a/k");
            Change::put(Entry::new(key.clone(), "v"), Some(false), Previous::Entry(Entry::new(key, "u")))
        };
        watch.handle().add(KeyRange::all()).await.unwrap();
        assert_eq!(feed.send(Event::Item(Entry::new("p/a/k", "v"))).await, Pushed::Queued);
        assert_eq!(feed.send(Event::changes(None, vec![change("p/")])).await, Pushed::Queued);
        assert_eq!(watch.handle().stats().queued, 3);
        assert_eq!(watch.next().await, Some(Event::snapshot_begin(KeyRange::all(), Cause::Added)));
        assert_eq!(watch.next().await, Some(Event::Item(Entry::new("a/k", "v"))));
        assert_eq!(watch.next().await, Some(Event::changes(None, vec![change("")])));
        drop(watch);
        feed.ended().await;
    }
}
