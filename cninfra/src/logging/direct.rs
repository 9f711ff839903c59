//! [`Direct`]: the subscriber of a process, which prepares for spans only when there is one.

use super::{Loggers, libraries::Libraries, output::layer_of, sink::Sink};
use std::{io::Write as _, sync::OnceLock};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_core::span::Current;
use tracing_subscriber::{fmt::MakeWriter as _, layer::SubscriberExt as _, registry};

/// Writes records as the [layer](Output::layer) of its output does. The registry of `tracing-subscriber` keeps spans,
/// and its preparations for them are a good part of a start. So it is made for the first span, which most agents never
/// have. From then on, everything goes through it.
pub(super) struct Direct {
    /// For both ways of writing.
    sink: Sink,
    libraries: Libraries,
    spans: OnceLock<Box<dyn Subscriber + Send + Sync>>,
}

impl Direct {
    pub(super) fn new(sink: Sink, libraries: Option<Loggers>) -> Self {
        Direct { sink, libraries: Libraries(libraries), spans: OnceLock::new() }
    }

    fn with_spans(&self) -> &(dyn Subscriber + Send + Sync) {
        &**self.spans.get_or_init(|| Box::new(registry().with(layer_of(self.sink.clone(), self.libraries.0.clone()))))
    }
}

impl Subscriber for Direct {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.libraries.interest(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The filter of the layer remembers its answer for the event that follows.
        self.spans.get().map_or_else(|| self.libraries.is_on(metadata), |spans| spans.enabled(metadata))
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        self.spans.get().is_none_or(|spans| spans.event_enabled(event))
    }

    fn event(&self, event: &Event<'_>) {
        if let Some(spans) = self.spans.get() {
            return spans.event(event);
        }
        let mut line = String::with_capacity(256);
        if self.sink.lines().write(event, "", &mut line).is_ok() {
            // The sink remembers what it could not write.
            let _ = self.sink.make_writer_for(event.metadata()).write_all(line.as_bytes());
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.with_spans().new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.with_spans().record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.with_spans().record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.with_spans().enter(span);
    }

    fn exit(&self, span: &Id) {
        self.with_spans().exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.with_spans().clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.with_spans().try_close(id)
    }

    fn current_span(&self) -> Current {
        self.spans.get().map_or_else(Current::none, |spans| spans.current_span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::{Format, LogSettings, Output};
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tracing::{Dispatch, Span, dispatcher::with_default};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are written meanwhile, without their times.
    fn written(make: impl FnOnce(Output) -> Dispatch, run: impl FnOnce()) -> Vec<String> {
        let (written, loggers) = (Written::default(), Loggers::new("app", LogSettings::new()));
        let writer = written.clone();
        let output = Output::to(move || writer.clone()).format(Format::Text).libraries(&loggers);
        with_default(&make(output), run);
        let bytes = written.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn it_writes_as_the_layer_does_with_spans_and_before_there_are_any() {
        // While there is only one subscriber, a thread that does not use it disables every call site that it is the
        // first to reach.
        let _other = Dispatch::new(registry());
        let run = || {
            let log = Loggers::new("app", LogSettings::new()).get("http");
            log.info("before");
            tracing::debug!(target: "hyper", "off");
            assert!(Span::current().id().is_none());
            let span = tracing::info_span!(target: "x", "request", method = "GET");
            span.in_scope(|| {
                log.with("size", 1).warn("in a span");
                tracing::debug!(target: "hyper", "off, too");
                tracing::info!(target: "hyper", "of a library");
                assert_eq!(Span::current().id(), span.id());
                let again = span.clone();
                drop(again);
                tracing::info_span!(target: "x", "handler").in_scope(|| log.info("deeper"));
            });
            drop(span);
            assert!(Span::current().id().is_none());
            log.info("after");
        };
        let direct = written(|output| Dispatch::new(output.direct()), run);
        let layer = written(|output| Dispatch::new(registry().with(output.layer())), run);
        assert_eq!(direct, layer);
        assert_eq!(direct.len(), 5, "{direct:?}");
        assert!(direct[3].contains(r#"deeper in request{method=\"GET\"}:handler "#), "{direct:?}");
    }
}
