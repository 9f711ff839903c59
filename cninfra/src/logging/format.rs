//! [`Format`]: how a record is written.

use super::{
    Level, Record,
    fields::{write_text, write_value},
};
use crate::marks::{escaped_in_json, is_mark};
use serde_json::Value;
use std::{
    borrow::Cow,
    fmt::{self, Write},
    sync::Arc,
};

/// How a record is written.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Format {
    /// A line for people:
    /// `2026-11-26T12:08:51.123456Z INFO  http: listens on [::]:9191 tls=false (rest/src/plugin.rs:42) agent=vpp1`.
    ///
    /// Further lines of a text, and the backtrace of a panic, follow it, indented. Other control characters are
    /// escaped, and so are characters that change the direction of text: logged text cannot forge a record.
    #[default]
    Text,
    /// A JSON object on one line, with the predecessor's keys `time`, `level`, `logger`, `msg` and `loc`, then `agent`,
    /// `span` and the record's fields. A field with one of these names becomes `fields.<name>`.
    Json,
    /// A format of the program: see [`Format::custom`].
    #[doc(hidden)]
    Custom(Custom),
}

/// The field for the backtrace of a panic: as text it has lines of its own, below the record.
pub(crate) const BACKTRACE: &str = "backtrace";

type Write_ = dyn Fn(&Record<'_>, &mut dyn Write) -> fmt::Result + Send + Sync;

/// A function that writes records.
#[derive(Clone)]
pub struct Custom(Arc<Write_>);

impl Format {
    /// A format of your own: `write` writes each record, which gets a line of its own.
    ///
    /// ```
    /// use cninfra::logging::Format;
    ///
    /// let format = Format::custom(|record, to| write!(to, "{:5} {}: {}", record.level, record.logger, record.message));
    /// # let _ = format;
    /// ```
    pub fn custom(write: impl Fn(&Record<'_>, &mut dyn Write) -> fmt::Result + Send + Sync + 'static) -> Self {
        Format::Custom(Custom(Arc::new(write)))
    }

    pub(super) fn write(&self, record: &Record<'_>, colour: bool, to: &mut dyn Write) -> fmt::Result {
        match self {
            Format::Text => text(record, colour, to)?,
            Format::Json => json(record, to)?,
            Format::Custom(Custom(write)) => write(record, to)?,
        }
        to.write_char('\n')
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Text => "Text",
            Format::Json => "Json",
            Format::Custom(_) => "Custom",
        })
    }
}

fn text(record: &Record<'_>, colour: bool, to: &mut dyn Write) -> fmt::Result {
    let (dim, bright, end) = if colour { ("\x1b[2m", bright(record.level), "\x1b[0m") } else { ("", "", "") };
    let level = padded(record.level);
    for part in [dim, record.time, end, " ", bright, level, end, " ", dim] {
        to.write_str(part)?;
    }
    // The target of a library may be any text, and so may the name of a file.
    line(record.logger, to)?;
    for part in [":", end, " "] {
        to.write_str(part)?;
    }
    // Everything that belongs to a message of several lines is on its first one.
    let (first, rest) = record.message.trim_end().split_once('\n').unwrap_or((record.message.trim_end(), ""));
    line(first, to)?;
    for (key, value) in record.fields.iter().filter(|field| below(field).is_none()) {
        to.write_str(" ")?;
        to.write_str(dim)?;
        write_text(to, key)?;
        to.write_str("=")?;
        to.write_str(end)?;
        write_value(to, value)?;
    }
    to.write_str(dim)?;
    if !record.span.is_empty() {
        write!(to, " in {}", record.span.escape_debug())?;
    }
    if !record.location.is_empty() {
        to.write_str(" (")?;
        line(record.location, to)?;
        to.write_str(")")?;
    }
    if !record.agent.is_empty() {
        write!(to, " agent={}", record.agent.escape_debug())?;
    }
    to.write_str(end)?;
    for text in rest.lines() {
        to.write_str(if text.starts_with("  ") { "\n" } else { "\n  " })?;
        line(text, to)?;
    }
    for text in record.fields.iter().filter_map(below).flat_map(str::lines) {
        to.write_str("\n  ")?;
        line(text, to)?;
    }
    Ok(())
}

