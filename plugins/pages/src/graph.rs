//! `/agent/graph`: the plugins, their dependencies and their states.

use crate::{
    answer::Html,
    layout::Layout,
    look::Look,
    rows::Edge,
    svg::{self, Shown},
    words,
};
use cninfra::{
    Phase,
    agent::Event,
    graph::{Graph, Need, Node},
    http::escaped,
    status::AgentStatus,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The part that never changes; it is made once.
pub(crate) struct Drawing {
    layout: Layout,
    /// For each plugin, by index: its dependencies, and its dependents.
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
}

impl Drawing {
    pub(crate) fn of(graph: &'static Graph) -> Self {
        let levels: Vec<usize> = graph.nodes().iter().map(|node| node.level.into()).collect();
        let (mut edges, mut needs, mut needed_by) =
            (Vec::new(), vec![Vec::new(); graph.len()], vec![Vec::new(); graph.len()]);
        for (source, needs) in needs.iter_mut().enumerate() {
            for (target, need) in graph.dependencies(source) {
                edges.push(Edge { source, target, optional: need == Need::Optional });
                needs.push(target);
                needed_by[target].push(source);
            }
        }
        Drawing { layout: Layout::of(&levels, edges), needs, needed_by }
    }
}

/// The output of `--graph json`, with the state of each plugin, and how long its `init` took.
pub(crate) fn body(graph: &'static Graph, status: &AgentStatus, events: &[Event]) -> Value {
    let mut body: Value = serde_json::from_str(&graph.json()).unwrap_or_default();
    body["state"] = json!(status.state);
    let plugins = body["plugins"].as_array_mut().into_iter().flatten();
    for (place, (body, plugin)) in plugins.zip(&status.plugins).enumerate() {
        body["state"] = json!(plugin.state);
        body["reason"] = json!(plugin.reason);
        body["down"] = json!(plugin.down);
        body["init_us"] = json!(init(place, events).map(|event| words::micros(event.took)));
    }
    body
}

/// The first `init` of a plugin.
fn init(place: usize, events: &[Event]) -> Option<&Event> {
    events.iter().find(|event| usize::from(event.place) == place && event.phase == Phase::Init)
}

pub(crate) fn page(graph: &'static Graph, drawing: &Drawing, status: &AgentStatus, events: &[Event]) -> Html {
    let took = |place| init(place, events).map(|event| words::took(event.took));
    let shown: Vec<Shown> = (graph.nodes().iter().zip(&status.plugins).enumerate())
        .map(|(place, (node, plugin))| {
            let (look, took) = (Look::of(plugin), took(place));
            let mut whole = format!("{} ({})\n{}", node.name(), node.instance(), look.word);
            if let Some(reason) = &plugin.reason {
                let _ = write!(whole, ": {reason}");
            }
            if let Some(took) = &took {
                let _ = write!(whole, "\ninit {took}");
            }
            for (what, linked) in [("needs", &drawing.needs[place]), ("needed by", &drawing.needed_by[place])] {
                if !linked.is_empty() {
                    let names: Vec<_> = linked.iter().map(|place| graph.names()[*place]).collect();
                    let _ = write!(whole, "\n{what} {}", names.join(", "));
                }
            }
            Shown { name: node.name(), look, took, whole, optional: node.optional }
        })
        .collect();
    let title = format!("{} plugins on {} levels", graph.len(), graph.depth());
    let others: Vec<String> = ["dot", "mermaid", "text", "json"]
        .iter()
        .map(|format| format!("<a href=\"?format={format}\">{format}</a>"))
        .collect();
    format!(
        "<p>{title}. An arrow goes from a plugin to what it needs: that starts first, and closes last. Dashed is what is optional. \
         The time is that of <code>init</code>. As {}.</p>\n<div class=\"wide\" tabindex=\"0\">\n{}</div>\n{}{}",
        others.join(", "),
        svg::drawing(&drawing.layout, &title, &shown),
        svg::highlights(graph.len()),
        table(graph, drawing, status, &shown),
    )
}

/// The same as a table.
fn table(graph: &'static Graph, drawing: &Drawing, status: &AgentStatus, shown: &[Shown]) -> Html {
    let mut table = String::from(
        "<h2>The same as a table</h2>\n<div class=\"wide\" tabindex=\"0\">\n<table>\n<thead><tr><th>Plugin</th><th>Level</th><th>State</th><th>init</th>\
         <th>Needs</th><th>Needed by</th><th>Reason</th></tr></thead>\n<tbody>\n",
    );
    for (place, (node, (plugin, shown))) in graph.nodes().iter().zip(status.plugins.iter().zip(shown)).enumerate() {
        let (name, took) = (words::type_first(node.names()), shown.took.as_deref().unwrap_or("–"));
        let optional = if node.optional { " <span class=\"dim\">optional</span>" } else { "" };
        let reason = escaped(plugin.reason.as_deref().unwrap_or_default());
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            table,
            "<tr id=\"p{place}\"><td>{name}{optional}{}</td><td>{}</td><td>{}</td><td class=\"time\">{took}</td>\
             <td class=\"text\">{}</td><td class=\"text\">{}</td><td class=\"text\">{reason}</td></tr>",
            provided(node),
            node.level,
            shown.look,
            linked(graph, &drawing.needs[place]),
            linked(graph, &drawing.needed_by[place]),
        );
    }
    table + "</tbody>\n</table>\n</div>\n"
}

fn provided(node: &Node) -> Html {
    let names: Vec<String> =
        node.provides().iter().map(|binding| format!("<code>{}</code>", escaped(binding.key.name))).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("<br><span class=\"dim\">provides {}</span>", names.join(", "))
    }
}

fn linked(graph: &'static Graph, places: &[usize]) -> Html {
    let link = |place: &usize| format!("<a href=\"#p{place}\">{}</a>", escaped(graph.names()[*place]));
    places.iter().map(link).collect::<Vec<_>>().join(", ")
}
