//! The text and the fields of records.

use super::written::{Written, objects};
use cninfra::{
    logging::{Format, Level, LogSettings, Loggers},
    prelude::*,
};
use serde_json::json;
use std::{cell::Cell, fmt};

fn logger(level: Level) -> Logger {
    Loggers::new("vpp1", LogSettings::new().default_level(level)).get("store")
}

#[test]
fn a_record_has_text_and_fields() {
    let log = logger(Level::Trace);
    let (peer, attempt) = ("10.0.0.1:2379", 3_u32);
    let ((), text) = Written::during(
        |output| output.format(Format::Json),
        || {
            info!(log, "connects to {peer}");
            warn!(log, attempt, peer = %peer, found = ?Some(1), ratio = 0.5, ok = true, "slow: {} of {n}", 1, n = 2);
            debug!(log.child("watch"), lag = -1, "behind");
            error!(log, error = &std::io::Error::other("gone") as &dyn std::error::Error, "lost");
            info!(log, log.size = 7, other = 8, "a field like one of the crate `log`");
            trace!(log, logger = "mine", level = "mine too", loc = "mine as well", "named as ours");
        },
    );
    let [connects, slow, behind, lost, dotted, named] = &objects(&text)[..] else { panic!("{text}") };
    let is = |object: &serde_json::Value, keys: serde_json::Value| {
        for (key, value) in keys.as_object().unwrap() {
            assert_eq!(&object[key], value, "{key} of {object}");
        }
    };
    is(connects, json!({"level": "info", "agent": "vpp1", "logger": "store", "msg": "connects to 10.0.0.1:2379"}));
    is(
        slow,
        json!({"level": "warn", "msg": "slow: 1 of 2", "attempt": 3, "peer": "10.0.0.1:2379", "found": "Some(1)"}),
    );
    is(slow, json!({"ratio": 0.5, "ok": true}));
    is(behind, json!({"level": "debug", "logger": "store.watch", "lag": -1}));
    is(lost, json!({"level": "error", "error": "gone"}));
    is(dotted, json!({"log.size": 7, "other": 8}));
    is(
        named,
        json!({"level": "trace", "logger": "store", "fields.logger": "mine", "fields.level": "mine too", "fields.loc": "mine as well"}),
    );
    for object in [connects, slow, behind, lost, dotted, named] {
        let loc = object["loc"].as_str().unwrap();
        assert!(loc.starts_with("logging/macros.rs:"), "{loc}");
    }
}

#[test]
fn a_logger_has_fields_of_its_own() {
    let log = logger(Level::Info).with("peer", "a b").with("n", 1);
    let run = || {
        log.with("n", 2).child("watch").info("from a method");
        info!(log, n = 3, "from a macro");
        logger(Level::Info).info("without");
    };
    let ((), text) = Written::during(|output| output, run);
    let [method, macros, without] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(method.contains(r#"INFO  store.watch: from a method n=2 peer="a b" (logging/macros.rs:"#), "{method}");
    assert!(macros.contains(r#"store: from a macro n=1 peer="a b" n=3 (logging/"#), "{macros}");
    assert!(without.contains("store: without (logging/"), "{without}");
    let ((), text) = Written::during(|output| output.format(Format::Json), run);
    let values: Vec<_> = objects(&text).iter().map(|object| (object["peer"].clone(), object["n"].clone())).collect();
    assert_eq!(values, [(json!("a b"), json!(2)), (json!("a b"), json!(3)), (json!(null), json!(null))]);
}

#[test]
fn methods_say_where_they_are_called() {
    let log = logger(Level::Info);
    let ((), text) = Written::during(|output| output, || log.info("here"));
    let line = line!() - 1;
    assert!(text.contains(&format!("(logging/macros.rs:{line}) ")), "{text}");
}

#[test]
fn a_secret_stays_one() {
    let secret = cninfra::config::Secret::new("hunter2".to_string());
    let log = logger(Level::Trace).with("password", &secret).with("all", [("key", &secret)]);
    for format in [Format::Text, Format::Json] {
        let ((), text) = Written::during(
            |output| output.format(format),
            || {
                log.info(&secret);
                info!(log, %secret, debugged = ?secret, "it is {secret} {:?}", Some(&secret));
                log.child("x").error(format_args!("{secret:?}"));
            },
        );
        assert!(text.lines().count() == 3 && text.matches("***").count() >= 10 && !text.contains("hunter2"), "{text}");
    }
}

/// Counts how often it is formatted.
struct Counted<'a>(&'a Cell<u32>);

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        f.write_str("counted")
    }
}

#[test]
fn what_is_off_is_neither_formatted_nor_computed() {
    let (log, formatted, computed) = (logger(Level::Warn), Cell::new(0), Cell::new(0));
    let ((), text) = Written::during(
        |output| output,
        || {
            log.info(Counted(&formatted));
            debug!(
                log,
                field = {
                    computed.set(computed.get() + 1);
                    1
                },
                "{}",
                Counted(&formatted)
            );
            assert_eq!((formatted.get(), computed.get()), (0, 0));
            log.warn(Counted(&formatted));
            warn!(
                log,
                field = {
                    computed.set(computed.get() + 1);
                    1
                },
                "{}",
                Counted(&formatted)
            );
        },
    );
    assert_eq!((formatted.get(), computed.get(), text.lines().count()), (2, 1, 2), "{text}");
}
