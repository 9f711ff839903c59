//! [`Typed`]: a view of a store whose values have a type.

use super::{
    Access, Codec, Entry, Expiry, KeyRange, KeyVal, Kv, KvError, Reason, Result, TypedWatch, WatchOptions, Written,
};
use bytes::Bytes;
use std::{fmt, marker::PhantomData, sync::Arc};

/// How often a change is attempted while other clients keep changing the value.
const ROUNDS: usize = 16;

/// A view of a store with values of a type: see [`Kv::typed`].
pub struct Typed<T, C, S: ?Sized = dyn KeyVal> {
    kv: Kv<S>,
    codec: Arc<C>,
    of: PhantomData<fn(T) -> T>,
}

impl<T, C, S: ?Sized> Clone for Typed<T, C, S> {
    fn clone(&self) -> Self {
        Typed { kv: self.kv.clone(), codec: self.codec.clone(), of: PhantomData }
    }
}

impl<T, C: Codec<T>, S: Access + ?Sized> Typed<T, C, S> {
    pub(super) fn new(kv: Kv<S>, codec: C) -> Self {
        Typed { kv, codec: Arc::new(codec), of: PhantomData }
    }

    /// The underlying view of bytes.
    #[must_use]
    pub fn bytes(&self) -> &Kv<S> {
        &self.kv
    }

    /// Reads a key; `None` if it does not exist.
    ///
    /// # Errors
    /// Those of the store; `Malformed`, with the key, if the value is not of the type.
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<T>> {
        self.kv.get(key).await?.map(|entry| self.decode(&entry)).transpose()
    }

    /// Writes a value unconditionally.
    ///
    /// # Errors
    /// Those of the store; `Malformed` if the value cannot be encoded, and then nothing is applied.
    pub async fn put(&self, key: impl AsRef<[u8]>, value: &T) -> Result<Written> {
        self.put_with(key, value, Expiry::Never).await
    }

