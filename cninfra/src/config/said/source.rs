//! [`Source`]: where a value comes from: a file, a variable, a flag, the program, or another provider of figment.

use crate::config::written::{
    format::Format,
    locate::locate,
    place::{Part, Place},
    way::Step,
};
use figment::{Figment, Metadata};
use std::{fmt, path::PathBuf, sync::Arc};

/// No section has this name: a figment focused on it has no values, only metadata.
pub(in crate::config) const NOWHERE: &str = "\0";

/// A source of values.
pub(in crate::config) enum Source {
    /// The defaults of a type.
    Default,
    /// The program itself: `Config::set`.
    Program,
    /// Another provider of figment. It knows the origins of its values by their tags.
    Figment(Box<Figment>),
    File(File),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

/// How texts of a source are read, before their key's type is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// A text is a text.
    Typed,
    /// A text stays a text if the type accepts one, and is otherwise converted to what the type wants.
    IfAccepted,
    /// A text is converted to what the type wants.
    Untyped,
}

/// A config file that has been read.
pub(in crate::config) struct File {
    pub(in crate::config) path: PathBuf,
    pub(in crate::config) format: Format,
    pub(in crate::config) text: Arc<str>,
}

impl Source {
    /// How texts of this source are read.
    pub(super) fn texts(&self) -> Texts {
        match self {
            Source::Variable(_) | Source::Flag(_) => Texts::Untyped,
            Source::Program => Texts::IfAccepted,
            Source::Default | Source::Figment(_) | Source::File(_) => Texts::Typed,
        }
    }

    /// The precedence of this kind of source: defaults, program, files, environment, command line.
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

    /// The position of a value or its key. This parses a file again, so it is for messages only.
    pub(in crate::config) fn place(&self, way: &[Step], part: Part) -> Place {
        let at = self.file().and_then(|file| {
            // A value without a position of its own (such as one merged in by YAML) has that of what is around it.
            (0..=way.len()).rev().find_map(|len| {
                let part = if len == way.len() { part } else { Part::Value };
                locate(&file.text, file.format, &way[..len], part)
            })
        });
        Place { source: self.to_string(), at }
    }

    /// The description of this source for figment.
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

/// The name of a value's source, from figment's metadata.
pub(in crate::config) fn origin(metadata: &Metadata) -> String {
    match &metadata.source {
        // The path as it was given; figment would show it relative to the working directory.
        Some(figment::Source::File(path)) => path.display().to_string(),
        _ => metadata.name.to_string(),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&origin(&self.metadata()))
    }
}
