//! The outputs of records, including those of libraries.

use super::written::{Written, objects};
use cninfra::logging::{Format, Level, LogSettings, Loggers, Output};
use std::sync::{Arc, Mutex};
use tracing::Subscriber;
use tracing_log::log;
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry,
};

fn libraries() {
    tracing::warn!(target: "hyper::proto", size = 1, "from hyper");
    tracing::info!(target: "hyper::proto", "also from hyper");
    tracing::debug!(target: "h2::codec", "from h2");
}

fn said(loggers: &Loggers) -> Vec<String> {
    let ((), text) = Written::during(|output| output.format(Format::Json).libraries(loggers), libraries);
    objects(&text)
        .iter()
        .map(|object| format!("{} {}", object["logger"].as_str().unwrap(), object["msg"].as_str().unwrap()))
        .collect()
}

/// Each agent writes with colour if standard error is a terminal.
#[test]
fn colour_is_written_where_it_is_wanted() {
    let loggers = Loggers::new("painter", LogSettings::new());
    let say = || loggers.get("brush").warn("wet");
    let ((), plain) = Written::during(|output| output, say);
    let ((), coloured) = Written::during(|output| output.colour(true), say);
    assert!(plain.contains("wet") && !plain.contains('\x1b'), "{plain}");
    assert!(coloured.contains("wet") && coloured.contains("\x1b[33m"), "{coloured}");
}

#[test]
fn libraries_have_levels_by_their_modules() {
    let loggers = Loggers::new("app", LogSettings::new().default_level(Level::Trace));
    assert_eq!(said(&loggers), ["hyper::proto from hyper", "hyper::proto also from hyper"], "from `info` on");
    loggers.set("h2*", Level::Debug).unwrap();
    loggers.set("hyper", Level::Warn).unwrap();
    assert_eq!(said(&loggers), ["hyper::proto from hyper", "h2::codec from h2"]);
    loggers.set("*", Level::Error).unwrap();
    loggers.reset("hyper").unwrap();
    assert_eq!(said(&loggers), ["h2::codec from h2"]);
}

#[test]
fn a_level_of_a_library_holds_at_once() {
    // The same call site, in one output.
    let loggers = Loggers::new("app", LogSettings::new());
    let ((), text) = Written::during(
        |output| output.libraries(&loggers),
        || {
            for level in [None, Some(Level::Trace), None] {
                match level {
                    Some(level) => loggers.set("driver", level).unwrap(),
                    None => assert!(loggers.reset("driver").is_ok()),
                }
                tracing::debug!(target: "driver", "level {level:?}");
            }
        },
    );
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("DEBUG driver: level Some(Trace) (logging/outputs.rs:"), "{text}");
}

/// A host's own layer.
struct Host(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Host {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let names: Vec<_> = event.metadata().fields().iter().map(|field| field.name()).collect();
        self.0.lock().unwrap().push(format!("{} {}", event.metadata().level(), names.join(",")));
    }
}

#[test]
fn a_host_has_its_own_layers_beside_it() {
    let (written, seen) = (Written::default(), Arc::default());
    let subscriber = registry().with(Output::to(written.clone()).layer()).with(Host(Arc::clone(&seen)));
    let log = Loggers::new("app", LogSettings::new()).get("store");
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug!(target: "h2", "the host wants it, the output does not");
        cninfra::info!(log, peer = 1, "both want it");
        cninfra::debug!(log, "nobody is asked");
    });
    assert_eq!(*seen.lock().unwrap(), ["DEBUG message", "INFO message,agent,logger,with,peer"]);
    assert_eq!(written.text().lines().count(), 1, "{}", written.text());
}

#[test]
fn spans_are_told() {
    let log = Loggers::new("app", LogSettings::new()).get("http");
    let ((), text) = Written::during(
        |output| output,
        || {
            let _outer = tracing::info_span!(target: "x", "request", method = "GET").entered();
            let _inner = tracing::info_span!(target: "x", "handler").entered();
            log.info("in spans");
        },
    );
    assert!(text.contains("http: in spans in request{method=\\\"GET\\\"}:handler (logging/outputs.rs:"), "{text}");
}

#[test]
fn a_process_has_one_output() {
    let written = Written::default();
    let loggers = Loggers::new("app", LogSettings::new());
    let first = Output::to(written.clone()).libraries(&loggers).install();
    let second = Output::to(std::io::sink).install();
    // No other test of this process installs an output.
    assert!(first && !second);
    Loggers::new("app", LogSettings::new()).get("store").info("to the first one");
    std::thread::spawn(|| Loggers::new("two", LogSettings::new()).get("store").info("from any thread")).join().unwrap();
    // Records of the crate `log` have levels, too.
    log::info!(target: "driver::net", "from {}", "log");
    log::debug!(target: "driver::net", "not heard");
    loggers.set("driver", Level::Debug).unwrap();
    log::debug!(target: "driver::net", "heard");
    log::debug!(target: "other", "not heard");
    loggers.reset("driver").unwrap();
    log::debug!(target: "driver::net", "not heard");
    let text = written.text();
    let driver: Vec<_> = text.lines().filter(|line| line.contains("driver::net")).collect();
    assert!(
        driver[0].contains("INFO  driver::net: from log (logging/outputs.rs:"),
        "without fields of its own: {text}"
    );
    assert!(driver[1].contains("DEBUG driver::net: heard (logging/outputs.rs:") && driver.len() == 2, "{text}");
    assert!(!text.contains("not heard") && log::max_level() == log::LevelFilter::Info, "{text}");
    assert!(text.contains("to the first one") && text.contains("agent=two"), "{text}");
}