/// The text of a field that has lines of its own, below the record.
fn below<'a>((key, value): &'a (Cow<'static, str>, Value)) -> Option<&'a str> {
    (key == BACKTRACE).then(|| value.as_str()).flatten()
}

fn line(text: &str, to: &mut dyn Write) -> fmt::Result {
    // Most texts have only plain characters, which need not be examined one by one.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return to.write_str(text);
    }
    let mut rest = text;
    while let Some(at) = rest.find(|char: char| is_mark(char) && char != '\t') {
        let (plain, control) = rest.split_at(at);
        let mut chars = control.chars();
        write!(to, "{plain}{}", chars.next().unwrap_or_default().escape_debug())?;
        rest = chars.as_str();
    }
    to.write_str(rest)
}

/// Padded, so that levels form a column.
const fn padded(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARN ",
        Level::Info => "INFO ",
        Level::Debug => "DEBUG",
        Level::Trace => "TRACE",
    }
}

const fn bright(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug => "\x1b[34m",
        Level::Trace => "\x1b[35m",
    }
}

fn json(record: &Record<'_>, to: &mut dyn Write) -> fmt::Result {
    const KEYS: [&str; 7] = ["time", "level", "logger", "msg", "loc", "agent", "span"];
    let Record { time, logger, message, location, agent, span, .. } = record;
    let values = [*time, record.level.as_str(), *logger, *message, *location, *agent, *span];
    let mut separator = "{\"";
    for (key, value) in KEYS.into_iter().zip(values) {
        // The predecessor's keys are always written, except for a location that is not known.
        if !value.is_empty() || !matches!(key, "agent" | "span" | "loc") {
            to.write_str(separator)?;
            to.write_str(key)?;
            to.write_str("\":")?;
            quoted(value, to)?;
            separator = ",\"";
        }
    }
    for (at, (key, value)) in record.fields.iter().enumerate() {
        // Of several fields with the same name only the last is written, since a key occurs once in an object.
        if record.fields[at + 1..].iter().any(|(later, _)| later == key) {
            continue;
        }
        to.write_char(',')?;
        if KEYS.contains(&&**key) {
            quoted(&format!("fields.{key}"), to)?
        } else {
            quoted(key, to)?
        }
        to.write_char(':')?;
        match value {
            Value::String(text) => quoted(text, to)?,
            _ => to.write_str(&escaped_in_json(&value.to_string()))?,
        }
    }
    to.write_char('}')
}

