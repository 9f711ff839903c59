//! Helpers for plugins with a scripted `init`, and for events as text.

use cninfra::agent::{Event, Outcome};
use cninfra::graph::Graph;

/// A plugin with these dependencies, whose `init` evaluates an expression.
#[macro_export]
macro_rules! plug {
    ($name:ident { $($field:ident: $ty:ty),* $(,)? } $($init:expr)?) => {
        #[cninfra::plugin]
        pub struct $name {
            $(#[allow(dead_code)] pub $field: $ty),*
        }
        impl cninfra::Lifecycle for $name {
            async fn init(&self, _: &cninfra::Context) -> cninfra::Result<()> {
                $($init;)?
                #[allow(unreachable_code)]
                Ok(())
            }
        }
    };
}

/// Events as text, such as `init Http` and `close Http`, with the outcome if a step did not succeed.
pub fn lines(graph: &Graph, events: &[Event]) -> Vec<String> {
    let line = |event: &Event| {
        let mark = match event.outcome {
            Outcome::Done => String::new(),
            outcome => format!(" {outcome}"),
        };
        format!("{} {}{mark}", event.phase, graph.names()[usize::from(event.place)])
    };
    events.iter().map(line).collect()
}

/// Only the events of these phases.
pub fn only(lines: Vec<String>, phases: &[&str]) -> Vec<String> {
    lines.into_iter().filter(|line| phases.iter().any(|phase| line.split(' ').next() == Some(phase))).collect()
}
