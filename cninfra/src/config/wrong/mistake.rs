//! [`Mistake`]: one mistake in the config, with its place and how to fix it.

use super::failure::unvarying;
use crate::{
    Error,
    config::written::{malformed::MOST, place::Place},
    order::sort_few,
};
use std::fmt;

/// The most mistakes that are reported for a file of this size. For each one the file is read once more, so there are
/// fewer for a large file; the user sees the others after fixing these.
pub(in crate::config) fn most(bytes: usize) -> usize {
    const ALL: usize = 1 << 21;
    (ALL / bytes.max(1)).clamp(2, MOST)
}

/// Half the length of the longest text that is shown in full.
const HALF: usize = 250;

/// One thing that is wrong with the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The section that the mistake is in, if any.
    pub(super) section: Option<String>,
    pub(in crate::config) place: Option<Place>,
    pub(in crate::config) what: String,
    pub(in crate::config) help: Option<Box<str>>,
    /// It says that there are more mistakes, and comes after all others.
    is_more: bool,
}

impl Mistake {
    pub(in crate::config) fn new(place: Place, what: impl Into<String>) -> Self {
        Mistake { section: None, place: Some(place), what: what.into(), help: None, is_more: false }
    }

    /// A note that there are more mistakes than are reported, or that there may be (not `is_sure`) if the search was
    /// cut short.
    pub(in crate::config) fn more(place: Place, of: &str, is_sure: bool) -> Self {
        let are = if is_sure { "are" } else { "may be" };
        let more = Mistake::new(place, format!("there {are} more mistakes in {of}"));
        Mistake { is_more: true, ..more }.help("mend those that are told, and look again")
    }

    /// The mistake without what a type words differently each time.
    pub(in crate::config) fn unvarying(&self) -> Self {
        Mistake { what: unvarying(&self.what), ..self.clone() }
    }

    pub(in crate::config) fn in_section(mut self, section: &str) -> Self {
        self.section = Some(section.to_string());
        self
    }

    /// The section that the mistake is in, if any.
    pub(crate) fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    pub(in crate::config) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into().into_boxed_str());
        self
    }

    pub(in crate::config) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.map(String::into_boxed_str).or(self.help);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{}: {}", one_line(&place.to_string()), one_line(&self.what)),
            None => f.write_str(&one_line(&self.what)),
        }
    }
}

/// The text on one line, and without its middle if it is far too long: it may contain a value of any length.
fn one_line(text: &str) -> String {
    let mut one_line = String::with_capacity(text.len().min(2 * HALF + 8));
    let length = text.chars().count();
    for (at, c) in text.chars().enumerate() {
        match c {
            _ if length > 2 * HALF && at == HALF => one_line.push_str(" .. "),
            _ if length > 2 * HALF && (HALF..length - HALF).contains(&at) => {}
            c if c.is_control() => one_line.extend(c.escape_default()),
            c => one_line.push(c),
        }
    }
    one_line
}

/// Sorts by place; the note that there are more comes last.
pub(in crate::config) fn sort(mistakes: &mut [Mistake]) {
    sort_few(mistakes, |a, b| (a.is_more, &a.place) > (b.is_more, &b.place));
}

/// All of them as one error, each on a line with its help.
pub(in crate::config) fn combined(mut mistakes: Vec<Mistake>) -> Error {
    if mistakes.len() == 1
        && let Some(mistake) = mistakes.pop()
    {
        return mistake.into();
    }
    let line = |mistake: &Mistake| match &mistake.help {
        Some(help) => format!("{mistake} ({help})"),
        None => mistake.to_string(),
    };
    Error::msg(mistakes.iter().map(line).collect::<Vec<_>>().join("\n"))
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
