//! [`WarningLimit`]: limits how often an ongoing problem is logged.

use std::time::Duration;
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(60);

/// When it was last logged.
#[derive(Default)]
pub(super) struct WarningLimit(Option<Instant>);

impl WarningLimit {
    /// Whether to log it now: at first, and then once a minute.
    pub(super) fn allow(&mut self) -> bool {
        let is_due = self.0.is_none_or(|logged_at| logged_at.elapsed() >= EVERY);
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