    /// Writes a value that expires.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn put_with(&self, key: impl AsRef<[u8]>, value: &T, expiry: Expiry) -> Result<Written> {
        let bytes = self.encode(key.as_ref(), value)?;
        self.kv.put_with(key, bytes, expiry).await
    }

    /// Writes a value if the key does not exist. Returns whether it was written.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn put_if_absent(&self, key: impl AsRef<[u8]>, value: &T) -> Result<bool> {
        self.put_if_absent_with(key, value, Expiry::Never).await
    }

    /// Writes a value that expires, if the key does not exist. Returns whether it was written.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn put_if_absent_with(&self, key: impl AsRef<[u8]>, value: &T, expiry: Expiry) -> Result<bool> {
        let bytes = self.encode(key.as_ref(), value)?;
        self.kv.put_if_absent_with(key, bytes, expiry).await
    }

    /// Writes a value if the key has the expected one. Returns whether it was written. A key that expires keeps its
    /// expiry.
    ///
    /// Values are compared, not their bytes, since two programs may encode the same value differently. So it costs one
    /// read more than [that of bytes](Kv::compare_and_swap).
    ///
    /// ```
    /// use cninfra::keyval::{KeyVal, Kv, Result, SerdeJson};
    ///
    /// /// Takes the place of who was there, if nobody else has.
    /// async fn take_over(kv: &Kv, from: &str, me: &str) -> Result<bool> {
    ///     kv.typed(SerdeJson).compare_and_swap("owner", &from.to_string(), &me.to_string()).await
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the store; `Malformed` as for [`get`](Self::get) and [`put`](Self::put); `Contended` if the bytes had
    /// changed 16 times in a row, each time with the same value.
    pub async fn compare_and_swap(&self, key: impl AsRef<[u8]>, expected: &T, value: &T) -> Result<bool>
    where
        T: PartialEq,
    {
        self.compare_and_swap_with(key, expected, value, Expiry::Keep).await
    }

    /// Writes a value with an expiry if the key has the expected one. Returns whether it was written.
    ///
    /// # Errors
    /// As [`compare_and_swap`](Self::compare_and_swap).
    pub async fn compare_and_swap_with(
        &self,
        key: impl AsRef<[u8]>,
        expected: &T,
        value: &T,
        expiry: Expiry,
    ) -> Result<bool>
    where
        T: PartialEq,
    {
        let key = key.as_ref();
        let bytes = Bytes::from(self.encode(key, value)?);
        for _ in 0..ROUNDS {
            let Some(found) = self.bytes_if_equal(key, expected).await? else { return Ok(false) };
            if self.kv.compare_and_swap_with(key, found, bytes.clone(), expiry).await? {
                return Ok(true);
            }
        }
        Err(self.contended("compare and swap", key))
    }

    /// Deletes a key if it has the expected value, compared [as a value](Self::compare_and_swap). Returns whether it
    /// was deleted.
    ///
    /// # Errors
    /// As [`compare_and_swap`](Self::compare_and_swap).
    pub async fn compare_and_delete(&self, key: impl AsRef<[u8]>, expected: &T) -> Result<bool>
    where
        T: PartialEq,
    {
        let key = key.as_ref();
        for _ in 0..ROUNDS {
            let Some(found) = self.bytes_if_equal(key, expected).await? else { return Ok(false) };
            if self.kv.compare_and_delete(key, found).await? {
                return Ok(true);
            }
        }
        Err(self.contended("compare and delete", key))
    }

    /// The bytes of the stored value if it equals the expected one, otherwise `None`.
    async fn bytes_if_equal(&self, key: &[u8], expected: &T) -> Result<Option<Bytes>>
    where
        T: PartialEq,
    {
        let Some(entry) = self.kv.get(key).await? else { return Ok(None) };
        let is_it = self.decode(&entry)? == *expected;
        Ok(is_it.then_some(entry.value))
    }

    fn contended(&self, op: &'static str, key: &[u8]) -> KvError {
        let range = KeyRange::key(key).under(self.kv.prefix());
        KvError::new(op, Reason::Contended(ROUNDS)).not_applied().on(range)
    }

    /// Updates a value: `change` gets the current one and returns the new one, or `None` to delete the key. If another
    /// client changes the key meanwhile, it is read and changed again. Returns the new value. A key that expires keeps
    /// its expiry.
    ///
    /// ```
    /// use cninfra::keyval::{KeyVal, Kv, Result, SerdeJson};
    ///
    /// /// Counts, however many others do.
    /// async fn count(kv: &Kv) -> Result<u64> {
    ///     let counters = kv.typed::<u64, _>(SerdeJson);
    ///     Ok(counters.update("calls", |count| Some(count.unwrap_or(0) + 1)).await?.unwrap_or(0))
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the store; `Malformed` as for [`get`](Self::get) and [`put`](Self::put); `Contended` if another client
    /// was faster 16 times in a row. After an error that may have been applied ([`KvError::applied`]), it is not known
    /// whether the change was made.
    pub async fn update(
        &self,
        key: impl AsRef<[u8]>,
        mut change: impl FnMut(Option<T>) -> Option<T>,
    ) -> Result<Option<T>> {
        let key = key.as_ref();
        for _ in 0..ROUNDS {
            let old = self.kv.get(key).await?;
            let value = old.as_ref().map(|entry| self.decode(entry)).transpose()?;
            let new = change(value);
            let bytes = new.as_ref().map(|value| self.encode(key, value)).transpose()?;
            let is_done = match (old, bytes) {
                (Some(old), Some(bytes)) => self.kv.compare_and_swap(key, old.value, bytes).await?,
                (Some(old), None) => self.kv.compare_and_delete(key, old.value).await?,
                (None, Some(bytes)) => self.kv.put_if_absent(key, bytes).await?,
                (None, None) => true,
            };
            if is_done {
                return Ok(new);
            }
        }
        Err(self.contended("update", key))
    }

    /// Watches all keys with one of these prefixes: reports the differences, with their values.
    ///
    /// # Errors
    /// As [`Kv::watch`].
    pub async fn watch<P: AsRef<[u8]>>(
        &self,
        prefixes: impl IntoIterator<Item = P>,
        options: WatchOptions,
    ) -> Result<TypedWatch<T, C, S>> {
        Ok(TypedWatch::new(self.clone(), self.kv.watch(prefixes, options).await?.diffed()))
    }

    /// Deletes a key. Returns whether it existed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.kv.delete(key).await
    }

    /// All keys with this prefix, with their values.
    ///
    /// # Errors
    /// Those of the store; `Malformed`, with the key, for the first value that is not of the type.
    pub async fn list(&self, prefix: impl AsRef<[u8]>) -> Result<Vec<(Entry, T)>> {
        let entries = self.kv.list(prefix).all().await?;
        entries.into_iter().map(|entry| self.decode(&entry).map(|value| (entry, value))).collect()
    }

    /// Decodes the value of an entry, such as one from a watch.
    ///
    /// # Errors
    /// `Malformed`, with the key, if it is not of the type.
    pub fn decode(&self, entry: &Entry) -> Result<T> {
        let malformed = |error| self.malformed("decode", &entry.key).because(error);
        self.codec.decode(&entry.value).map_err(malformed)
    }

    fn encode(&self, key: &[u8], value: &T) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.codec.encode(value, &mut bytes).map_err(|error| self.malformed("encode", key).because(error))?;
        Ok(bytes)
    }

    fn malformed(&self, op: &'static str, key: &[u8]) -> KvError {
        KvError::new(op, Reason::Malformed).not_applied().on(KeyRange::key(key).under(self.kv.prefix()))
    }
}

