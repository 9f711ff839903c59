//! [`Refused`]: the mistakes in config files that have changed while the agent runs.

use std::sync::{Arc, Mutex, PoisonError};

/// The mistakes in what was refused last; empty while the files say what is in force.
#[derive(Default)]
pub(crate) struct Refused(Mutex<Arc<[String]>>);

impl Refused {
    pub(crate) fn now(&self) -> Arc<[String]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, mistakes: Vec<String>) {
        let mistakes = mistakes.into();
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), mistakes);
        drop(before);
    }
}
