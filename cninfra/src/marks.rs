//! Characters that are not text: they control a terminal, or change the order in which the text around them is shown.
//! Foreign text is shown with them escaped.

use std::{borrow::Cow, fmt::Write as _};

/// Whether it is a control character, or sets the direction or ends the line of a text.
pub(crate) fn is_mark(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes the remaining marks in JSON, in which the ASCII control characters are escaped already. The meaning stays
/// the same.
pub(crate) fn escaped_in_json(json: &str) -> Cow<'_, str> {
    let is_one = |char: char| char >= '\u{7f}' && is_mark(char);
    if json.is_ascii() && !json.contains('\u{7f}') || !json.contains(is_one) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        // Writing to a `String` cannot fail.
        let _ = if is_one(char) { write!(escaped, "\\u{:04x}", u32::from(char)) } else { escaped.write_char(char) };
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_without_marks() {
        let text = "a\u{202e}b\u{2066}\u{61c}\u{200f}\u{7f}\u{9b}\u{1b}ü\n";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let escaped = escaped_in_json(&json);
        assert!(!escaped.contains(|char| is_mark(char) && char != '\n'), "{escaped:?}");
        assert!(escaped.contains("\\u202e") && escaped.contains('ü'), "{escaped}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&escaped).unwrap(), [text]);
        assert!(matches!(escaped_in_json("[\"ü\"]"), Cow::Borrowed(_)));
    }
}