impl<T, C, S: ?Sized> fmt::Debug for Typed<T, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.kv).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Applied, Expiry, Kv, Reason, SerdeJson, Store as _, Txn, testing::Map};
    use std::sync::Arc;

    #[tokio::test]
    async fn values_have_a_type() {
        let kv = Kv::new(Arc::<Map>::default()).scoped("p/");
        let ports = kv.typed::<Vec<u16>, _>(SerdeJson);
        ports.put("http", &vec![80, 8080]).await.unwrap();
        assert!(!ports.put_if_absent("http", &vec![]).await.unwrap());
        assert_eq!(ports.get("http").await.unwrap(), Some(vec![80, 8080]));
        assert_eq!(ports.list("").await.unwrap().len(), 1);
        kv.put("ssh", "twenty-two").await.unwrap();
        let error = ports.get("ssh").await.unwrap_err();
        assert_eq!(
            (error.to_string(), error.reason()),
            ("decode of `p/ssh`: the value is malformed".to_string(), &Reason::Malformed)
        );
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("line 1"));
        assert!(ports.list("").await.is_err() && ports.delete("ssh").await.unwrap());
    }

    #[tokio::test]
    async fn values_are_compared_as_such() {
        let map = Arc::<Map>::default();
        let kv = Kv::new(map.clone()).scoped("p/");
        let ports = kv.typed::<Vec<u16>, _>(SerdeJson);
        assert!(ports.put_if_absent_with("k", &vec![1], Expiry::Never).await.unwrap());
        assert!(!ports.compare_and_swap("k", &vec![2], &vec![3]).await.unwrap());
        assert!(!ports.compare_and_swap("none", &vec![2], &vec![3]).await.unwrap());
        // Another program may encode the value like this.
        kv.put("k", "[ 1 ]").await.unwrap();
        assert!(ports.compare_and_swap("k", &vec![1], &vec![3]).await.unwrap());
        assert!(ports.compare_and_swap_with("k", &vec![3], &vec![4], Expiry::Never).await.unwrap());
        assert_eq!(ports.get("k").await.unwrap(), Some(vec![4]));
        kv.put("k", "[4 ]").await.unwrap();
        assert!(!ports.compare_and_delete("k", &vec![3]).await.unwrap());
        assert!(ports.compare_and_delete("k", &vec![4]).await.unwrap());
        assert_eq!(
            (ports.get("k").await.unwrap(), ports.compare_and_delete("k", &vec![4]).await.unwrap()),
            (None, false)
        );
        kv.put("k", "four").await.unwrap();
        let error = ports.compare_and_swap("k", &vec![1], &vec![3]).await.unwrap_err();
        assert_eq!((error.reason(), kv.get("k").await.unwrap().unwrap().value), (&Reason::Malformed, "four".into()));
    }

    /// Between each read and the swap, another client writes the same value in other bytes.
    #[tokio::test]
    async fn another_ones_write_of_the_same_value_is_no_other_value() {
        let map = Arc::<Map>::default();
        let kv = Kv::new(map.clone());
        let rewrite = |spaces: usize| kv.put("k", format!("7{}", " ".repeat(spaces)));
        rewrite(0).await.unwrap();
        for (times, done) in [(15, true), (16, false)] {
            map.rewrites.lock().unwrap().extend((1..=times).map(|spaces| format!("7{}", " ".repeat(spaces))));
            let numbers = kv.typed::<u64, _>(SerdeJson);
            let swapped = numbers.compare_and_swap("k", &7, &7).await;
            let deleted = match swapped {
                Ok(swapped) => swapped,
                Err(error) => {
                    assert_eq!(*error.reason(), Reason::Contended(16));
                    assert_eq!(error.applied(), Applied::No);
                    false
                }
            };
            assert_eq!(deleted, done, "{times}");
        }
    }

    #[tokio::test]
    async fn a_value_is_changed_by_what_it_is() {
        let map = Arc::<Map>::default();
        let kv = Kv::new(map.clone()).scoped("p/");
        let counts = kv.typed::<u64, _>(SerdeJson);
        let one_more = |count: Option<u64>| Some(count.unwrap_or(0) + 1);
        assert_eq!((counts.update("k", one_more).await.unwrap(), counts.get("k").await.unwrap()), (Some(1), Some(1)));
        // Another client is faster, once.
        let mut faster = Some(41);
        let others = |count: Option<u64>| {
            if let Some(other) = faster.take() {
                let put = map.commit(Txn::new().put("p/k", format!("{other}")));
                futures_util::FutureExt::now_or_never(put).unwrap().unwrap();
            }
            one_more(count)
        };
        assert_eq!(counts.update("k", others).await.unwrap(), Some(42));
        // Another client is faster each time.
        let mut other = 100;
        let others = |count: Option<u64>| {
            other += 1;
            let put = map.commit(Txn::new().put("p/k", format!("{other}")));
            futures_util::FutureExt::now_or_never(put).unwrap().unwrap();
            one_more(count)
        };
        let error = counts.update("k", others).await.unwrap_err();
        let what = "update of `p/k`: others have changed it meanwhile, 16 times in a row";
        assert_eq!((error.to_string().as_str(), counts.get("k").await.unwrap()), (what, Some(116)));
        assert_eq!((counts.update("k", |_| None).await.unwrap(), counts.get("k").await.unwrap()), (None, None));
        assert_eq!(counts.update("k", |_| None).await.unwrap(), None);
        kv.put("k", "x").await.unwrap();
        assert_eq!(*counts.update("k", one_more).await.unwrap_err().reason(), Reason::Malformed);
    }
}
