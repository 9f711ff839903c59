//! The command line and the environment of an agent that is a process of its own.

use crate::{
    Flag,
    graph::{Format, Graph, PluginMeta},
};
use clap::{Arg, ArgMatches, Command, builder::PossibleValuesParser};
use std::{collections::HashMap, ffi::OsString, path::PathBuf};

/// What was asked for.
#[derive(Debug)]
pub(super) struct Cli {
    pub(super) graph: Option<Format>,
    /// Where it was said.
    pub(super) config_dir: Option<PathBuf>,
    pub(super) label: Option<String>,
    /// What flags and variables set: (section, key, text, origin), later ones over earlier ones.
    pub(super) values: Vec<(&'static str, &'static str, String, String)>,
}

/// The variables of the environment, read once.
pub(super) type Env = HashMap<OsString, OsString>;

/// Understands `args` (the program's name first) and `env`.
///
/// # Errors
/// Usage, help and version: what clap has to say.
pub(super) fn parse(
    graph: &'static Graph,
    args: impl IntoIterator<Item = OsString>,
    env: &Env,
) -> Result<Cli, clap::Error> {
    let mut command = command(graph);
    let matches = command.try_get_matches_from_mut(args)?;
    let text = |matches: &ArgMatches, name: &str, variable: &str| -> Option<String> {
        let given = matches.get_one::<String>(name).cloned();
        given.or_else(|| variable_of(env, variable))
    };
    let mut values = Vec::new();
    for (plugin, flag) in flags(graph) {
        let section = plugin.key.instance;
        if let Some(value) = variable_of(env, flag.env) {
            // Kubernetes sets `HTTP_PORT=tcp://10.0.0.1:80` for a Service that is named `http`
            if value.starts_with("tcp://") || value.starts_with("udp://") {
                tracing::warn!(
                    "variable {} is ignored: `{value}` is Kubernetes' address of a Service, not a setting",
                    flag.env
                );
            } else {
                values.push((section, flag.key, value, format!("environment variable {}", flag.env)));
            }
        }
        if let Some(value) = matches.get_one::<String>(flag.name) {
            values.push((section, flag.key, value.clone(), format!("flag --{}", flag.name)));
        }
    }
    Ok(Cli {
        graph: matches.get_one::<String>("graph").and_then(|format| format.parse().ok()),
        config_dir: text(&matches, "config-dir", "CONFIG_DIR").map(PathBuf::from),
        label: text(&matches, "microservice-label", "MICROSERVICE_LABEL"),
        values,
    })
}

/// An empty variable is one that is not set.
fn variable_of(env: &Env, name: &str) -> Option<String> {
    env.get(OsString::from(name).as_os_str())
        .and_then(|value| value.to_str())
        .filter(|v| !v.is_empty())
        .map(str::to_string)
}

fn flags(graph: &'static Graph) -> impl Iterator<Item = (&'static PluginMeta, &'static Flag)> {
    graph.nodes().iter().flat_map(|node| node.plugin.flags.iter().map(|flag| (node.plugin, flag)))
}

fn command(graph: &'static Graph) -> Command {
    let tree = graph.tree();
    let mut command = Command::new(tree.package)
        .version(tree.version)
        .about(format!("The agent `{}`: {} plugins", graph.name(), graph.len()))
        .next_help_heading("Agent")
        .arg(
            Arg::new("config-dir")
                .long("config-dir")
                .value_name("DIR")
                .help("the directory of the config files [env: CONFIG_DIR] [default: .]"),
        )
        .arg(
            Arg::new("microservice-label")
                .long("microservice-label")
                .value_name("LABEL")
                .help("the name of this agent among its peers [env: MICROSERVICE_LABEL] [default: vpp1]"),
        )
        .arg(
            Arg::new("graph")
                .long("graph")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(Format::NAMES))
                .help("print the plugins' graph and end, without starting anything"),
        );
    for (plugin, flag) in flags(graph) {
        command = command.arg(
            Arg::new(flag.name)
                .long(flag.name)
                .value_name("VALUE")
                .help_heading(plugin.key.instance)
                .help(format!("{} [env: {}]", flag.help, flag.env)),
        );
    }
    command
}
