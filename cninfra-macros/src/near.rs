//! Words that are nearly those that a macro knows.

/// Whether the word is probably a misspelling of the known one: at most two letters are wrong, or one in a word of four
/// letters. Shorter words are too close to one another.
pub(crate) fn is_near(word: &str, known: &str) -> bool {
    let allowed = match known.len() {
        ..=3 => return false,
        4 => 1,
        _ => 2,
    };
    word != known && strsim::levenshtein(word, known) <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words() {
        for word in ["confg", "conf", "Config", "configs"] {
            assert!(is_near(word, "config"), "{word}");
        }
        for word in ["doc", "cfg", "serde", "allow", "context", "con", "config"] {
            assert!(!is_near(word, "config"), "{word}");
        }
        assert!(is_near("nam", "name") && is_near("dep", "deps") && !is_near("time", "name") && !is_near("ids", "id"));
    }
}
