//! [`Names`]: the two names of a plugin, for people.

use std::fmt;

/// The names of a plugin: that of its type, which graph, timeline and compile errors have, and that of its instance, which config, files, flags, log and status have.
///
/// As text it is both, so that who sees one finds the other: `Rest (http)`. Where they are one word in two spellings, as `LogManager` and `log-manager`, it is the first alone.
///
/// ```
/// use cninfra::graph::Names;
///
/// assert_eq!(Names { plugin: "Rest", instance: "http" }.to_string(), "Rest (http)");
/// assert_eq!(Names { plugin: "LogManager", instance: "log-manager" }.to_string(), "LogManager");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Names {
    /// That of its type.
    pub plugin: &'static str,
    /// That of its instance.
    pub instance: &'static str,
}

impl Names {
    /// Are they two words, and not one in two spellings?
    #[must_use]
    pub fn differ(&self) -> bool {
        let letters =
            |name: &'static str| name.chars().filter(|char| *char != '-').map(|char| char.to_ascii_lowercase());
        !letters(self.plugin).eq(letters(self.instance))
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.differ() {
            // in a column, too
            return f.pad(&format!("{} ({})", self.plugin, self.instance));
        }
        f.pad(self.plugin)
    }
}
