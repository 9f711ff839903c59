//! The baseline: wiring as an engineer writes it by hand. Functions for ten plugins each, with the small library
//! `handrt` for time-outs, rollback and close.

use std::collections::BTreeSet;
use std::path::Path;

use super::{IMPORTS, fields, group, group_of, groups, list, main_of, plugin, program};
use crate::graph::Graph;

/// The line of `[dependencies]`.
pub fn dependency() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("handrt");
    format!("handrt = {{ path = {path:?} }}")
}

/// The program that wires `graph`.
pub fn source(graph: &Graph) -> String {
    let mut lines = vec![IMPORTS.to_owned(), "use handrt::*; use std::sync::Arc;".to_owned()];
    lines.extend((0..graph.len()).map(|i| plugin(graph, i, "", "Arc", "Life")));
    for g in groups(graph) {
        lines.extend(start_of_group(graph, g));
    }
    lines.extend(start_of_all(graph));
    lines.push(main_of(cycle(graph)));
    program(&lines)
}

/// The struct of ten plugins, and the function that starts them.
fn start_of_group(graph: &Graph, g: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let members = list(group(graph, g), |i| format!("p{i}: Arc<P{i}>"));
    lines.push(format!("pub struct G{g} {{ {members} }}"));
    let parameters = list(needed(graph, g), |k| format!("g{k}: &G{k}"));
    lines.push(format!("async fn start_g{g}(up: &mut Up, {parameters}) -> Result<G{g}> {{"));
    for i in group(graph, g) {
        let fields = fields(graph, i, |k, d| {
            if d >= g { format!("d{k}: p{d}.clone(), ") } else { format!("d{k}: g{}.p{d}.clone(), ", group_of(d)) }
        });
        lines.push(format!("  let p{i} = up.start(P{i} {{ {fields}v: AtomicU64::default() }}).await?;"));
    }
    let members = list(group(graph, g), |i| format!("p{i}"));
    lines.push(format!("  Ok(G{g} {{ {members} }})\n}}"));
    lines
}

/// The struct of all groups, and the function that starts them.
fn start_of_all(graph: &Graph) -> Vec<String> {
    let mut lines = Vec::new();
    let members = list(groups(graph), |g| format!("g{g}: G{g}"));
    lines.push(format!("pub struct All {{ {members} }}"));
    lines.push("async fn start(up: &mut Up) -> Result<All> {".to_owned());
    for g in groups(graph) {
        let arguments = list(needed(graph, g), |k| format!("&g{k}"));
        lines.push(format!("  let g{g} = start_g{g}(up, {arguments}).await?;"));
    }
    let members = list(groups(graph), |g| format!("g{g}"));
    lines.push(format!("  up.after_init().await?;\n  Ok(All {{ {members} }})\n}}"));
    lines
}

/// The other groups that the plugins of group `g` depend on.
fn needed(graph: &Graph, g: usize) -> BTreeSet<usize> {
    let dependencies = group(graph, g).flat_map(|i| &graph.dependencies[i]);
    dependencies.map(|d| group_of(*d)).filter(|k| *k != g).collect()
}

/// One start and close.
fn cycle(graph: &Graph) -> String {
    let last = graph.last();
    let g = group_of(last);
    format!(
        "let mut up = Up::default(); let a = start(&mut up).await; \
         let v = a.map(|a| a.g{g}.p{last}.v()); up.close().await; v.unwrap()"
    )
}
