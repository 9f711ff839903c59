//! [`Record`]: one record of the log, and how it is read from an event.

use super::Level;
use crate::foreign;
use serde_json::Value;
use std::{borrow::Cow, error::Error, fmt};
use tracing::{
    Event, Metadata,
    field::{Field, Visit},
};
use tracing_log::NormalizeEvent as _;

/// The module with the methods of [`Logger`](super::Logger).
const METHODS: &str = "cninfra::logging::logger";

/// One record of the log, as a [custom format](super::Format::custom) receives it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// The time: RFC 3339, in UTC, with microseconds.
    pub time: &'a str,
    /// Its severity.
    pub level: Level,
    /// The agent that logged it; empty for a library.
    pub agent: &'a str,
    /// The name of the logger; for a library, its module.
    pub logger: &'a str,
    /// The text.
    pub message: &'a str,
    /// The file, from the folder of its crate, and the line: `rest/src/plugin.rs:42`.
    pub location: &'a str,
    /// The fields by name: those of the logger, then those of the record.
    pub fields: &'a [(Cow<'static, str>, Value)],
    /// The enclosing spans, from the outermost: their names, each with its fields.
    pub span: &'a str,
}

/// The parts of a record, as read from an event.
pub(super) struct Parts {
    pub(super) agent: String,
    pub(super) logger: String,
    pub(super) message: String,
    pub(super) location: String,
    pub(super) fields: Vec<(Cow<'static, str>, Value)>,
    pub(super) level: Level,
    /// Whether it is an event of the crate `log`.
    of_log_crate: bool,
    /// The number of fields that the logger has added. Fields of the record may have the same names, but come later.
    logger_fields: usize,
}

/// Whether it is an event of a [`Logger`](super::Logger), whose level was checked already.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    // `tracing` puts the message before all fields.
    let mut names = metadata.fields().iter().map(|field| field.name()).skip_while(|name| *name == "message");
    names.next() == Some("agent") && names.next() == Some("logger")
}

/// The number of fields before those of the record itself.
fn leading_fields(metadata: &Metadata<'_>) -> usize {
    let text = metadata.fields().iter().take_while(|field| field.name() == "message").count();
    // `agent`, `logger`, `with`; methods add where they were called, which macros need not, since they expand there.
    text + 3 + usize::from(metadata.module_path() == Some(METHODS))
}

impl Parts {
    pub(super) fn of(event: &Event<'_>) -> Self {
        // Events of the crate `log` have their metadata in fields.
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or(event.metadata());
        let mut parts = Parts {
            agent: String::new(),
            logger: String::new(),
            message: String::new(),
            location: String::new(),
            fields: Vec::new(),
            level: (*metadata.level()).into(),
            of_log_crate: normalized.is_some(),
            logger_fields: if is_ours(metadata) { leading_fields(metadata) } else { 0 },
        };
        event.record(&mut parts);
        if parts.logger.is_empty() {
            parts.logger = metadata.target().to_string();
        }
        if parts.location.is_empty()
            && let (Some(file), Some(line)) = (metadata.file(), metadata.line())
        {
            let file = in_crate(file);
            parts.location.reserve(file.len() + 6);
            parts.location.push_str(file);
            // Writing to a string does not fail.
            let _ = fmt::Write::write_fmt(&mut parts.location, format_args!(":{line}"));
        }
        parts
    }

    fn put(&mut self, field: &Field, value: Value) {
        // These fields of the crate `log` are in the metadata already.
        if self.of_log_crate && field.name().starts_with("log.") {
            return;
        }
        self.fields.push((Cow::Borrowed(field.name()), value));
    }

    fn is_ours(&self, field: &Field) -> bool {
        field.index() < self.logger_fields
    }
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "agent" if self.is_ours(field) => self.agent.push_str(value),
            "logger" if self.is_ours(field) => self.logger.push_str(value),
            "message" => self.message.push_str(value),
            _ => self.put(field, value.into()),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write as _;
        match field.name() {
            // Writing to a string fails only if a `Debug` of the user does, and then what it wrote is kept.
            "message" => drop(write!(self.message, "{value:?}")),
            "loc" if self.is_ours(field) => self.location = in_crate(&format!("{value:?}")).to_string(),
            "with" if self.is_ours(field) => {
                if let Ok(Value::Object(fields)) = serde_json::from_str(&format!("{value:#?}")) {
                    self.fields.extend(fields.into_iter().map(|(key, value)| (Cow::Owned(key), value)));
                }
            }
            _ => {
                let mut text = String::new();
                let _ = write!(text, "{value:?}");
                self.put(field, text.into());
            }
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, foreign::texts(value).join(": ").into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity and no NaN.
        self.put(field, serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// The path from the folder of the crate on: `rest/src/plugin.rs`.
fn in_crate(path: &str) -> &str {
    let is_slash = |char: char| matches!(char, '/' | '\\');
    let inside = path.rfind("/src/").or_else(|| path.rfind("\\src\\")).or_else(|| path.rfind(is_slash));
    let start = inside.map(|at| path[..at].rfind(is_slash).map_or(0, |slash| slash + 1));
    &path[start.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_begins_with_its_crate() {
        for (path, location) in [
            ("plugins/rest/src/plugin.rs:42", "rest/src/plugin.rs:42"),
            ("/home/me/.cargo/registry/src/index/hyper-1.0.0/src/proto/h1.rs", "hyper-1.0.0/src/proto/h1.rs"),
            ("src/main.rs", "src/main.rs"),
            ("/a/app/src/main.rs", "app/src/main.rs"),
            ("app/tests/it/main.rs", "it/main.rs"),
            ("C:\\a\\app\\src\\main.rs", "app\\src\\main.rs"),
            ("main.rs", "main.rs"),
        ] {
            assert_eq!(in_crate(path), location);
        }
    }
}
