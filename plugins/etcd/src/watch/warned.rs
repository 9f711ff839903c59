//! [`Warned`]: limits how often an ongoing problem is logged.

use std::time::Duration;
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(60);

/// When it was last logged.
#[derive(Default)]
pub(super) struct Warned(Option<Instant>);

impl Warned {
    /// Whether to log it now: at first, and then once a minute.
    pub(super) fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|told| told.elapsed() >= EVERY);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }

    /// The problem is over.
    pub(super) fn reset(&mut self) {
        self.0 = None;
    }
}
