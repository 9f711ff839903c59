//! [`Pattern`]: which loggers a rule applies to.

use crate::{Error, Result};
use std::fmt;

/// The longest name of a logger.
const LONGEST: usize = 200;

/// The name of a logger, or a pattern with `*` for any characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pattern(Box<str>);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let well =
            !text.is_empty() && text.len() <= LONGEST && text.chars().all(|char| char == '*' || is_of_name(char));
        if well {
            return Ok(Pattern(text.into()));
        }
        let help = "a name has letters, digits, `.`, `-`, `_` and `:`; in a pattern `*` stands for any characters, as in `etcd*`";
        Err(Error::msg(format_args!("`{text}` is not a name or pattern of loggers")).with_help(help))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the name of a single logger.
    pub(super) fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// How specific it is: a pattern by its number of characters, and a name more than any pattern.
    pub(super) fn closeness(&self) -> (bool, usize) {
        (self.is_exact(), self.0.chars().filter(|char| *char != '*').count())
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return *self.0 == *name };
        let Some(mut name) = name.strip_prefix(start) else { return false };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        // The parts between stars are matched as early as possible.
        for part in middle.split('*') {
            let Some(at) = name.find(part) else { return false };
            name = &name[at + part.len()..];
        }
        name.ends_with(end)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_' | ':')
}

/// Makes the name of a logger from any text: characters that a name cannot have become `_`.
pub(super) fn name_of(text: &str) -> String {
    let name: String = text.chars().take(LONGEST).map(|char| if is_of_name(char) { char } else { '_' }).collect();
    if name.is_empty() { "_".to_string() } else { name }
}

/// The parent of a logger: `etcd` for `etcd.watch`, `hyper::proto` for `hyper::proto::h1`.
pub(super) fn parent_of(name: &str) -> Option<&str> {
    let at = name.rfind(['.', ':'])?;
    Some(name[..at].trim_end_matches(':')).filter(|parent| !parent.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_characters() {
        for (pattern, matching, other) in [
            ("etcd", &["etcd"] as &[_], &["etcd.watch", "etc", "my-etcd", ""] as &[_]),
            ("etcd*", &["etcd", "etcd.watch", "etcd-backup"], &["my-etcd", "etc"]),
            ("*.watch", &["etcd.watch", ".watch"], &["watch", "etcd.watch.x"]),
            ("*", &["", "etcd", "hyper::proto"], &[]),
            ("e*d*h", &["etcd.watch", "edh"], &["ed", "eh", "etcd.watches"]),
            ("a*a", &["aa", "aba"], &["a", "ab"]),
            ("*ab*ab*", &["abab", "xabyabz"], &["ab", "aab"]),
            ("a**b", &["ab", "axb"], &["a"]),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert!(matching.iter().all(|name| parsed.matches(name)), "{pattern}");
            assert!(!other.iter().any(|name| parsed.matches(name)), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_with_the_mend() {
        for text in ["", "a b", "a/b", "ä", &"x".repeat(LONGEST + 1)] {
            let error = format!("{:?}", Pattern::parse(text).unwrap_err());
            assert!(
                error.contains("is not a name or pattern of loggers") && error.contains("as in `etcd*`"),
                "{error}"
            );
        }
    }

    #[test]
    fn any_text_makes_a_name() {
        assert_eq!(
            (name_of("etcd.watch-1"), name_of("a b/c\n"), name_of("")),
            ("etcd.watch-1".into(), "a_b_c_".into(), "_".into())
        );
        assert!(Pattern::parse(&name_of(&"ä ".repeat(LONGEST))).is_ok());
    }

    #[test]
    fn parents() {
        assert_eq!(parent_of("etcd.watch"), Some("etcd"));
        assert_eq!(parent_of("hyper::proto::h1"), Some("hyper::proto"));
        assert_eq!((parent_of("etcd"), parent_of(".x"), parent_of("::x")), (None, None, None));
    }
}
