//! How keys are compared, written, and guessed.

/// What is compared of a key: it is without case, `-` and `_`.
fn letters(key: &str) -> impl Iterator<Item = char> {
    key.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase)
}

/// The same of a key of ASCII.
fn ascii(key: &str) -> impl Iterator<Item = u8> {
    key.bytes().filter(|b| !matches!(b, b'-' | b'_')).map(|b| b.to_ascii_lowercase())
}

/// A key as it is compared. `ReadTimeout`, `read_timeout` and `read-timeout` are one.
pub(in crate::config) fn plain(key: &str) -> String {
    letters(key).collect()
}

/// Are these two spellings of one key?
pub(crate) fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    // without a text of its own for each, and by bytes where that is the same: it is asked of each field for each key, at each start
    if a.is_ascii() && b.is_ascii() {
        return ascii(a).eq(ascii(b));
    }
    letters(a).eq(letters(b))
}

/// A key as it is shown: `ReadTimeout` and `read_timeout` are `read-timeout`.
pub(in crate::config) fn kebab(key: &str) -> String {
    let mut kebab = String::with_capacity(key.len() + 4);
    let mut after_lower = false;
    for c in key.chars() {
        if c.is_uppercase() && after_lower {
            kebab.push('-');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        match c {
            '_' => kebab.push('-'),
            _ => kebab.extend(c.to_lowercase()),
        }
    }
    kebab
}

/// The known name that was probably meant.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_of(wrong, &mut known.into_iter())
}

// not generic: compiled once for all kinds of lists
fn nearest_of<'a>(wrong: &str, known: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    // no name is nearly as long
    if wrong.len() > 100 {
        return None;
    }
    let wrong = plain(wrong);
    // one slip in a short name, some more in a long one
    let allowed = (wrong.chars().count() / 3).clamp(1, 3);
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong, &plain(name));
    let near = known.map(|name| (distance(name), name)).filter(|(slips, _)| *slips <= allowed);
    near.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_key() {
        for key in ["read-timeout", "read_timeout", "ReadTimeout", "readTimeout"] {
            assert!(same(key, "read-timeout"), "{key}");
            assert_eq!(kebab(key), "read-timeout");
        }
        assert!(same("READ_TIMEOUT", "read-timeout") && !same("read-timeouts", "read-timeout"));
        assert!(same("LÄNGE_MAX", "länge-max") && !same("länge", "lange") && !same("länge", "lang"));
    }

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["endpoint", "port", "read-timeout"];
        for (wrong, meant) in [
            ("endpont", Some("endpoint")),
            ("prot", Some("port")),
            ("ReadTimeuot", Some("read-timeout")),
            ("host", None),
            ("x", None),
        ] {
            assert_eq!(nearest(wrong, known), meant, "{wrong}");
        }
    }
}
