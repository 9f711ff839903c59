//! [`Libraries`]: the filter of an output.

use super::{Level, Loggers, record::is_ours};
use tracing::{Metadata, Subscriber, subscriber::Interest};
use tracing_subscriber::layer::{Context, Filter};

/// Lets through all events of loggers, whose level was checked already, and those of libraries that the levels for
/// their targets allow.
pub(super) struct Libraries(pub(super) Option<Loggers>);

impl Libraries {
    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        let from = self.0.as_ref().map_or(Level::Info, |loggers| loggers.of_library(metadata.target()));
        Level::from(*metadata.level()) >= from
    }

    pub(super) fn is_on(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) || self.lets_through(metadata)
    }

    /// The answer is cached for each call site, so that a disabled one costs nothing. A change of levels clears the
    /// cache.
    pub(super) fn interest(&self, metadata: &Metadata<'_>) -> Interest {
        // All libraries that log through the crate `log` share this call site, so each of their records is checked.
        if metadata.target() == "log" && metadata.fields().field("log.target").is_some() {
            return Interest::sometimes();
        }
        if self.is_on(metadata) { Interest::always() } else { Interest::never() }
    }
}

impl<S: Subscriber> Filter<S> for Libraries {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.is_on(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.interest(metadata)
    }
}
