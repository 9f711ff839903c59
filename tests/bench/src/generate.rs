//! Generates the programs. All designs have the same plugins and the same `main`, and each its own wiring.

pub mod hand;
pub mod nject;
pub mod ours;
pub mod shaku;

use std::fmt::Display;

use crate::graph::Graph;

/// The number of plugins in a function of the design `hand`, and in a nested flavor.
const GROUP: usize = 10;

/// The first line of every program.
const IMPORTS: &str = "use std::sync::atomic::{AtomicU64, Ordering::Relaxed};";

/// A plugin with a lifecycle: `init` computes a number from those of its dependencies.
fn plugin(graph: &Graph, i: usize, attribute: &str, handle: &str, lifecycle: &str) -> String {
    let fields = fields(graph, i, |k, d| format!("d{k}: {handle}<P{d}>, "));
    let number = number(graph, i);
    format!(
        "{attribute}pub struct P{i} {{ {fields}v: AtomicU64 }}\n\
         impl {lifecycle} for P{i} {{ async fn init(&self, _: &Context) -> Result<()> {{ self.v.store({number}, Relaxed); Ok(()) }} }}\n\
         impl P{i} {{ pub fn v(&self) -> u64 {{ self.v.load(Relaxed) }} }}"
    )
}

/// The expression for the number that plugin `i` computes from its dependencies.
fn number(graph: &Graph, i: usize) -> String {
    let sum = fields(graph, i, |k, _| format!(" + self.d{k}.v()"));
    format!("({i}{sum}) % 1000")
}

/// Joins what `each` writes for the dependencies of plugin `i`, given the index and the number of each dependency.
fn fields(graph: &Graph, i: usize, each: impl Fn(usize, usize) -> String) -> String {
    graph.dependencies[i].iter().enumerate().map(|(k, d)| each(k, *d)).collect()
}

/// The items as `each` writes them, separated by commas.
fn list<T>(items: impl IntoIterator<Item = T>, each: impl Fn(T) -> String) -> String {
    items.into_iter().map(each).collect::<Vec<_>>().join(", ")
}

/// The first plugin of the group of `i`; it names the group.
fn group_of(i: usize) -> usize {
    i / GROUP * GROUP
}

/// The groups, by their first plugins.
fn groups(graph: &Graph) -> impl Iterator<Item = usize> + use<> {
    (0..graph.len()).step_by(GROUP)
}

/// The plugins of the group that begins with `first`.
fn group(graph: &Graph, first: usize) -> std::ops::Range<usize> {
    first..graph.len().min(first + GROUP)
}

/// The end of every program that starts something. It prints the time of one cycle, the best of ten rounds of fifty,
/// and the number of the last plugin. `cycle` is statements and an expression for that number.
fn main_of(cycle: impl Display) -> String {
    format!(
        r#"async fn cycle() -> u64 {{ {cycle} }}
#[tokio::main(flavor = "current_thread")]
async fn main() {{
    for _ in 0..50 {{ std::hint::black_box(cycle().await); }}
    let mut best = std::time::Duration::MAX;
    for _ in 0..10 {{
        let t = std::time::Instant::now();
        for _ in 0..50 {{ std::hint::black_box(cycle().await); }}
        best = best.min(t.elapsed() / 50);
    }}
    println!("{{best:?}} per start+close, v={{}}", cycle().await);
}}"#
    )
}

/// The program with these lines.
fn program(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}
