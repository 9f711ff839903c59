//! The design with cninfra itself. Only [`API`] depends on its API, and the words `Dep`, `Lifecycle`, `Context`,
//! `Result`, `#[plugin]` and `#[derive(Flavor)]` below.

use std::path::Path;

use super::{IMPORTS, group, group_of, groups, list, main_of, plugin, program};
use crate::graph::Graph;

/// How the generated programs use cninfra: to be adapted if its API changes.
struct Api {
    /// The name of the package.
    package: &'static str,
    /// Its directory, relative to that of this package.
    directory: &'static str,
    /// The line that imports its names.
    prelude: &'static str,
    /// Starts the agent `a`.
    start: &'static str,
    /// Starts the agent `a`, with events recorded.
    start_with_events: &'static str,
    /// Closes the agent `a`.
    close: &'static str,
    /// The derive for a flavor that is part of another one and not complete by itself.
    nested_flavor: &'static str,
}

/// The API of this workspace.
const API: Api = Api {
    package: "cninfra",
    directory: "../../cninfra",
    prelude: "use cninfra::prelude::*;",
    start: "let a = Agent::<All>::start().await.unwrap();",
    start_with_events: "let a = Agent::<All>::builder().record_events(true).start().await.unwrap();",
    close: "a.close().await.unwrap();",
    nested_flavor: "#[derive(Flavor)] #[flavor(open)]",
};

/// What is built of the plugins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// One flavor of all plugins, in the random order of the graph.
    Flat,
    /// [`Variant::Flat`], with events recorded.
    Events,
    /// A flavor that consists of flavors of ten plugins.
    Nested,
    /// No flavor, and a `main` that does nothing.
    Bare,
}

/// The line of `[dependencies]`.
pub fn dependency() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(API.directory);
    format!("{} = {{ path = {path:?} }}", API.package)
}

/// The program that wires `graph`.
pub fn source(graph: &Graph, variant: Variant) -> String {
    let mut lines = vec![IMPORTS.to_owned(), API.prelude.to_owned()];
    lines.extend((0..graph.len()).map(|i| plugin(graph, i, "#[plugin] ", "Dep", "Lifecycle")));
    match variant {
        Variant::Flat | Variant::Events => lines.push(flavor(graph)),
        Variant::Nested => lines.extend(nested_flavors(graph)),
        Variant::Bare => {}
    }
    lines.push(match variant {
        Variant::Bare => "fn main() {}".to_owned(),
        _ => main_of(cycle(graph, variant)),
    });
    program(&lines)
}

/// One flavor of all plugins.
fn flavor(graph: &Graph) -> String {
    let fields = list(&graph.order, |i| format!("p{i}: Dep<P{i}>"));
    format!("#[derive(Flavor)] pub struct All {{ {fields} }}")
}

/// A flavor for every ten plugins, and one that consists of these.
fn nested_flavors(graph: &Graph) -> Vec<String> {
    let mut flavors: Vec<String> = groups(graph)
        .map(|g| {
            let fields = list(group(graph, g), |i| format!("p{i}: Dep<P{i}>"));
            format!("{} pub struct F{g} {{ {fields} }}", API.nested_flavor)
        })
        .collect();
    let fields = list(groups(graph), |g| format!("f{g}: F{g}"));
    flavors.push(format!("#[derive(Flavor)] pub struct All {{ {fields} }}"));
    flavors
}

/// One start and close.
fn cycle(graph: &Graph, variant: Variant) -> String {
    let last = graph.last();
    let start = match variant {
        Variant::Events => API.start_with_events,
        _ => API.start,
    };
    let field = match variant {
        Variant::Nested => format!("f{}.p{last}", group_of(last)),
        _ => format!("p{last}"),
    };
    format!("{start} let v = a.{field}.v(); {} v", API.close)
}
