//! [`Steps`]: an agent's events as text.

use crate::{
    agent::{Event, Outcome},
    graph::Graph,
};
use std::fmt;

/// An agent's events as text, in the order in which the steps ended: the phase, the plugin's type name and, unless it
/// succeeded, how it ended. `init Rest`, `close Rest`, `init Etcd timed out`.
#[derive(Clone, PartialEq, Eq)]
pub struct Steps(Vec<String>);

impl Steps {
    /// The steps of these events, for an agent of this flavor.
    #[must_use]
    pub fn new(graph: &Graph, events: &[Event]) -> Self {
        let line = |event: &Event| {
            let name = graph.names().get(usize::from(event.place)).copied().unwrap_or("?");
            match event.outcome {
                Outcome::Done => format!("{} {name}", event.phase),
                outcome => format!("{} {name} {outcome}", event.phase),
            }
        };
        Steps(events.iter().map(line).collect())
    }

    /// All steps.
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// The steps of a phase (`init`), or of a plugin (`Rest`).
    #[must_use]
    pub fn of(&self, phase_or_plugin: &str) -> Vec<&str> {
        let is_of = |line: &&str| line.split(' ').take(2).any(|word| word == phase_or_plugin);
        self.0.iter().map(String::as_str).filter(is_of).collect()
    }

    /// Asserts that each of `steps` occurs exactly once, and that they are in this order. Others may lie between.
    ///
    /// # Panics
    /// They are not.
    #[track_caller]
    pub fn in_order(&self, steps: &[&str]) {
        let mut before = None;
        for step in steps {
            let mut at = self.0.iter().enumerate().filter(|(_, line)| line == step).map(|(at, _)| at);
            let place = match (at.next(), at.next()) {
                (Some(place), None) => place,
                (None, _) => panic!("no step `{step}` in {self:?}"),
                (Some(_), Some(_)) => panic!("more than one step `{step}` in {self:?}"),
            };
            assert!(
                before.is_none_or(|(_, at)| at < place),
                "`{step}` before `{}` in {self:?}",
                before.map_or("", |b| b.0)
            );
            before = Some((*step, place));
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
