//! [`Place`]: a source of config and, in a file, the position.

use std::fmt;

/// Which part of an entry a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Part {
    Key,
    Value,
}

/// A source and, in a file, the line and column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(in crate::config) source: String,
    pub(in crate::config) at: Option<(usize, usize)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.at {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}
