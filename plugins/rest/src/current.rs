//! [`Current`]: the request that a connection's handler has right now, for those who ask from another thread.

use crate::{asked::Asked, shared::Shared};
use axum::http::Method;
use cninfra::agent::{Called, Caller, Panic};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A handler that keeps its thread for longer is told of.
const BLOCKS_AFTER: Duration = Duration::from_secs(1);

/// What the handlers of one connection are called for.
#[derive(Debug)]
pub(crate) struct Current(Option<(Arc<Mutex<Now>>, Caller)>);

/// What is asked for, in texts of its own: what a request holds is a part of hyper's buffer, which can not be used again as long as somebody has it.
#[derive(Default, Debug)]
struct Now {
    method: Method,
    path: String,
}

impl Current {
    /// Nobody asks of a server that is no plugin.
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Current(shared.context.as_ref().map(|cx| {
            let asked = Arc::<Mutex<Now>>::default();
            let (now, of) = (asked.clone(), Arc::downgrade(shared));
            let called = move || {
                let (method, path) = {
                    let now = now.lock().unwrap_or_else(PoisonError::into_inner);
                    (now.method.clone(), now.path.clone())
                };
                let route = of.upgrade().and_then(|shared| shared.route(&method, &path));
                let path = route.as_ref().map_or(&path, |route| &route.path);
                let what = format!("handler of `{method} {path}`");
                Called::new(what, route.as_ref().map(|route| route.owner.to_string()))
            };
            (asked, cx.caller(called))
        }))
    }

    /// There is a request.
    pub(crate) fn asks(&self, asked: &Asked) {
        if let Some((now, _)) = &self.0 {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            now.method.clone_from(&asked.method);
            now.path.clear();
            now.path.push_str(asked.path());
        }
    }

    /// Calls into its handler, or what that has made.
    pub(crate) fn call<T>(&self, run: impl FnOnce() -> T) -> Result<T, Panic> {
        let _inside = self.0.as_ref().map(|(_, caller)| caller.enter());
        Panic::catch(run)
    }

    /// Calls into the handler, and tells when that takes too long.
    pub(crate) fn handle<T>(&self, asked: &Asked, shared: &Shared, run: impl FnOnce() -> T) -> Result<T, Panic> {
        let began = Instant::now();
        let done = self.call(run);
        let took = began.elapsed();
        if took > shared.limits.handler.map_or(BLOCKS_AFTER, |limit| limit.min(BLOCKS_AFTER)) {
            asked.blocked(shared, took);
        }
        done
    }
}
