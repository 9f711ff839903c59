//! JSON is parsed as YAML. This checks that the text is valid JSON, and rewrites what YAML reads differently:
//! characters escaped as surrogate pairs (`"\ud83d\ude00"`), and characters that YAML accepts only when they are
//! escaped.

use super::malformed::{Malformed, is_odd, line_and_column};
use serde::de::IgnoredAny;
use std::{borrow::Cow, fmt::Write as _};

/// What makes a text invalid JSON. An empty text is accepted.
pub(in crate::config) fn malformed(text: &str) -> Option<Malformed> {
    if text.trim().is_empty() {
        return None;
    }
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = line_and_column(text, before + error.column().saturating_sub(1));
    let help = "what is YAML is in a file whose name ends with `.yaml`";
    Some(Malformed::new(format!("it is not valid JSON: {words}"), Some(at), Some(help)))
}

/// Rewrites a JSON text so that the YAML parser reads the same values. All characters keep their positions, except
/// within strings, and after a string with characters that had to be escaped for YAML.
pub(super) fn as_yaml(text: &str) -> Cow<'_, str> {
    if !text.contains("\\ud") && !text.contains("\\uD") && !text.contains(is_changed) {
        return text.into();
    }
    let (mut yaml, mut rest) = (String::with_capacity(text.len()), text);
    let (mut in_string, mut missing_width) = (false, 0);
    while let Some(at) = rest.find(|c| matches!(c, '"' | '\\') || is_changed(c)) {
        yaml.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('"') {
            in_string = !in_string;
            yaml.push('"');
            // Spaces make up for what the rewritten pairs are shorter by, so that the columns after the string stay the
            // same.
            yaml.extend(std::iter::repeat_n(' ', std::mem::take(&mut missing_width)));
            rest = after;
        } else if let Some((char, after)) = pair(rest).filter(|_| in_string) {
            let before = yaml.len();
            let _ = write!(yaml, "\\U{:08X}", u32::from(char));
            missing_width += (rest.len() - after.len()) - (yaml.len() - before);
            rest = after;
        } else if let Some(odd) = rest.chars().next().filter(|c| in_string && is_changed(*c)) {
            let _ = write!(yaml, "\\u{:04X}", u32::from(odd));
            rest = &rest[odd.len_utf8()..];
        } else {
            // A backslash is copied together with the character that it escapes.
            let len = rest.chars().take(2).map(char::len_utf8).sum();
            yaml.push_str(&rest[..len]);
            rest = &rest[len..];
        }
    }
    yaml.push_str(rest);
    yaml.into()
}

/// Does YAML refuse this character, or read it as a line break?
fn is_changed(c: char) -> bool {
    is_odd(c) || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The character whose surrogate pair the text begins with, and the text after it.
fn pair(text: &str) -> Option<(char, &str)> {
    let half = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let (high, low) = (half(text)?, half(text.get(6..)?)?);
    let char = char::decode_utf16([high, low]).next()?.ok().filter(|char| char.len_utf16() == 2)?;
    Some((char, text.get(12..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_two_halves_are_read_as_json_has_them() {
        for json in [
            r#"{"a": "\ud83d\ude00", "b": 1}"#,
            r#"{"\ud83d\ude00": ["x\uD83D\uDE00y\ud83d\ude00", "\\ud83d", "\"\ud83d\ude00\"", "\u00e9\/é"]}"#,
            r#"{"a": "\ud834\udd1e"}"#,
            r#"{"a": "\u00e9 \\"}"#,
        ] {
            let yaml = as_yaml(json);
            assert_eq!(yaml.len(), json.len());
            let read: serde_json::Value = yaml_serde::from_str(&yaml).unwrap();
            assert_eq!(read, serde_json::from_str::<serde_json::Value>(json).unwrap(), "{yaml}");
        }
        // Characters that YAML accepts only when they are escaped.
        let json = "{\"a\u{7f}\": \"\u{80} \u{ffff}\", \"b\": [\"\u{85}\u{7f}\u{2028}x\u{2029}\"]}";
        let read: serde_json::Value = yaml_serde::from_str(&as_yaml(json)).unwrap();
        assert_eq!(read, serde_json::from_str::<serde_json::Value>(json).unwrap());
        assert_eq!(as_yaml(r#"{"a": "\ud83d\ude00", "b"#).find("\"b"), Some(22));
        // Half a surrogate pair is not a character.
        for json in [r#"{"a": "\ud83d"}"#, r#"{"a": "\ud83d\u0041"}"#, r#"{"a": "\ude00\ud83d"}"#] {
            assert_eq!(as_yaml(json), json);
        }
        assert_eq!(as_yaml("\\ud83d\\ude00 \\"), "\\ud83d\\ude00 \\");
    }
}
