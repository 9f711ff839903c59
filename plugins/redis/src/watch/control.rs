//! [`Control`]: the subscriber's requests to a running watch.

use super::hub::OrderError;
use crate::{core::Core, failure::Asked, store::refuse_range};
use cninfra::{
    BoxFuture,
    keyval::{Applied, Capabilities, Feed, KeyRange, Reason, Result, WatchControl, WatchStats},
};
use std::{result::Result as StdResult, sync::Arc};

/// Records the requests. The task of the watch executes them.
pub(crate) struct Control {
    pub(crate) core: Arc<Core>,
    /// The id of the watch in the hub.
    pub(crate) id: u64,
    pub(crate) feed: Feed,
    pub(crate) capabilities: Capabilities,
}

const OP: &str = "watch";

impl Control {
    fn add_now(&self, range: KeyRange) -> Result<()> {
        self.capabilities.refuse_watch(std::slice::from_ref(&range), &Default::default())?;
        let asked = Asked::to_read(OP, Some(range.clone()));
        refuse_range(&|| asked.clone(), &range)?;
        self.order_result(&asked, self.core.hub.add_range(self.id, range))
    }

    fn remove_now(&self, range: KeyRange) -> Result<()> {
        let asked = Asked::to_read(OP, Some(range.clone()));
        self.order_result(&asked, self.core.hub.remove_range(self.id, range))
    }

    fn order_result(&self, asked: &Asked, order: StdResult<(), OrderError>) -> Result<()> {
        let error = match order {
            _ if self.core.is_closed() => return Err(self.core.closed_error(asked, Applied::No)),
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let (reason, help) = match error {
            OrderError::Ended => (Reason::Closed, "the watch has ended: begin another one"),
            OrderError::Unknown => {
                (Reason::Invalid, "this watch has no such range: give it as it was when it was added")
            }
            OrderError::Full => (
                Reason::Unavailable,
                "the subscriber takes its events too slowly for what is asked for: wait for those of the orders before",
            ),
        };
        Err(asked.error(reason, Applied::No).at(self.core.endpoints().clone()).with_help(help))
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
        Box::pin(async move { self.order_result(&Asked::to_read(OP, None), self.core.hub.snapshot(self.id)) })
    }

    fn stats(&self) -> WatchStats {
        self.feed.stats()
    }
}
