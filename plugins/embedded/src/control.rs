//! [`Control`]: the subscriber's requests to its watch.

use crate::watchers::{Requests, Watcher};
use cninfra::{
    BoxFuture,
    keyval::{Capabilities, Feed, KeyRange, KvError, Reason, Result, WatchControl, WatchStats},
};
use std::sync::Arc;

/// Records the subscriber's requests for the teller.
pub(crate) struct Control {
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) feed: Feed,
    pub(crate) capabilities: Capabilities,
}

const OP: &str = "watch";

impl Control {
    fn ask<T>(&self, range: Option<&KeyRange>, ask: impl FnOnce(&mut Requests) -> Result<T>) -> Result<T> {
        let answer = {
            let mut requests = self.watcher.requests();
            if requests.ended {
                let error =
                    KvError::new(OP, Reason::Closed).not_applied().with_help("the watch has ended: begin another one");
                return Err(match range {
                    Some(range) => error.on(range.clone()),
                    None => error,
                });
            }
            ask(&mut requests)?
        };
        self.watcher.wake.notify_one();
        Ok(answer)
    }
}

impl WatchControl for Control {
    fn add(&self, range: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.capabilities.refuse_range(OP, &range)?;
            self.ask(Some(&range.clone()), |requests| {
                requests.add(range);
                Ok(())
            })
        })
    }

    fn remove(&self, range: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.ask(Some(&range), |requests| {
                if requests.remove(&range) {
                    return Ok(());
                }
                let help = "this watch has no such range: give it as it was when it was added";
                Err(KvError::new(OP, Reason::Invalid).not_applied().on(range.clone()).with_help(help))
            })
        })
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.ask(None, |requests| {
                requests.snapshot = true;
                Ok(())
            })
        })
    }

    fn stats(&self) -> WatchStats {
        self.feed.stats()
    }
}
