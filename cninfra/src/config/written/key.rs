//! How keys are compared, how they are written, and which known key a misspelled one probably means.

/// The characters of a key that are compared: in lower case, without `-` and `_`.
fn letters(key: &str) -> impl Iterator<Item = char> {
    key.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase)
}

/// The same for an ASCII key.
fn ascii(key: &str) -> impl Iterator<Item = u8> {
    key.bytes().filter(|b| !matches!(b, b'-' | b'_')).map(|b| b.to_ascii_lowercase())
}

/// The form of a key that is compared: `ReadTimeout`, `read_timeout` and `read-timeout` have the same.
pub(in crate::config) fn normalized(key: &str) -> String {
    letters(key).collect()
}

/// Are these spellings of the same key?
pub(crate) fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    // This is called for each pair of field and key at each start. So no strings are allocated, and ASCII keys are
    // compared by bytes.
    if a.is_ascii() && b.is_ascii() {
        return ascii(a).eq(ascii(b));
    }
    letters(a).eq(letters(b))
}

/// A key as messages show it: `ReadTimeout` and `read_timeout` are `read-timeout`.
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

/// The known name that was probably meant, if one is similar enough.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_of(wrong, &mut known.into_iter())
}

// Not generic, so that it is compiled once for all types of iterators.
fn nearest_of<'a>(wrong: &str, known: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    // No known name is nearly that long.
    if wrong.len() > 100 {
        return None;
    }
    let wrong = normalized(wrong);
    // One wrong letter in a short name, up to three in a long one.
    let allowed = (wrong.chars().count() / 3).clamp(1, 3);
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong, &normalized(name));
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
