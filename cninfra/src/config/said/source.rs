//! Where a value comes from: a file, a variable, a flag, the program, or another provider of figment.

use crate::config::written::{
    format::Format,
    locate::locate,
    place::{Part, Place},
    way::Step,
};
use figment::{Figment, Metadata};
use std::{fmt, path::PathBuf, sync::Arc};

/// No section has this name: what is in focus there is nothing, and its metadata.
pub(in crate::config) const NOWHERE: &str = "\0";

/// One source of values.
pub(in crate::config) enum Source {
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
pub(in crate::config) struct File {
    pub(in crate::config) path: PathBuf,
    pub(in crate::config) format: Format,
    pub(in crate::config) text: Arc<str>,
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
    pub(in crate::config) const fn rank(&self) -> u8 {
        match self {
            Source::Default => 0,
            Source::Program | Source::Figment(_) => 1,
            Source::File(_) => 2,
            Source::Variable(_) => 3,
            Source::Flag(_) => 4,
        }
    }

    pub(in crate::config) fn file(&self) -> Option<&File> {
        match self {
            Source::File(file) => Some(file),
            _ => None,
        }
    }

    /// Where something stands. In a file this reads its text once more: for messages only.
    pub(in crate::config) fn place(&self, way: &[Step], part: Part) -> Place {
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
pub(in crate::config) fn origin(metadata: &Metadata) -> String {
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
