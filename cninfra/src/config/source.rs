//! Where a value comes from: a file, a variable, a flag, the program, or another provider of figment.

use super::{format::Format, locate::locate};
use figment::{Figment, Metadata};
use std::{fmt, path::PathBuf, sync::Arc};

/// No section has this name: what is in focus there is nothing, and its metadata.
pub(super) const NOWHERE: &str = "\0";

/// One source of values.
pub(super) enum Source {
    /// The defaults of a type.
    Default,
    /// The program itself: `Config::set`.
    Program,
    /// Other providers of figment: what it knows by the tags of their values.
    Figment(Box<Figment>),
    File(File),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

/// What a text is, before its key's type is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// It is a text.
    Typed,
    /// It is one where a text may be; else it is what the type makes of it.
    Where,
    /// It is what the type makes of it.
    Untyped,
}

/// A config file that has been read.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) text: Arc<str>,
}

/// A step from a mapping or a list to what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    /// A key, as it is written in the source.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// The way from the top of a source to a value.
pub(super) type Way = Vec<Step>;

/// The way to a key of what is there.
pub(super) fn inner(way: &[Step], key: &str) -> Way {
    way.iter().cloned().chain([Step::Key(key.to_string())]).collect()
}

/// Which end of an entry a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    Value,
}

/// A source and, in a file, line and column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(super) source: String,
    pub(super) at: Option<(usize, usize)>,
}

impl Source {
    /// What a text of this source is.
    pub(super) fn texts(&self) -> Texts {
        match self {
            Source::Variable(_) | Source::Flag(_) => Texts::Untyped,
            Source::Program => Texts::Where,
            Source::Default | Source::Figment(_) | Source::File(_) => Texts::Typed,
        }
    }

    /// What it is one of, in the order of what holds: defaults, program, files, environment, command line.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Source::Default => 0,
            Source::Program | Source::Figment(_) => 1,
            Source::File(_) => 2,
            Source::Variable(_) => 3,
            Source::Flag(_) => 4,
        }
    }

    pub(super) fn file(&self) -> Option<&File> {
        match self {
            Source::File(file) => Some(file),
            _ => None,
        }
    }

    /// Where something stands. In a file this reads its text once more: for messages only.
    pub(super) fn place(&self, way: &[Step], part: Part) -> Place {
        let at = self.file().and_then(|file| {
            // what has no place of its own (a merged key of YAML) stands where what is around it stands
            (0..=way.len()).rev().find_map(|len| {
                let part = if len == way.len() { part } else { Part::Value };
                locate(&file.text, file.format, &way[..len], part)
            })
        });
        Place { source: self.to_string(), at }
    }

    /// As figment keeps it.
    pub(super) fn metadata(&self) -> Metadata {
        match self {
            Source::Default => Metadata::named("default"),
            Source::Program => Metadata::named("set by the program"),
            Source::Figment(_) => Metadata::named("a figment of the program"),
            Source::File(file) => Metadata::from("config file", &*file.path),
            Source::Variable(name) => Metadata::from(format!("variable {name}"), name.as_str()),
            Source::Flag(name) => Metadata::from(format!("flag --{name}"), format!("--{name}")),
        }
    }
}

/// Where a value comes from, by what figment knows of it.
pub(super) fn origin(metadata: &Metadata) -> String {
    match &metadata.source {
        // as it was said: figment would make it relative
        Some(figment::Source::File(path)) => path.display().to_string(),
        _ => metadata.name.to_string(),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&origin(&self.metadata()))
    }
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
