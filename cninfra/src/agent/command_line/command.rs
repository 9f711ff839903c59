//! The clap command of an agent, from which `--help` is printed.

use super::said::{FileFlag, flags};
use crate::{
    BuildInfo, Flag,
    agent::setup::own,
    build_info,
    graph::{Format, Graph, Names, Node},
};
use clap::{Arg, ArgAction, Command, builder::PossibleValuesParser};

/// The text below the flags in `--help`.
const AFTER_HELP: &str = "\
A plugin has two names: that of its type (Rest) in the graph and in reports, and its instance name (http) in config, files, flags and log. --graph text has both of each.\n\
The section `agent` of the config has `start-timeout`, `stop-timeout`, `start-order` (concurrent, one-by-one) and `drain-delay`; \
any plugin's section has `start-policy` (fail, retry, ignore) and `limits` (create, init, after-init, drain, close). --print-config prints all keys.";

/// The clap command for an agent with this graph.
pub(super) fn command(graph: &'static Graph, files: &[FileFlag], build: BuildInfo) -> Command {
    let tree = graph.tree();
    let mut command = Command::new(tree.package)
        .version(build.to_string())
        .long_version(build_info::answer(build))
        .about(format!(
            "The agent `{}`: {} plugin{}",
            graph.name(),
            graph.len(),
            if graph.len() == 1 { "" } else { "s" }
        ))
        .after_help(AFTER_HELP)
        .next_help_heading("Agent")
        .arg(
            Arg::new("config-dir")
                .long("config-dir")
                .value_name("DIR")
                .help("the directory of the config files [env: CONFIG_DIR] [default: .]"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("SECTION.KEY=VALUE")
                .action(ArgAction::Append)
                .help("set any key; it overrides everything else [env: CNINFRA__SECTION__KEY=VALUE]"),
        )
        .arg(
            Arg::new("check-config")
                .long("check-config")
                .action(ArgAction::SetTrue)
                .help("check the config, start nothing, and exit"),
        )
        .arg(
            Arg::new("print-config")
                .long("print-config")
                .action(ArgAction::SetTrue)
                .help("print the value of each key and where it comes from, and exit"),
        )
        .arg(
            Arg::new("graph")
                .long("graph")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(Format::NAMES))
                .help("print the graph of the plugins as declared (`enabled: false` does not change it), and exit"),
        );
    for (section, flag) in flags(graph) {
        let heading = if section == own::SECTION { "Agent".to_string() } else { heading(graph, section) };
        command = command.arg(
            Arg::new(flag.name)
                .long(flag.name)
                .value_name("VALUE")
                .allow_negative_numbers(true)
                .help_heading(heading)
                .help(help(flag)),
        );
    }
    for file in files {
        let (name, variables) = (&file.names[0], file.variables().collect::<Vec<_>>().join(", "));
        let default = file.section.name;
        // The section has only the keys that every plugin has, and the file flag of the predecessor.
        let is_plain = file.section.is_bare && !file.section.optional;
        command = command.arg(
            Arg::new(name.clone())
                .long(name.clone())
                .visible_aliases(file.names[1..].iter().cloned())
                .value_name("FILE")
                .help_heading(if is_plain {
                    "Plugins without settings of their own".to_string()
                } else {
                    heading(graph, file.section.name)
                })
                .help(format!("its config file; empty for none [env: {variables}] [default: {default}.conf]")),
        );
    }
    command
}

/// The name of the section, with the name of the plugin's type if the two differ.
fn heading(graph: &'static Graph, section: &'static str) -> String {
    let names = graph.nodes().iter().map(Node::names).find(|names| names.instance == section);
    names.filter(Names::differ).map_or_else(|| section.to_string(), |names| format!("{section} ({})", names.plugin))
}

fn help(flag: &Flag) -> String {
    let (text, variable) = (flag.help, flag.env);
    if variable.is_empty() { text.to_string() } else { format!("{text} [env: {variable}]") }
}
