//! [`Libraries`]: which events are let through.

use super::{Level, Loggers, record::is_ours};
use tracing::{Metadata, Subscriber, subscriber::Interest};
use tracing_subscriber::layer::{Context, Filter};

/// All events of loggers, whose level was asked already; and those of libraries, as far as the levels for their targets go.
pub(super) struct Libraries(pub(super) Option<Loggers>);

impl Libraries {
    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        let from = self.0.as_ref().map_or(Level::Info, |loggers| loggers.of_library(metadata.target()));
        Level::from(*metadata.level()) >= from
    }

    pub(super) fn is_on(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) || self.lets_through(metadata)
    }

    /// It is kept for each call site, so that one that is off costs nothing; a change of levels has it asked anew.
    pub(super) fn interest(&self, metadata: &Metadata<'_>) -> Interest {
        // one call site for all libraries that speak through the crate `log`: each of their records is asked about
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
