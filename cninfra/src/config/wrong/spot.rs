//! [`Spot`]: a value in its section.

use crate::config::written::way::Way;

/// A value in its section, and in its source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::config) struct Spot {
    /// The key's path in the section, as it is shown.
    pub(in crate::config) path: Vec<String>,
    /// The entry's number, and the way in it.
    pub(in crate::config) entry: usize,
    pub(in crate::config) way: Way,
}
