//! [`Who`]: the plugin whose code is being called on a thread.

use crate::{Phase, graph::Node};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<Option<Who>> = const { Cell::new(None) };
}

/// The part of a plugin that is called.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    /// The plugin's instance name.
    pub(crate) plugin: &'static str,
    pub(crate) phase: Option<Phase>,
    pub(crate) task: Option<&'static str>,
}

impl Who {
    pub(crate) fn step(node: &Node, phase: Phase) -> Self {
        Who { plugin: node.instance(), phase: Some(phase), task: None }
    }

    pub(crate) fn task(plugin: &'static str, task: &'static str) -> Self {
        Who { plugin, phase: None, task: Some(task) }
    }

    /// Sets this as the current call of this thread, until the returned value is dropped.
    pub(crate) fn is_called(self) -> impl Drop {
        Called(NOW.try_with(|now| now.replace(Some(self))).ok().flatten())
    }

    /// The current call of this thread.
    pub(crate) fn now() -> Option<Who> {
        NOW.try_with(Cell::get).ok().flatten()
    }
}

/// The call that was current before.
struct Called(Option<Who>);

impl Drop for Called {
    fn drop(&mut self) {
        // A thread that is ending has no thread-locals any more.
        let _ = NOW.try_with(|now| now.set(self.0));
    }
}
