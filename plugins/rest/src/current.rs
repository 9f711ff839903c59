//! [`Current`]: the calls of a connection into its handlers, as other threads see them.

use crate::{asked::CurrentRequest, shared::Shared};
use cninfra::agent::{Called, Caller, Panic};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A handler that blocks its thread for longer is reported.
const BLOCKS_AFTER: Duration = Duration::from_secs(1);

/// The calls of one connection into its handlers, with the request that they are for.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) request: CurrentRequest,
    /// `None` for a server that is not run by a plugin: there is no watchdog to ask.
    caller: Option<Caller>,
}

impl Current {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let request = CurrentRequest::default();
        let caller = shared.context.as_ref().map(|cx| {
            let (request, server) = (request.clone(), Arc::downgrade(shared));
            cx.caller(move || {
                let Some(shared) = server.upgrade() else { return Called::new("handler", None) };
                let (method, path, route) = request.reported(&shared);
                let path = route.as_ref().map_or(&path, |route| &route.path);
                let what = format!("handler of `{method} {path}`");
                Called::new(what, route.as_ref().map(|route| route.owner.to_string()))
            })
        });
        Current { request, caller }
    }

    /// Calls code of the handler, or of what the handler has made.
    pub(crate) fn call<T>(&self, run: impl FnOnce() -> T) -> Result<T, Panic> {
        let _inside = self.caller.as_ref().map(Caller::enter);
        Panic::catch(run)
    }

    /// Calls the handler, and reports if it blocks for too long. `now` is the time, if the caller has just asked the
    /// clock. Also returns the time when the handler returned.
    pub(crate) fn handle<T>(
        &self,
        now: Option<Instant>,
        shared: &Shared,
        run: impl FnOnce() -> T,
    ) -> (Result<T, Panic>, Instant) {
        let began = now.unwrap_or_else(Instant::now);
        let done = self.call(run);
        let returned = Instant::now();
        // Adding costs less than subtracting, and this runs for each request.
        if returned > began + shared.limits.handler.map_or(BLOCKS_AFTER, |limit| limit.min(BLOCKS_AFTER)) {
            self.request.report_blocked(shared, returned - began);
        }
        (done, returned)
    }
}
