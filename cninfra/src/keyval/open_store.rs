//! [`OpenStore`]: the store of a plugin, as long as it is open.

use super::{KvError, Reason, Result};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

/// For authors of plugins: the store that a [`Delegate`](super::Delegate) opens in its `init` and closes in its
/// `close`. At first it is not open.
///
/// ```
/// use cninfra::keyval::OpenStore;
/// use std::sync::Arc;
///
/// let store = OpenStore::default();
/// store.open(Arc::new("a store"));
/// assert_eq!(*store.for_call("get")?, "a store");
/// # Ok::<(), cninfra::keyval::KvError>(())
/// ```
#[derive(Debug)]
pub struct OpenStore<S>(RwLock<State<S>>);

#[derive(Debug)]
enum State<S> {
    NotOpen,
    Open(Arc<S>),
    Closed,
}

impl<S> Default for OpenStore<S> {
    fn default() -> Self {
        OpenStore(RwLock::new(State::NotOpen))
    }
}

impl<S> OpenStore<S> {
    /// The store was opened.
    pub fn open(&self, store: Arc<S>) {
        *self.lock() = State::Open(store);
    }

    /// The store is to be opened once more, by another attempt of the plugin's `init`.
    pub fn reopen(&self) {
        *self.lock() = State::NotOpen;
    }

    /// The store was closed, and is not opened again. To be called after its close: until then, other plugins may still
    /// release what they hold in it.
    pub fn close(&self) {
        *self.lock() = State::Closed;
    }

    /// The store; `None` if it is not open.
    #[must_use]
    pub fn get(&self) -> Option<Arc<S>> {
        self.for_call("").ok()
    }

    /// The store, for a call of this name.
    ///
    /// # Errors
    /// `Unavailable` before it is open, and `Closed` (for which callers do not wait) after that. The plugin adds where
    /// the store is.
    pub fn for_call(&self, op: &'static str) -> Result<Arc<S>> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(store) => Ok(store.clone()),
            State::NotOpen => Err(not_open(op, Reason::Unavailable, "the plugin has not begun")),
            State::Closed => Err(not_open(op, Reason::Closed, "the plugin was closed")),
        }
    }

    fn lock(&self) -> RwLockWriteGuard<'_, State<S>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cold]
fn not_open(op: &'static str, reason: Reason, why: &'static str) -> KvError {
    let help = "depend on the plugin: its store is open from its `init` until those that depend on it are closed";
    KvError::new(op, reason).not_applied().because(why).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_whether_to_wait_for_it() {
        let store = OpenStore::default();
        let found = |store: &OpenStore<u8>| match store.for_call("get") {
            Ok(store) => Ok(*store),
            Err(error) => Err(error.reason().clone()),
        };
        assert_eq!((found(&store), store.get()), (Err(Reason::Unavailable), None));
        store.open(Arc::new(1));
        assert_eq!((found(&store), store.get()), (Ok(1), Some(Arc::new(1))));
        store.reopen();
        assert_eq!(found(&store), Err(Reason::Unavailable));
        store.open(Arc::new(2));
        assert_eq!(found(&store), Ok(2));
        store.close();
        assert_eq!((found(&store), store.get()), (Err(Reason::Closed), None));
    }
}
