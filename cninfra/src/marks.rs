//! Characters that are no text: they steer a terminal, or change the order in which a text around them is shown. Whatever others have said is shown without them.

use std::{borrow::Cow, fmt::Write as _};

/// Control characters, and those that set the direction or end the line of a text.
pub(crate) fn is_mark(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON, in which control characters of ASCII are escaped already, with the others escaped, too: it says the same.
pub(crate) fn escaped_in_json(json: &str) -> Cow<'_, str> {
    let is_one = |char: char| char >= '\u{7f}' && is_mark(char);
    if json.is_ascii() && !json.contains('\u{7f}') || !json.contains(is_one) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        // writing to a text does not fail
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
