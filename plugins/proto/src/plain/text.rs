//! Strings and numbers as Go writes them.

use super::error::FieldError;

/// A string in quotes. Characters that are special in HTML or JavaScript are escaped.
pub(super) fn string(text: &str, to: &mut Vec<u8>) {
    to.push(b'"');
    let mut begin = 0;
    for (at, letter) in text.char_indices() {
        let escaped = match letter {
            '"' => "\\\"".into(),
            '\\' => "\\\\".into(),
            '\n' => "\\n".into(),
            '\r' => "\\r".into(),
            '\t' => "\\t".into(),
            '\u{8}' => "\\b".into(),
            '\u{c}' => "\\f".into(),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(letter)),
            _ => continue,
        };
        to.extend_from_slice(&text.as_bytes()[begin..at]);
        to.extend_from_slice(escaped.as_bytes());
        begin = at + letter.len_utf8();
    }
    to.extend_from_slice(&text.as_bytes()[begin..]);
    to.push(b'"');
}

/// A number with the fewest digits that parse to the same value.
pub(super) fn double(number: f64, to: &mut Vec<u8>) -> Result<(), FieldError> {
    let size = number.abs();
    let short = size == 0.0 || (1e-6..1e21).contains(&size);
    finite(number.is_finite(), if short { number.to_string() } else { format!("{number:e}") }, to)
}

/// The same in single precision, whose shortest digits differ.
pub(super) fn float(number: f32, to: &mut Vec<u8>) -> Result<(), FieldError> {
    let size = number.abs();
    let short = size == 0.0 || (1e-6..1e21).contains(&size);
    finite(number.is_finite(), if short { number.to_string() } else { format!("{number:e}") }, to)
}

fn finite(is_finite: bool, text: String, to: &mut Vec<u8>) -> Result<(), FieldError> {
    if !is_finite {
        return Err(FieldError::new(format!("{text} has no form in JSON: put a finite number")));
    }
    // Go writes a sign in each exponent.
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => {
            to.extend_from_slice(format!("{digits}e+{exponent}").as_bytes());
        }
        _ => to.extend_from_slice(text.as_bytes()),
    }
    Ok(())
}
