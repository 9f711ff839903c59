//! `/agent/status`: the states of the agent and of its plugins.

use crate::{answer::Html, look::Look, words};
use cninfra::{
    BuildInfo,
    graph::{Graph, Node},
    http::escaped,
    status::{AgentStatus, Down, PluginStatus, State},
};
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
pub(crate) struct Body<'a> {
    agent: &'a str,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'static str>,
    state: State,
    phase: State,
    ready: bool,
    live: bool,
    started: String,
    /// The phase's, not the state's: each plugin has its own.
    phase_since: String,
    updated: String,
    plugins: Vec<PluginBody<'a>>,
}

#[derive(Serialize)]
struct PluginBody<'a> {
    name: &'static str,
    /// Its names, with the same keys as on all pages.
    plugin: &'static str,
    instance: &'static str,
    state: State,
    reason: Option<&'a str>,
    /// What happens to it if it is not up.
    down: Option<Down>,
    broken: bool,
    optional: bool,
    /// Whether its state does not count for the probes, according to their config.
    non_fatal: bool,
    since: String,
    updated: String,
}

impl<'a> Body<'a> {
    pub(crate) fn new(agent: &'a str, graph: &'static Graph, build: BuildInfo, status: &'a AgentStatus) -> Self {
        let plugin = |(plugin, node): (&'a PluginStatus, &Node)| PluginBody {
            name: plugin.name,
            plugin: node.name(),
            instance: node.instance(),
            state: plugin.state,
            reason: plugin.reason.as_deref(),
            down: plugin.down,
            broken: plugin.broken,
            optional: plugin.optional,
            non_fatal: plugin.non_fatal,
            since: words::moment(plugin.since),
            updated: words::moment(plugin.updated),
        };
        let probed = status.clone().probed();
        Body {
            agent,
            version: build.version,
            commit: build.commit,
            state: probed.state,
            phase: status.phase,
            ready: probed.is_ready(),
            live: probed.is_live(),
            started: words::moment(status.started),
            phase_since: words::moment(status.since),
            updated: words::moment(status.updated),
            plugins: status.plugins.iter().zip(graph.nodes()).map(plugin).collect(),
        }
    }
}

pub(crate) fn page(graph: &'static Graph, status: &AgentStatus) -> Html {
    let probed = status.clone().probed();
    let yes_no = |yes: bool| if yes { "yes" } else { "no" };
    let mut page = String::from("<dl class=\"facts\">\n");
    for (name, value) in [
        ("State", Look::of_state(probed.state).to_string()),
        ("Ready", yes_no(probed.is_ready()).to_string()),
        ("Live", yes_no(probed.is_live()).to_string()),
        ("Started", words::moment_in_words(status.started)),
        ("Up for", words::since_in_words(status.started)),
    ] {
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    page.push_str("</dl>\n<div class=\"wide\" tabindex=\"0\">\n<table class=\"rows\">\n<thead><tr><th>Plugin</th><th>State</th><th>Reason</th><th>For</th><th>Since</th></tr></thead>\n<tbody>\n");
    for (plugin, node) in status.plugins.iter().zip(graph.nodes()) {
        let (name, look) = (words::instance_first(node.names()), Look::of(plugin));
        let optional = match plugin {
            PluginStatus { optional: true, .. } => " <span class=\"dim\">optional</span>",
            PluginStatus { non_fatal: true, .. } => " <span class=\"dim\">non-fatal for the probes</span>",
            _ => "",
        };
        let (took, since) = (words::since_in_words(plugin.since), words::moment_in_words(plugin.since));
        let reason = escaped(plugin.reason.as_deref().unwrap_or_default());
        let _ = writeln!(
            page,
            "<tr><td>{name}{optional}</td><td>{look}</td><td class=\"text\">{reason}</td>\
             <td class=\"time\">{took}</td><td class=\"time\">{since}</td></tr>"
        );
    }
    page + "</tbody>\n</table>\n</div>\n"
}
