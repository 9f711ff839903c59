//! The design with the crate shaku: a component behind an interface for each plugin, and one module of all of them.
//!
//! It has no lifecycle: a cycle builds the module, which builds all components, resolves the last one and drops
//! everything.

use super::{IMPORTS, fields, list, main_of, number, program};
use crate::graph::Graph;

/// The line of `[dependencies]`.
pub const DEPENDENCY: &str = "shaku = \"=0.6.3\"";

/// Above this, rustc's work on the module becomes excessive: for 100, 200 and 400 components `cargo check` took 2, 8
/// and 54 seconds of CPU, and under valgrind fifty times as long.
pub const MOST_PLUGINS: usize = 200;

/// The program that wires `graph`.
pub fn source(graph: &Graph) -> String {
    let mut lines = vec![IMPORTS.to_owned(), "use shaku::*; use std::sync::Arc;".to_owned()];
    lines.extend((0..graph.len()).map(|i| component(graph, i)));
    let components = list(&graph.order, |i| format!("P{i}"));
    lines.push(format!("module! {{ All {{ components = [{components}], providers = [] }} }}"));
    let last = graph.last();
    lines.push(main_of(format!(
        "let module = All::builder().build(); let a: Arc<dyn I{last}> = module.resolve(); a.init(); a.v()"
    )));
    program(&lines)
}

/// The component `P<i>` and its interface `I<i>`.
fn component(graph: &Graph, i: usize) -> String {
    let fields = fields(graph, i, |k, d| format!("#[shaku(inject)] d{k}: Arc<dyn I{d}>, "));
    let number = number(graph, i);
    format!(
        "pub trait I{i}: Interface {{ fn init(&self); fn v(&self) -> u64; }}\n\
         #[derive(Component)] #[shaku(interface = I{i})] pub struct P{i} {{ {fields}#[shaku(default)] v: AtomicU64 }}\n\
         impl I{i} for P{i} {{ fn init(&self) {{ self.v.store({number}, Relaxed); }} fn v(&self) -> u64 {{ self.v.load(Relaxed) }} }}"
    )
}
