//! Writes a value on one line, as YAML.

use std::fmt::Write as _;
use yaml_serde::Value;

/// The value on one line, as JSON where possible, since JSON is YAML.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        // Without quotes if that is still the same text.
        Value::String(text) if is_plain(text) => text.clone(),
        // JSON has neither infinity nor NaN.
        Value::Number(number) if !number.is_finite() => number.to_string(),
        Value::Sequence(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(",")),
        Value::Mapping(mapping) => {
            let entry = |(key, value): (&Value, &Value)| {
                let key = key.as_str().map_or_else(|| scalar(key), str::to_string);
                format!("{}:{}", json(&Value::from(key)), flow(value))
            };
            format!("{{{}}}", mapping.iter().map(entry).collect::<Vec<_>>().join(","))
        }
        value => json(value),
    }
}

/// A value inside brackets, where texts are always quoted.
fn flow(value: &Value) -> String {
    if value.is_string() { json(value) } else { scalar(value) }
}

/// The value as JSON. Characters that JSON allows, but YAML refuses or takes for a line break, are escaped.
fn json(value: &Value) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_string());
    let is_odd =
        |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        if is_odd(c) {
            let _ = write!(all, "\\u{:04x}", u32::from(c));
        } else {
            all.push(c);
        }
    }
    all
}

/// Is this the same text in YAML without quotes, on one line and before a comment?
fn is_plain(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@');
    let is_text = yaml_serde::from_str::<Value>(text).is_ok_and(|value| value.as_str() == Some(text));
    // `0815` is a text to some YAML parsers, and a number to others.
    is_text
        && text.parse::<f64>().is_err()
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(is_word)
}
