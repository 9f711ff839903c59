//! [`Current`]: how a connection calls handlers, seen by those who ask from another thread.

use crate::{asked::Asked, shared::Shared};
use cninfra::agent::{Called, Caller, Panic};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A handler that keeps its thread for longer is told of.
const BLOCKS_AFTER: Duration = Duration::from_secs(1);

/// How one connection calls handlers, and for what.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) asked: Asked,
    /// Nobody asks of a server that is no plugin.
    caller: Option<Caller>,
}

impl Current {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let asked = Asked::default();
        let caller = shared.context.as_ref().map(|cx| {
            let (asked, of) = (asked.clone(), Arc::downgrade(shared));
            cx.caller(move || {
                let Some(shared) = of.upgrade() else { return Called::new("handler", None) };
                let (method, path, route) = asked.request(&shared);
                let path = route.as_ref().map_or(&path, |route| &route.path);
                let what = format!("handler of `{method} {path}`");
                Called::new(what, route.as_ref().map(|route| route.owner.to_string()))
            })
        });
        Current { asked, caller }
    }

    /// Calls into its handler, or what that has made.
    pub(crate) fn call<T>(&self, run: impl FnOnce() -> T) -> Result<T, Panic> {
        let _inside = self.caller.as_ref().map(Caller::enter);
        Panic::catch(run)
    }

    /// Calls into the handler, and tells when that takes too long. `now` is what the clock says, if somebody has just asked it. Returns what it says when the
    /// handler has returned, too.
    pub(crate) fn handle<T>(
        &self,
        now: Option<Instant>,
        shared: &Shared,
        run: impl FnOnce() -> T,
    ) -> (Result<T, Panic>, Instant) {
        let began = now.unwrap_or_else(Instant::now);
        let done = self.call(run);
        let returned = Instant::now();
        // to add takes less than to subtract, and it is done for each request
        if returned > began + shared.limits.handler.map_or(BLOCKS_AFTER, |limit| limit.min(BLOCKS_AFTER)) {
            self.asked.blocked(shared, returned - began);
        }
        (done, returned)
    }
}
