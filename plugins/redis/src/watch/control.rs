//! [`Control`]: what the subscriber of a watch may ask for.

use super::inbox::{Inbox, Order};
use crate::{core::Core, failure::Asked, store::refuse_range};
use cninfra::{
    BoxFuture,
    keyval::{Capabilities, Feed, KeyRange, KvError, Reason, Result, WatchControl, WatchStats},
};
use std::sync::Arc;

/// Notes what is asked for: the watch's task does it.
pub(crate) struct Control {
    pub(crate) core: Arc<Core>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) feed: Feed,
    pub(crate) capabilities: Capabilities,
}

const OP: &str = "watch";

impl Control {
    fn note(&self, order: Order) -> Result<()> {
        if self.core.is_closed() {
            return Err(KvError::new(OP, Reason::Closed).not_applied().at(self.core.endpoints().clone()));
        }
        if self.inbox.order(order) {
            return Ok(());
        }
        let help =
            "the subscriber takes its events too slowly for what is asked for: wait for those of the orders before";
        Err(KvError::new(OP, Reason::Unavailable).not_applied().with_help(help))
    }

    fn add_now(&self, range: KeyRange) -> Result<()> {
        self.capabilities.refuse_watch(std::slice::from_ref(&range), &Default::default())?;
        refuse_range(&Asked::to_read(OP, None), &range)?;
        if self.inbox.ranges().contains(&range) {
            return Ok(());
        }
        // before the order, so that the task finds the version that has it
        self.core.hub.want(&range);
        self.note(Order::Add(range.clone())).inspect_err(|_| self.core.hub.want_no_more(&range))
    }

    fn remove_now(&self, range: KeyRange) -> Result<()> {
        if !self.inbox.ranges().contains(&range) {
            let help = "a range is taken out as it was added";
            return Err(KvError::new(OP, Reason::Invalid).not_applied().on(range).with_help(help));
        }
        self.note(Order::Remove(range.clone()))?;
        self.core.hub.want_no_more(&range);
        Ok(())
    }
}

impl WatchControl for Control {
    fn add(&self, range: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.add_now(range) })
    }

    fn remove(&self, range: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.remove_now(range) })
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.note(Order::Snapshot) })
    }

    fn stats(&self) -> WatchStats {
        self.feed.stats()
    }
}
