//! Prints the graph for people and tools.

use super::{Graph, Need};
use std::{fmt::Write as _, str::FromStr};

/// How a graph is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// For Graphviz.
    Dot,
    /// A Mermaid flow chart, as Markdown renderers draw it.
    Mermaid,
    /// A JSON object with the flavor and its plugins in start order.
    Json,
    /// The start order as indented text: one line for each plugin, one block for each level.
    Text,
}

impl Format {
    /// The words that [`Format::from_str`] accepts.
    pub const NAMES: [&'static str; 4] = ["dot", "mermaid", "json", "text"];
}

impl FromStr for Format {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "dot" => Ok(Format::Dot),
            "mermaid" => Ok(Format::Mermaid),
            "json" => Ok(Format::Json),
            "text" => Ok(Format::Text),
            _ => Err(crate::Error::msg(format_args!("no graph format `{text}`; one of {}", Self::NAMES.join(", ")))),
        }
    }
}

impl Graph {
    /// Prints the graph in a format. A dependency is one edge, even if several fields of a plugin declare it.
    #[must_use]
    pub fn print(&self, format: Format) -> String {
        match format {
            Format::Dot => self.dot(),
            Format::Mermaid => self.mermaid(),
            Format::Json => self.json(),
            Format::Text => self.text(),
        }
    }

    /// The dependencies of the plugin at this place, each once, and whether the dependency is optional.
    fn drawn(&self, place: usize) -> impl Iterator<Item = (usize, bool)> {
        self.dependencies(place).map(|(target, need)| (target, need == Need::Optional))
    }

    fn names_of(&self, places: impl Iterator<Item = usize>) -> Vec<&'static str> {
        places.map(|place| self.names[place]).collect()
    }

    /// For Graphviz. Arrows point from a plugin to its dependencies. Optional plugins and dependencies are dashed.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut out = format!("digraph \"{}\" {{\n  rankdir = BT;\n", self.name());
        for (i, node) in self.nodes.iter().enumerate() {
            let style = if node.optional { ", style=dashed" } else { "" };
            let _ = writeln!(out, "  n{i} [label=\"{}\"{style}];", node.names());
        }
        for i in 0..self.len() {
            for (target, optional) in self.drawn(i) {
                let style = if optional { " [style=dashed]" } else { "" };
                let _ = writeln!(out, "  n{i} -> n{target}{style};");
            }
        }
        out + "}\n"
    }

    /// For Mermaid. Arrows point from a plugin to its dependencies. Optional plugins are round, optional dependencies
    /// dotted.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut out = String::from("graph BT\n");
        for (i, node) in self.nodes.iter().enumerate() {
            // Angle brackets are markup in Mermaid.
            let name = node.names().to_string().replace('<', "&lt;").replace('>', "&gt;");
            let _ =
                if node.optional { writeln!(out, "  n{i}(\"{name}\")") } else { writeln!(out, "  n{i}[\"{name}\"]") };
        }
        for i in 0..self.len() {
            for (target, optional) in self.drawn(i) {
                let arrow = if optional { "-.->" } else { "-->" };
                let _ = writeln!(out, "  n{i} {arrow} n{target}");
            }
        }
        out
    }

    /// As JSON on one line, with a line end: `{"flavor": "..", "plugins": [..]}`, with the plugins in start order. Each
    /// plugin has the keys `name`, `plugin`, `instance`, `module`, `flavor`, `field`, `level`, `optional`, `provides`,
    /// `needs` and `needs_optionally`. `name` and `plugin` are both the type's name. `needs_optionally` repeats those of
    /// `needs` that are optional.
    #[must_use]
    pub fn json(&self) -> String {
        let plugins: Vec<_> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(i, node)| {
                serde_json::json!({
                    "name": node.name(),
                    // Other JSON output of cninfra uses this key for the same name.
                    "plugin": node.name(),
                    "instance": node.instance(),
                    "module": node.plugin.key.module,
                    "flavor": node.flavor().name,
                    "field": node.field(),
                    "level": node.level,
                    "optional": node.optional,
                    "provides": node.provides().iter().map(|binding| binding.key.name).collect::<Vec<_>>(),
                    "needs": self.names_of(self.drawn(i).map(|(target, _)| target)),
                    "needs_optionally": self.names_of(self.drawn(i).filter(|(_, optional)| *optional).map(|(target, _)| target)),
                })
            })
            .collect();
        serde_json::json!({ "flavor": self.name(), "plugins": plugins }).to_string() + "\n"
    }

    /// The start order as text: both names of each plugin, the field that declares it, its dependencies, and which of
    /// them are optional.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{}: {} plugins on {} levels\n", self.name(), self.len(), self.depth());
        let mut level = None;
        for (i, node) in self.nodes.iter().enumerate() {
            if level != Some(node.level) {
                level = Some(node.level);
                let _ = writeln!(out, "level {}", node.level);
            }
            let _ = write!(out, "  {} as {}::{}", node.names(), node.flavor().name, node.field());
            if node.optional {
                out.push_str(" optional");
            }
            for (k, binding) in node.provides().iter().enumerate() {
                let _ = write!(out, "{}{}", if k == 0 { " provides " } else { ", " }, binding.key.name);
            }
            let provides = !node.provides().is_empty();
            for (k, (target, optional)) in self.drawn(i).enumerate() {
                let _ = write!(
                    out,
                    "{}{}{}",
                    if k > 0 {
                        ", "
                    } else if provides {
                        "; needs "
                    } else {
                        " needs "
                    },
                    self.names[target],
                    if optional { " if it is there" } else { "" },
                );
            }
            out.push('\n');
        }
        out
    }
}
