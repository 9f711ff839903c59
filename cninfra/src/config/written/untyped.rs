//! A text where no type has said yet what is wanted.

use super::{
    lenient,
    value::{from_yaml, is_too_deep, text},
};
use figment::value::Value;

/// A text as what it is in YAML; what is no YAML is a text.
pub(in crate::config) fn understood(written: &str) -> Value {
    if is_too_deep(written) {
        return text(written);
    }
    let large = || lenient::yaml(written, false).filter(|(seconds, _)| seconds.is_empty()).map(|(_, value)| value);
    yaml_serde::from_str(written).ok().or_else(large).map_or_else(|| text(written), from_yaml)
}

/// A text of a flag or a variable as what it looks like, where no type says what is wanted: a number or a truth value, what is in brackets or in quotes. All else is
/// as it stands: of a secret no part may be taken for a comment, an anchor or a tag.
pub(in crate::config) fn looked_at(written: &str) -> Value {
    let is_within = |open, close| written.len() > 1 && written.starts_with(open) && written.ends_with(close);
    let is_kept = match understood(written) {
        Value::String(..) => is_within('"', '"') || is_within('\'', '\''),
        Value::Array(..) | Value::Dict(..) => is_within('[', ']') || is_within('{', '}'),
        Value::Num(..) | Value::Bool(..) => {
            !written.contains(char::is_whitespace)
                && written.starts_with(|c: char| c.is_alphanumeric() || "+-.".contains(c))
        }
        _ => false,
    };
    if is_kept { understood(written) } else { text(written) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_may_be_a_secret_keeps_all_its_parts() {
        for text in ["ab #c", "5 # c", "&a b", "!t x", "a: b", "null", "~", "", "x'y", "'", "[a] b", "{", "- a", "*a"] {
            assert_eq!(looked_at(text), self::text(text), "{text}");
        }
        for text in ["5", "-1.5", "true", "[a, b]", "{a: 1}"] {
            assert_eq!(looked_at(text), understood(text), "{text}");
        }
        assert_eq!(looked_at("'5'"), self::text("5"));
        assert_eq!(looked_at("\"a #b\""), self::text("a #b"));
    }
}
