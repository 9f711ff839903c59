//! [`Fields`]: the fields that a logger adds to all its records.

use crate::marks::{escaped_in_json, is_mark};
use serde::Serialize;
use serde_json::Value;
use std::{borrow::Cow, fmt, sync::Arc};

/// Fields by name, in the order in which they were added.
///
/// An [`Output`](super::Output) reads their `Debug` form: `key=value`, separated by blanks, or a JSON object in the
/// alternate form.
#[derive(Clone, Default)]
pub struct Fields(Arc<Vec<(Cow<'static, str>, Value)>>);

impl Fields {
    /// The same fields with one more, which replaces one of the same name.
    pub(super) fn with(&self, key: impl Into<Cow<'static, str>>, value: impl Serialize) -> Self {
        let key = key.into();
        let value = serde_json::to_value(value).unwrap_or_else(|error| Value::String(error.to_string()));
        let mut fields: Vec<_> = self.0.iter().filter(|(name, _)| *name != key).cloned().collect();
        fields.push((key, value));
        Fields(Arc::new(fields))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let quoted = |text: &str| Value::from(text).to_string();
            let fields: Vec<_> = self.0.iter().map(|(key, value)| format!("{}:{value}", quoted(key))).collect();
            return write!(f, "{{{}}}", fields.join(","));
        }
        for (at, (key, value)) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { " " } else { "" })?;
            write_text(f, key)?;
            f.write_str("=")?;
            write_value(f, value)?;
        }
        Ok(())
    }
}

/// Writes a value as text.
pub(super) fn write_value(to: &mut dyn fmt::Write, value: &Value) -> fmt::Result {
    match value {
        Value::String(text) => write_text(to, text),
        _ => to.write_str(&escaped_in_json(&value.to_string())),
    }
}

/// Writes a text or the name of a field. It is quoted if it would not be clear where it ends.
pub(super) fn write_text(to: &mut dyn fmt::Write, text: &str) -> fmt::Result {
    let is_plain = |char: char| !char.is_whitespace() && !is_mark(char) && !matches!(char, '"' | '=' | '\\');
    if !text.is_empty() && text.chars().all(is_plain) { to.write_str(text) } else { write!(to, "{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_as_text_and_as_json() {
        let fields = Fields::default()
            .with("peer", "10.0.0.1:80")
            .with("why", "it is \"so\"\n")
            .with("n", 7)
            .with("peer", "b=c");
        assert_eq!(format!("{fields:?}"), r#"why="it is \"so\"\n" n=7 peer="b=c""#);
        let json: Value = serde_json::from_str(&format!("{fields:#?}")).unwrap();
        assert_eq!(json, serde_json::json!({"why": "it is \"so\"\n", "n": 7, "peer": "b=c"}));
        assert_eq!(
            (format!("{:?}", Fields::default()), format!("{:#?}", Fields::default())),
            (String::new(), "{}".into())
        );
    }
}
