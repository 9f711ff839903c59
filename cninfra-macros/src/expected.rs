//! [`Expected`]: the arguments that an attribute accepts. Messages list them, or name the one that is meant.

use crate::near::is_near;
use std::fmt;

pub(crate) struct Expected {
    /// The attribute that messages write around each argument; if it is empty, they show the arguments alone.
    pub(crate) attribute: &'static str,
    /// The arguments as they are written: `many`, `id = ".."`. An empty one is the attribute without arguments.
    pub(crate) arguments: &'static [&'static str],
    /// Words of the same meaning, each with the name of the argument.
    pub(crate) synonyms: &'static [(&'static str, &'static str)],
}

/// An argument that is probably meant.
pub(crate) struct Meant {
    pub(crate) name: &'static str,
    /// As it is written.
    pub(crate) shown: String,
}

impl Expected {
    /// The argument that an unknown word stands for: one of nearly the same name, or of the same meaning.
    pub(crate) fn meant(&self, word: &str) -> Option<Meant> {
        let is = |name: &str| {
            is_near(word, name) || self.synonyms.iter().any(|(synonym, of)| *synonym == word && *of == name)
        };
        if self.arguments.iter().any(|argument| name_of(argument) == word) {
            return None;
        }
        let argument = self.arguments.iter().find(|argument| is(name_of(argument)))?;
        let name = name_of(argument);
        Some(Meant { name, shown: self.shown(argument) })
    }

    fn shown(&self, argument: &str) -> String {
        match (self.attribute, argument) {
            ("", _) => format!("`{argument}`"),
            (attribute, "") => format!("`#[{attribute}]`"),
            (attribute, _) => format!("`#[{attribute}({argument})]`"),
        }
    }
}

fn name_of(argument: &str) -> &str {
    argument.split(' ').next().unwrap_or_default()
}

/// All arguments.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.arguments.iter().map(|argument| self.shown(argument)).collect();
        f.write_str(&all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_known_by_spelling_and_by_meaning() {
        let expected = Expected {
            attribute: "interface",
            arguments: &["", "many", "crate = path"],
            synonyms: &[("multi", "many"), ("path", "crate")],
        };
        assert_eq!(expected.to_string(), "`#[interface]`, `#[interface(many)]`, `#[interface(crate = path)]`");
        let meant = |word| expected.meant(word).map(|meant| (meant.name, meant.shown));
        assert_eq!(meant("multi"), Some(("many", "`#[interface(many)]`".to_string())));
        assert_eq!(meant("path"), Some(("crate", "`#[interface(crate = path)]`".to_string())));
        assert_eq!(meant("mani").map(|(name, _)| name), Some("many"));
        assert_eq!((meant("many"), meant("other"), meant("")), (None, None, None));
    }
}