/// Writes a text as JSON.
fn quoted(text: &str, to: &mut dyn Write) -> fmt::Result {
    // The bytes of longer characters need no escape, except for the first bytes of characters that may be marks.
    let may_need_more = |byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f | 0xc2 | 0xd8 | 0xe2);
    if text.bytes().any(may_need_more) {
        return to.write_str(&escaped_in_json(&Value::from(text).to_string()));
    }
    to.write_char('"')?;
    to.write_str(text)?;
    to.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(message: &'a str, fields: &'a [(Cow<'static, str>, Value)]) -> Record<'a> {
        Record {
            time: "2026-11-26T12:08:51.123456Z",
            level: Level::Warn,
            agent: "vpp1",
            logger: "etcd.watch",
            message,
            location: "etcd/src/watch.rs:42",
            fields,
            span: "",
        }
    }

    fn written(format: &Format, record: &Record<'_>, colour: bool) -> String {
        let mut text = String::new();
        format.write(record, colour, &mut text).unwrap();
        text
    }

    #[test]
    fn a_line_for_people() {
        let fields = [("attempt".into(), 3.into()), ("why".into(), "went away".into())];
        assert_eq!(
            written(&Format::Text, &record("lost\nthe store\n    is gone\n", &fields), false),
            "2026-11-26T12:08:51.123456Z WARN  etcd.watch: lost attempt=3 why=\"went away\" (etcd/src/watch.rs:42) agent=vpp1\n  \
             the store\n    is gone\n"
        );
        let coloured = written(&Format::Text, &record("lost", &[]), true);
        assert!(coloured.contains("\x1b[33mWARN \x1b[0m") && coloured.ends_with("\x1b[0m\n"), "{coloured:?}");
    }

    #[test]
    fn the_way_to_a_panic_has_lines_of_its_own() {
        let way = "   0: app::open\n             at ./src/main.rs:7:9\r\n   1: app::main";
        let fields = [("backtrace".into(), way.into()), ("phase".into(), "init".into())];
        let text = written(&Format::Text, &record("panicked\nbadly", &fields), false);
        assert_eq!(
            text,
            "2026-11-26T12:08:51.123456Z WARN  etcd.watch: panicked phase=init (etcd/src/watch.rs:42) agent=vpp1\n  badly\n     \
             0: app::open\n               at ./src/main.rs:7:9\n     1: app::main\n"
        );
        let object: Value = serde_json::from_str(&written(&Format::Json, &record("panicked", &fields), false)).unwrap();
        assert_eq!(object["backtrace"], way);
    }

    #[test]
    fn nobody_forges_a_record() {
        let text = "x\r\n2026-11-26T12:08:51.123456Z INFO  http: all is well\r\x1b[2J";
        let fields = [("user".into(), "a\nb".into())];
        let written = written(&Format::Text, &record(text, &fields), false);
        assert!(written.lines().skip(1).all(|line| line.starts_with("  ")), "{written}");
        assert!(
            !written.contains(['\r', '\x1b']) && written.contains(r"\r\u{1b}[2J") && written.contains(r#"user="a\nb""#),
            "{written}"
        );
        // Nor by any other part of a record.
        let forged = "x\n2026-11-26T12:08:51.123456Z INFO  http: all is well\r\x1b[2J";
        let fields = [(forged.into(), "a".into()), ("a=1 b".into(), 2.into())];
        let record =
            Record { logger: forged, location: forged, span: forged, agent: forged, ..record(forged, &fields) };
        let written = self::written(&Format::Text, &record, false);
        // The message itself has two lines.
        assert!(written.lines().count() == 2 && !written.contains(['\r', '\x1b']), "{written}");
        assert!(written.lines().skip(1).all(|line| line.starts_with("  ")), "{written}");
        assert!(written.contains(r#" "a=1 b"=2 "#), "{written}");
    }

    #[test]
    fn what_changes_the_order_of_a_text_is_escaped() {
        let text = "a\u{202e}b\u{2066}\u{200f}\u{61c}\u{2028}ü";
        let fields = [(text.into(), text.into()), ("list".into(), serde_json::json!([text]))];
        for format in [Format::Text, Format::Json] {
            let record = Record { logger: text, location: text, span: text, agent: text, ..record(text, &fields) };
            let written = written(&format, &record, false);
            assert!(!written.contains(|char| is_mark(char) && char != '\n') && written.contains("202e"), "{written:?}");
        }
    }

    #[test]
    fn an_object_with_the_keys_of_the_predecessor() {
        let fields = [("msg".into(), "mine".into()), ("n".into(), 1.into()), ("n".into(), 2.into())];
        let line = written(&Format::Json, &record("say \"so\"\n", &fields), true);
        assert!(line.ends_with("}\n") && line.lines().count() == 1 && !line.contains('\x1b'), "{line}");
        let object: Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "time": "2026-11-26T12:08:51.123456Z", "level": "warn", "logger": "etcd.watch", "msg": "say \"so\"\n",
            "loc": "etcd/src/watch.rs:42", "agent": "vpp1", "fields.msg": "mine", "n": 2,
        });
        assert_eq!(object, expected);
        assert_eq!(line.matches("\"n\"").count(), 1);
    }

    #[test]
    fn every_character_of_a_text_comes_through() {
        for text in ["\\", "a\\nb", "\"", "\u{1}", "\u{7f}", "\u{2028}", "ü", "\t", ""] {
            let fields = [("k\\".into(), text.into())];
            let line = written(&Format::Json, &record(text, &fields), false);
            let object: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((object["msg"].as_str(), object["k\\"].as_str()), (Some(text), Some(text)), "{line}");
        }
    }

    #[test]
    fn what_the_program_wants() {
        let format = Format::custom(|record, to| write!(to, "{} {}", record.level, record.message));
        assert_eq!(written(&format, &record("lost", &[]), true), "warn lost\n");
    }
}
