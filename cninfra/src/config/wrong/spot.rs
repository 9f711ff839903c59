//! [`Spot`]: a place in a section.

use crate::config::written::way::Way;

/// A place in a section, and where that is in its source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::config) struct Spot {
    /// The path of the key in the section, as messages show it.
    pub(in crate::config) path: Vec<String>,
    /// The index of the entry (what one source says about the section), and the way in it.
    pub(in crate::config) entry: usize,
    pub(in crate::config) way: Way,
}
