//! [`Watcher`]: a plugin that opens a watch although the store's server may not be there yet.

use cninfra::{
    keyval::{KeyVal, Kv, Watch, WatchOptions},
    prelude::*,
};
use std::sync::{Mutex, PoisonError};

/// Opens a watch of all keys below `w/` when the agent starts, whatever the state of the store's server is then.
#[plugin]
pub struct Watcher {
    store: Dep<dyn KeyVal>,
    watch: Mutex<Option<Watch>>,
}

impl Lifecycle for Watcher {
    async fn after_init(&self, _: &Context) -> Result<()> {
        let watch = Kv::of_all(&self.store).watch(["w/"], WatchOptions::default()).await?;
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        Ok(())
    }
}

impl Watcher {
    /// The watch that it has opened; it can be taken once.
    ///
    /// # Panics
    /// There is none, or it was already taken.
    #[must_use]
    pub fn take(&self) -> Watch {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        watch.expect("the watch is opened by the start, and taken once")
    }
}
