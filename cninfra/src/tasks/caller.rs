//! [`Caller`]: who calls into others' code beside the tasks of the agent, as a server its handlers.

use super::Mark;
use crate::{Context, foreign::guard};
use std::{
    cell::Cell,
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

thread_local! {
    /// The mark of the caller that is inside of a call on this thread: its address.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

/// What a [`Caller`] is in, for those who ask.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Called {
    /// What is called, as a text goes on after "the": ``handler of `GET /items` ``.
    pub what: String,
    /// The instance name of the plugin that it belongs to; of the caller's own where there is none.
    pub owner: Option<String>,
}

impl Called {
    /// What is called, and the instance name of the plugin that it belongs to, where that is known.
    #[must_use]
    pub fn new(what: impl Into<String>, owner: Option<String>) -> Self {
        Called { what: what.into(), owner }
    }
}

type Tell = Arc<dyn Fn() -> Called + Send + Sync>;

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

/// The callers of an agent's plugins.
#[derive(Default)]
pub(crate) struct Callers(Mutex<(u64, HashMap<u64, Entry>)>);

struct Entry {
    place: usize,
    mark: Mark,
    tell: Tell,
}

/// A caller that is inside of a call.
pub(crate) struct Calling {
    pub(crate) id: u64,
    /// Another one where it has come back in between.
    pub(crate) call: u64,
    pub(crate) place: usize,
    pub(crate) called: Called,
}

impl Callers {
    fn enter(&self, place: usize, mark: Mark, tell: Tell) -> u64 {
        let (next, all) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next += 1;
        all.insert(*next, Entry { place, mark, tell });
        *next
    }

    fn leave(&self, id: u64) {
        // dropped after the lock
        let _entry = self.0.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&id);
    }

    /// What is called on this thread, and by the plugin at which place.
    pub(crate) fn here(&self) -> Option<(usize, Called)> {
        let here = HERE.try_with(Cell::get).ok().filter(|here| *here != 0)?;
        let (place, tell) = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |entry: &&Entry| entry.mark.address() == here && entry.mark.call().is_some();
            all.1.values().find(is_it).map(|entry| (entry.place, entry.tell.clone()))?
        };
        Some((place, tell()))
    }

    /// Those that are inside of a call right now.
    pub(crate) fn inside(&self) -> Vec<Calling> {
        let inside =
            |(id, entry): (&u64, &Entry)| entry.mark.call().map(|call| (*id, call, entry.place, entry.tell.clone()));
        let all: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).1.iter().filter_map(inside).collect();
        // what tells is others' code
        let tell = |tell: Tell| guard(|| tell()).unwrap_or_else(|_| Called::new("call", None));
        all.into_iter().map(|(id, call, place, told)| Calling { id, call, place, called: tell(told) }).collect()
    }
}
