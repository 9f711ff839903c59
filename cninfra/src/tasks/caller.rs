//! [`Caller`]: marks calls of foreign code outside the agent's tasks, such as a server's calls of its handlers.

use super::{
    Mark,
    callers::{Called, HERE},
};
use crate::Context;
use std::{fmt, sync::Arc};

/// Marks when code of others is called: see [`Context::caller`]. It is registered until it is dropped.
pub struct Caller {
    mark: Mark,
    id: u64,
    cx: Context,
}

impl Caller {
    /// Marks that a call is in progress on this thread, until the returned value is dropped. Only one call at a time.
    /// Costs a few stores.
    pub fn enter(&self) -> impl Drop + '_ {
        let before = HERE.try_with(|here| here.replace(self.mark.address())).unwrap_or_default();
        Entered { _inside: self.mark.enter(), before }
    }
}

/// A call in progress, with the mark of the call that it is nested in.
struct Entered<I> {
    _inside: I,
    before: usize,
}

impl<I> Drop for Entered<I> {
    fn drop(&mut self) {
        // A thread that is ending has no thread-locals any more.
        let _ = HERE.try_with(|here| here.set(self.before));
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.cx.tasks().callers().leave(self.id);
    }
}

impl Context {
    /// For a plugin that calls code given by others, in tasks of a kind of its own, as a server calls handlers. While
    /// such a call blocks its thread, [`Agent::main`](crate::Agent::main) names it in the log, as it does for tasks. If
    /// it panics, the panic is logged for the plugin that the code belongs to, with what was called.
    ///
    /// `called` returns what is being called at the moment. It is called before that call has returned, from another
    /// thread or where the call panics, and must neither block nor panic.
    ///
    /// ```
    /// # use cninfra::prelude::*;
    /// use cninfra::agent::Called;
    ///
    /// # fn serve(cx: &Context, handler: impl Fn()) {
    /// let caller = cx.caller(|| Called::new("handler of `GET /items`", Some("store".into())));
    /// let entered = caller.enter();
    /// handler();
    /// drop(entered);
    /// # }
    /// ```
    #[must_use]
    pub fn caller(&self, called: impl Fn() -> Called + Send + Sync + 'static) -> Caller {
        let mark = Mark::default();
        let id = self.tasks().callers().enter(self.place(), mark.clone(), Arc::new(called));
        Caller { mark, id, cx: self.clone() }
    }

    /// The calls in which the plugin's [callers](Context::caller) are at the moment.
    #[must_use]
    pub fn called(&self) -> Vec<Called> {
        let all = self.tasks().callers().in_calls().into_iter();
        all.filter(|caller| caller.place == self.place()).map(|caller| caller.called).collect()
    }
}
