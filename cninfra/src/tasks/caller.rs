//! [`Caller`]: who calls into others' code beside the tasks of the agent, as a server its handlers.

use super::{
    Mark,
    callers::{Called, HERE},
};
use crate::Context;
use std::{fmt, sync::Arc};

/// Marks when others' code is called: see [`Context::caller`]. It is one as long as it is not dropped.
pub struct Caller {
    mark: Mark,
    id: u64,
    cx: Context,
}

impl Caller {
    /// It is inside of a call, on this thread, until this is dropped. One call at a time. Costs a few stores.
    pub fn enter(&self) -> impl Drop + '_ {
        let before = HERE.try_with(|here| here.replace(self.mark.address())).unwrap_or_default();
        Entered { _inside: self.mark.enter(), before }
    }
}

/// A call, with the one that it was begun in.
struct Entered<I> {
    _inside: I,
    before: usize,
}

impl<I> Drop for Entered<I> {
    fn drop(&mut self) {
        // a thread that ends calls nobody
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
    /// For a plugin that calls what others have given to it, in tasks of a kind of its own: as a server calls handlers. While such a call keeps its thread,
    /// [`Agent::main`](crate::Agent::main) names it in the log, as it does tasks that block; and where it panics, that is a record of the plugin that it belongs to, which says what was called.
    ///
    /// `called` says what is called right now. It is asked while the call has not returned, from another thread or where the call panics, and must neither block nor panic.
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

    /// What the plugin's [callers](Context::caller) are in right now.
    #[must_use]
    pub fn called(&self) -> Vec<Called> {
        let all = self.tasks().callers().inside().into_iter();
        all.filter(|inside| inside.place == self.place()).map(|inside| inside.called).collect()
    }
}
