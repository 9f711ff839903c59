//! [`Slowest`]: the longest call of a task, if that is measured.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The longest call of a task, with the place of its plugin and its name. For `cninfra::testing`.
#[derive(Debug, Default)]
pub(crate) struct Slowest(Mutex<Option<(usize, &'static str, Duration)>>);

impl Slowest {
    pub(super) fn put(&self, place: usize, task: &'static str, took: Duration) {
        let mut slowest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slowest.is_none_or(|(_, _, longest)| longest < took) {
            *slowest = Some((place, task, took));
        }
    }

    /// The plugin's place, the task's name, and the duration.
    #[cfg(feature = "testing")]
    pub(crate) fn get(&self) -> Option<(usize, &'static str, Duration)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
