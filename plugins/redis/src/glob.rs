//! Glob patterns of Redis.

/// The pattern that matches only this text.
pub(crate) fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_means_something_is_escaped() {
        assert_eq!(super::literal("a*c/[x-^]?\\é"), "a\\*c/\\[x\\-\\^\\]\\?\\\\é");
    }
}
