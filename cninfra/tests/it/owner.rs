//! An agent of two plugins that give their contexts to the test.

use cninfra::prelude::*;
use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};
use tokio::time::timeout;

/// Gives its context to a test, and counts its closes.
#[plugin]
pub struct Owner {
    #[context]
    pub cx: Context,
    pub closed: AtomicUsize,
}
impl Lifecycle for Owner {
    async fn close(&self, _: &Context) -> Result<()> {
        self.closed.fetch_add(1, SeqCst);
        Ok(())
    }
}
/// The same without a lifecycle.
#[plugin(no_lifecycle)]
pub struct Bare {
    #[context]
    pub cx: Context,
    pub owner: Dep<Owner>,
}
#[derive(Flavor)]
pub struct Two {
    pub bare: Dep<Bare>,
    pub owner: Dep<Owner>,
}

pub async fn started() -> Agent<Two> {
    Agent::<Two>::builder().record_events(true).start().await.unwrap()
}

/// Waits for the future, and fails the test if it takes far too long.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), future).await.unwrap()
}
