//! Words that are nearly those that a macro knows.

/// Whether the word is probably a misspelling of the known one: at most two letters are wrong, or one in a word of four
/// letters. Shorter words are too close to one another.
pub(crate) fn is_near(word: &str, known: &str) -> bool {
    let allowed = match known.len() {
        ..=3 => return false,
        4 => 1,
        _ => 2,
    };
    word != known && edits(word, known) <= allowed
}

/// How many changes of a letter turn one word into the other.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = before + usize::from(letter != *other);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
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
