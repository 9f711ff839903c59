//! [`Typed`]: a view of a store whose values have a type.

use super::{Access, Codec, Entry, Expiry, KeyRange, KeyVal, Kv, KvError, Reason, Result, Written};
use std::{fmt, marker::PhantomData, sync::Arc};

/// A view of a store whose values have a type: see [`Kv::typed`].
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

    /// The view of bytes below it.
    #[must_use]
    pub fn bytes(&self) -> &Kv<S> {
        &self.kv
    }

    /// Reads a key; `None` if there is none.
    ///
    /// # Errors
    /// The store's; `Malformed`, with the key, where the value is not of the type.
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<T>> {
        self.kv.get(key).await?.map(|entry| self.decode(&entry)).transpose()
    }

    /// Writes a value, whatever was there.
    ///
    /// # Errors
    /// The store's; `Malformed` if the value can not be written in this form: nothing is applied then.
    pub async fn put(&self, key: impl AsRef<[u8]>, value: &T) -> Result<Written> {
        self.put_with(key, value, Expiry::Never).await
    }

    /// Writes a value that ends by itself.
    ///
    /// # Errors
    /// As of [`put`](Self::put).
    pub async fn put_with(&self, key: impl AsRef<[u8]>, value: &T, expiry: Expiry) -> Result<Written> {
        let bytes = self.encode(key.as_ref(), value)?;
        self.kv.put_with(key, bytes, expiry).await
    }

    /// Writes a value if the key is not there. Returns whether it has.
    ///
    /// # Errors
    /// As of [`put`](Self::put).
    pub async fn put_if_absent(&self, key: impl AsRef<[u8]>, value: &T) -> Result<bool> {
        let bytes = self.encode(key.as_ref(), value)?;
        self.kv.put_if_absent(key, bytes).await
    }

    /// Deletes a key. Returns whether it was there.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.kv.delete(key).await
    }

    /// All keys that begin with this, with their values.
    ///
    /// # Errors
    /// The store's; `Malformed`, with the key, of the first value that is not of the type.
    pub async fn list(&self, prefix: impl AsRef<[u8]>) -> Result<Vec<(Entry, T)>> {
        let entries = self.kv.list(prefix).all().await?;
        entries.into_iter().map(|entry| self.decode(&entry).map(|value| (entry, value))).collect()
    }

    /// A value of its bytes, such as those that a watch tells.
    ///
    /// # Errors
    /// `Malformed`, with the key, if they are not of the type.
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
    use super::super::{Kv, Reason, SerdeJson, testing::Map};
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
}
