//! [`Callers`]: the callers of an agent's plugins, and the calls that they are in.

use super::Mark;
use crate::foreign::guard;
use std::{
    cell::Cell,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

thread_local! {
    /// The address of the mark of the caller that is inside a call on this thread.
    pub(super) static HERE: Cell<usize> = const { Cell::new(0) };
}

/// What a [`Caller`](super::Caller) is calling.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Called {
    /// What is called, so that the text can follow "the": ``handler of `GET /items` ``.
    pub what: String,
    /// The instance name of the plugin that the code belongs to; without one, it is the caller's own.
    pub owner: Option<String>,
}

impl Called {
    /// What is called, and the instance name of the plugin that it belongs to, if that is known.
    #[must_use]
    pub fn new(what: impl Into<String>, owner: Option<String>) -> Self {
        Called { what: what.into(), owner }
    }
}

pub(super) type Describe = Arc<dyn Fn() -> Called + Send + Sync>;

/// The callers of an agent's plugins.
#[derive(Default)]
pub(crate) struct Callers(Mutex<(u64, HashMap<u64, Entry>)>);

struct Entry {
    place: usize,
    mark: Mark,
    describe: Describe,
}

/// A caller that is inside a call.
pub(crate) struct CallerInCall {
    pub(crate) id: u64,
    /// The number of the call, which differs if the call has returned meanwhile.
    pub(crate) call: u64,
    pub(crate) place: usize,
    pub(crate) called: Called,
}

impl Callers {
    pub(super) fn enter(&self, place: usize, mark: Mark, describe: Describe) -> u64 {
        let (next, all) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next += 1;
        all.insert(*next, Entry { place, mark, describe });
        *next
    }

    pub(super) fn leave(&self, id: u64) {
        // Dropped after the lock is released.
        let _entry = self.0.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&id);
    }

    /// What is being called on this thread, and the place of the plugin that calls it.
    pub(crate) fn here(&self) -> Option<(usize, Called)> {
        let here = HERE.try_with(Cell::get).ok().filter(|here| *here != 0)?;
        let (place, describe) = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |entry: &&Entry| entry.mark.address() == here && entry.mark.call().is_some();
            all.1.values().find(is_it).map(|entry| (entry.place, entry.describe.clone()))?
        };
        Some((place, describe()))
    }

    /// The callers that are inside a call right now.
    pub(crate) fn in_calls(&self) -> Vec<CallerInCall> {
        let inside = |(id, entry): (&u64, &Entry)| {
            entry.mark.call().map(|call| (*id, call, entry.place, entry.describe.clone()))
        };
        let all: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).1.iter().filter_map(inside).collect();
        // `describe` is foreign code.
        let describe = |describe: Describe| guard(|| describe()).unwrap_or_else(|_| Called::new("call", None));
        all.into_iter()
            .map(|(id, call, place, describe_call)| CallerInCall { id, call, place, called: describe(describe_call) })
            .collect()
    }
}
