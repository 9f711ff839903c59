//! [`Output`]: where the records of a process go.

use super::{Format, Loggers, Record, direct::Direct, libraries::Libraries, record::Parts, sink::Sink};
use std::{
    ffi::OsStr,
    fmt,
    io::{self, IsTerminal as _},
    sync::{Arc, PoisonError, RwLock},
};
use tracing::{Event, Subscriber};
use tracing_log::{LogTracer, log};
use tracing_subscriber::{
    Layer,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
        format::Writer,
        time::{FormatTime as _, SystemTime},
        writer::BoxMakeWriter,
    },
    registry::LookupSpan,
};

/// Where the records of a process go, and how they are written, for all its agents and its libraries.
///
/// `Agent::main` installs one. A program that embeds agents installs one itself, or adds the [layer](Output::layer) to
/// its own subscriber.
///
/// ```
/// use cninfra::logging::{Format, Loggers, LogSettings, Output};
///
/// let loggers = Loggers::new("phonebook", LogSettings::new());
/// Output::stderr().format(Format::Json).libraries(&loggers).install();
/// loggers.get("store").info("is open");
/// ```
#[must_use = "nothing is written before it is installed"]
pub struct Output {
    format: SharedFormat,
    writer: BoxMakeWriter,
    colour: bool,
    libraries: Option<Loggers>,
}

/// A format that may be replaced when the config has been read.
#[derive(Clone, Default)]
pub(crate) struct SharedFormat(Arc<RwLock<Format>>);

impl SharedFormat {
    pub(crate) fn set(&self, format: Format) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = format;
    }

    /// Returns a copy, so that no lock is held while a record is written.
    fn get(&self) -> Format {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Output {
    /// Text on standard error, in colour on a terminal unless the variable `NO_COLOR` is set. A closed reader or a full
    /// disk does not stop the program: what cannot be written is lost. See [`Output::to`].
    pub fn stderr() -> Self {
        Output::stderr_unless(std::env::var_os("NO_COLOR"))
    }

    /// Like [`stderr`](Self::stderr), with the value of `NO_COLOR`.
    pub(crate) fn stderr_unless(no_colour: Option<impl AsRef<OsStr>>) -> Self {
        // The lock is held for a record together with what has to be written before it.
        Output::to(|| io::stderr().lock()).colour(is_coloured(io::stderr().is_terminal(), no_colour))
    }

    /// Text without colour, to any writer.
    ///
    /// A writer may refuse a record, as a full disk or a pipe with a slow reader does. The record is lost. The next
    /// record that is written is preceded by a warning that says how many were lost, since when and why. If a record
    /// was written in part, its rest is written first: no line is torn. If several threads log, the writer that
    /// `writer` makes holds a lock for that, as the writer of a `Mutex` does.
    pub fn to(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> Self {
        Output { format: SharedFormat::default(), writer: BoxMakeWriter::new(writer), colour: false, libraries: None }
    }

    /// How records are written. Default: [`Format::Text`].
    pub fn format(self, format: Format) -> Self {
        self.format.set(format);
        self
    }

    /// Whether text is written in colour.
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// Applies the levels of these loggers to libraries, too, by the names of their modules: `hyper`, `hyper::proto`,
    /// `h2*`. Without this call, libraries are logged from `info` on. That is also so if only the default level is
    /// lower.
    pub fn libraries(mut self, loggers: &Loggers) -> Self {
        self.libraries = Some(loggers.clone());
        self
    }

    pub(crate) fn shared_format(&self) -> SharedFormat {
        self.format.clone()
    }

    /// A layer for a subscriber of your own. It does not change what other layers see.
    pub fn layer<S>(self) -> impl Layer<S> + Send + Sync
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let (sink, libraries) = self.sink();
        if let Some(loggers) = &libraries {
            loggers.use_for_libraries();
        }
        layer_of(sink, libraries)
    }

    /// A subscriber that makes the layer only when there is a span.
    pub(super) fn direct(self) -> Direct {
        let (sink, libraries) = self.sink();
        Direct::new(sink, libraries)
    }

    fn sink(self) -> (Sink, Option<Loggers>) {
        let Output { format, writer, colour, libraries } = self;
        (Sink::new(Lines { format, colour }, writer), libraries)
    }

    /// Makes it the log of this process. If the process has one already, that one stays, and `false` is returned, so it
    /// may be called more than once.
    #[expect(clippy::must_use_candidate, reason = "who came first does not matter to most")]
    pub fn install(self) -> bool {
        let loggers = self.libraries.clone();
        if let Some(loggers) = &loggers {
            loggers.use_for_libraries();
        }
        let installed = tracing::subscriber::set_global_default(self.direct()).is_ok();
        // For libraries that log through the crate `log`: if that has a logger already, their records still go there.
        if installed && LogTracer::init().is_ok() {
            match loggers {
                Some(loggers) => loggers.use_for_log_crate(),
                None => log::set_max_level(log::LevelFilter::Info),
            }
        }
        installed
    }
}

/// The layer that writes to this sink.
pub(super) fn layer_of<S>(sink: Sink, libraries: Option<Loggers>) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .event_format(sink.lines().clone())
        .with_writer(sink)
        // The format writes colours. Those of the layer need a feature, without which it panics.
        .with_ansi(false)
        .log_internal_errors(false)
        .with_filter(Libraries(libraries))
}

/// By the convention of no-color.org, an empty variable counts as not set.
fn is_coloured(is_terminal: bool, no_colour: Option<impl AsRef<OsStr>>) -> bool {
    is_terminal && no_colour.is_none_or(|value| value.as_ref().is_empty())
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("format", &self.format.get())
            .field("colour", &self.colour)
            .finish_non_exhaustive()
    }
}

/// A format, with or without colour.
#[derive(Clone)]
pub(super) struct Lines {
    format: SharedFormat,
    colour: bool,
}

impl Lines {
    /// Writes an event as a record, with the spans that enclose it.
    pub(super) fn write(&self, event: &Event<'_>, span: &str, writer: &mut dyn fmt::Write) -> fmt::Result {
        let parts = Parts::of(event);
        let record = Record {
            time: &now()?,
            level: parts.level,
            agent: &parts.agent,
            logger: &parts.logger,
            message: &parts.message,
            location: &parts.location,
            fields: &parts.fields,
            span,
        };
        self.write_record(&record, writer)
    }

    pub(super) fn write_record(&self, record: &Record<'_>, writer: &mut dyn fmt::Write) -> fmt::Result {
        self.format.get().write(record, self.colour, writer)
    }
}

/// The current time, in the form of a record.
pub(super) fn now() -> std::result::Result<String, fmt::Error> {
    let mut time = String::with_capacity(32);
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    Ok(time)
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, cx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut spans = Vec::new();
        for span in cx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().filter(|fields| !fields.is_empty());
            spans.push(fields.map_or_else(|| span.name().to_string(), |fields| format!("{}{{{fields}}}", span.name())));
        }
        self.write(event, &spans.join(":"), &mut writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals() {
        assert!(is_coloured(true, None::<&str>) && is_coloured(true, Some("")));
        assert!(!is_coloured(true, Some("1")) && !is_coloured(false, None::<&str>));
    }
}
