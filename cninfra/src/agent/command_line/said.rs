//! [`Cli`]: the parsed command line and environment.

use crate::{
    Flag,
    agent::setup::own,
    config::KnownSection,
    graph::{Format, Graph},
};
use std::path::PathBuf;

/// What the process has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Task {
    /// Run the agent.
    Run,
    PrintGraph(Format),
    PrintConfig,
    CheckConfig,
}

/// The parsed command line and environment.
#[derive(Clone, Debug)]
pub(in crate::agent) struct Cli {
    pub(in crate::agent) task: Task,
    /// The config folder and where it was set, if it was.
    pub(super) config_dir: Option<(PathBuf, Origin)>,
    /// The files given for single sections: section, path, origin.
    pub(super) files: Vec<(&'static str, String, Origin)>,
    /// Values of keys. Later ones override earlier ones.
    pub(in crate::agent) values: Vec<Value>,
    /// Warnings, which do not prevent the start.
    pub(super) warnings: Vec<String>,
    /// Errors in variables or in `--set`: what is wrong, and how to fix it.
    pub(super) errors: Vec<(String, &'static str)>,
}

impl Cli {
    /// A task without any settings.
    pub(in crate::agent) fn nothing(task: Task) -> Self {
        let (config_dir, files, values) = (None, Vec::new(), Vec::new());
        Cli { task, config_dir, files, values, warnings: Vec::new(), errors: Vec::new() }
    }
}

/// A key that is set by a variable or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Value {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// The variable or flag that has set something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Variable(String),
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// The flags that set keys, each with its section.
pub(super) fn flags(graph: &'static Graph) -> impl Iterator<Item = (&'static str, &'static Flag)> {
    let plugins = graph.nodes().iter().flat_map(|node| node.plugin.flags.iter().map(|flag| (node.instance(), flag)));
    own::flags().chain(plugins)
}

/// The flag `--<section>-config`, which names the file of a section.
pub(super) struct FileFlag {
    pub(super) section: KnownSection,
    /// The flag of the section's name, then those of its aliases.
    pub(super) names: Vec<String>,
}

impl FileFlag {
    /// The variables with the same meaning.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(|name| name.to_uppercase().replace('-', "_"))
    }
}
