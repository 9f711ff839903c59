//! [`Names`]: the two names of a plugin, for display.

use std::fmt;

/// The two names of a plugin. Its type name is used in the graph, the timeline and compile errors, and its instance
/// name in config, files, flags, log and status.
///
/// Printed, it shows both, so that a reader of one finds the other: `Rest (http)`. If they are two spellings of one
/// word, as `LogManager` and `log-manager`, only the first is printed.
///
/// ```
/// use cninfra::graph::Names;
///
/// assert_eq!(Names { plugin: "Rest", instance: "http" }.to_string(), "Rest (http)");
/// assert_eq!(Names { plugin: "LogManager", instance: "log-manager" }.to_string(), "LogManager");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Names {
    /// The name of its type.
    pub plugin: &'static str,
    /// The name of its instance.
    pub instance: &'static str,
}

impl Names {
    /// Whether they are different words, and not two spellings of one.
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
            // With padding, so that names can be printed as a column.
            return f.pad(&format!("{} ({})", self.plugin, self.instance));
        }
        f.pad(self.plugin)
    }
}
