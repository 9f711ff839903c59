//! [`Mistake`]: one thing that is wrong with the config, with its place and its mend.

use super::source::Place;
use crate::Error;
use std::fmt;

/// One thing that is wrong with the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The section that it is in, where it is in one.
    pub(super) section: Option<String>,
    pub(super) place: Option<Place>,
    pub(super) what: String,
    pub(super) help: Option<String>,
}

impl Mistake {
    pub(super) fn new(place: Place, what: impl Into<String>) -> Self {
        Mistake { section: None, place: Some(place), what: what.into(), help: None }
    }

    pub(super) fn of(mut self, section: &str) -> Self {
        self.section = Some(section.to_string());
        self
    }

    /// The section that it is in, where it is in one.
    pub(crate) fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl From<Mistake> for Error {
    fn from(mistake: Mistake) -> Self {
        let error = Error::msg(&mistake);
        match mistake.help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }
}
