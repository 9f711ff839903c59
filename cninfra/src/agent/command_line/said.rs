//! [`Cli`]: what command line and environment say.

use crate::{
    Flag,
    agent::setup::own,
    config::KnownSection,
    graph::{Format, Graph},
};
use std::path::PathBuf;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Task {
    /// To run the agent.
    Run,
    PrintGraph(Format),
    PrintConfig,
    CheckConfig,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(in crate::agent) struct Cli {
    pub(in crate::agent) task: Task,
    /// Where it was said, if it was.
    pub(super) config_dir: Option<(PathBuf, Origin)>,
    /// The sections' own files.
    pub(super) files: Vec<(&'static str, String, Origin)>,
    /// Keys, later ones over earlier ones.
    pub(in crate::agent) values: Vec<Value>,
    /// What is odd about it, but no reason not to start.
    pub(super) odd: Vec<String>,
    /// What is wrong with a variable or with `--set`, and the mend.
    pub(super) wrong: Vec<(String, &'static str)>,
}

impl Cli {
    /// Nothing but what is to be done.
    pub(in crate::agent) fn nothing(task: Task) -> Self {
        let (config_dir, files, values) = (None, Vec::new(), Vec::new());
        Cli { task, config_dir, files, values, odd: Vec::new(), wrong: Vec::new() }
    }
}

/// A key that a variable or a flag sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Value {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Where something was said.
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

/// The flags that set keys, with their sections.
pub(super) fn flags(graph: &'static Graph) -> impl Iterator<Item = (&'static str, &'static Flag)> {
    let plugins = graph.nodes().iter().flat_map(|node| node.plugin.flags.iter().map(|flag| (node.instance(), flag)));
    own::flags().chain(plugins)
}

/// `--<section>-config`: where the file of a section is.
pub(super) struct FileFlag {
    pub(super) section: KnownSection,
    /// That of its name, then those of its aliases.
    pub(super) names: Vec<String>,
}

impl FileFlag {
    /// The variables that say the same.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(|name| name.to_uppercase().replace('-', "_"))
    }
}
