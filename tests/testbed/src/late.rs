//! [`Watcher`]: a plugin that watches a store before its server is there.

use cninfra::{
    keyval::{KeyVal, Kv, Watch, WatchOptions},
    prelude::*,
};
use std::sync::{Mutex, PoisonError};

/// Opens a watch of all keys below `w/` when the agent starts, whatever has become of the store's server by then.
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
    /// What it has opened, once.
    ///
    /// # Panics
    /// It has opened nothing, or it was taken.
    #[must_use]
    pub fn take(&self) -> Watch {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        watch.expect("the watch is opened by the start, and taken once")
    }
}
