//! Interprets the text of a flag or variable where no type says what is wanted.

use super::{
    lenient,
    value::{from_yaml, is_too_deep, text},
};
use figment::value::Value;

/// The text parsed as YAML; if it is not valid YAML, the text itself.
pub(in crate::config) fn as_yaml(written: &str) -> Value {
    if is_too_deep(written) {
        return text(written);
    }
    let large =
        || lenient::yaml(written, false).filter(|(duplicates, _)| duplicates.is_empty()).map(|(_, value)| value);
    yaml_serde::from_str(written).ok().or_else(large).map_or_else(|| text(written), from_yaml)
}

/// A text of a flag or a variable, interpreted by its look where no type says what is wanted: a number, a boolean, or
/// what is in brackets or quotes. Everything else remains a text as written: it may be a secret, of which no part may
/// be read as a comment, an anchor or a tag.
pub(in crate::config) fn by_look(written: &str) -> Value {
    let is_within = |open, close| written.len() > 1 && written.starts_with(open) && written.ends_with(close);
    let is_kept = match as_yaml(written) {
        Value::String(..) => is_within('"', '"') || is_within('\'', '\''),
        Value::Array(..) | Value::Dict(..) => is_within('[', ']') || is_within('{', '}'),
        Value::Num(..) | Value::Bool(..) => {
            !written.contains(char::is_whitespace)
                && written.starts_with(|c: char| c.is_alphanumeric() || "+-.".contains(c))
        }
        _ => false,
    };
    if is_kept { as_yaml(written) } else { text(written) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_may_be_a_secret_keeps_all_its_parts() {
        for text in ["ab #c", "5 # c", "&a b", "!t x", "a: b", "null", "~", "", "x'y", "'", "[a] b", "{", "- a", "*a"] {
            assert_eq!(by_look(text), self::text(text), "{text}");
        }
        for text in ["5", "-1.5", "true", "[a, b]", "{a: 1}"] {
            assert_eq!(by_look(text), as_yaml(text), "{text}");
        }
        assert_eq!(by_look("'5'"), self::text("5"));
        assert_eq!(by_look("\"a #b\""), self::text("a #b"));
    }
}
