//! The design with the crate nject: an injectable for each plugin, and one provider that holds each instance.
//!
//! It has no lifecycle and no singletons of its own: each dependent gets a new instance, unless the provider has one
//! already. So that all dependents share one, the provider creates each on demand in a cell. A cycle creates the
//! provider, requests every instance in the order of the fields, and drops everything.

use super::{IMPORTS, fields, list, main_of, number, program};
use crate::graph::Graph;

/// The line of `[dependencies]`.
pub const DEPENDENCY: &str = "nject = \"=0.5.1\"";

/// The program that wires `graph`.
pub fn source(graph: &Graph) -> String {
    // Each `#[provide]` counts as one more level of macro recursion.
    let limit = graph.len() + 128;
    let mut lines = vec![
        format!("#![recursion_limit = \"{limit}\"]"),
        IMPORTS.to_owned(),
        "use nject::{injectable, provider}; use std::sync::{Arc, OnceLock};".to_owned(),
    ];
    lines.extend((0..graph.len()).map(|i| injectable(graph, i)));
    lines.push("#[provider]".to_owned());
    lines.extend(
        graph.order.iter().map(|i| {
            format!("#[provide(Arc<P{i}>, self.p{i}.get_or_init(|| Arc::new(self.provide::<P{i}>())).clone())]")
        }),
    );
    let cells = list(&graph.order, |i| format!("p{i}: OnceLock<Arc<P{i}>>"));
    lines.push(format!("#[derive(Default)] pub struct All {{ {cells} }}"));
    let all = graph.order.iter().map(|i| format!("provider.provide::<Arc<P{i}>>();"));
    let all = all.collect::<Vec<_>>().join(" ");
    let last = graph.last();
    lines.push(main_of(format!(
        "let provider = All::default(); {all} let a = provider.provide::<Arc<P{last}>>(); a.init(); a.v()"
    )));
    program(&lines)
}

/// The injectable `P<i>`.
fn injectable(graph: &Graph, i: usize) -> String {
    let fields = fields(graph, i, |k, d| format!("d{k}: Arc<P{d}>, "));
    let number = number(graph, i);
    format!(
        "#[injectable] pub struct P{i} {{ {fields}#[inject(AtomicU64::default())] v: AtomicU64 }}\n\
         impl P{i} {{ pub fn init(&self) {{ self.v.store({number}, Relaxed); }} pub fn v(&self) -> u64 {{ self.v.load(Relaxed) }} }}"
    )
}
