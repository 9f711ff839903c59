//! [`Timeline`]: how long each plugin took in a start.

use super::{
    event::{Event, Outcome},
    phase::Phase,
};
use crate::{graph::Graph, order::sort_few};
use std::{collections::HashSet, fmt, time::Duration};

/// How long each plugin took in a start, made from its [events](crate::agent::Event).
///
/// Steps on the *critical path* are those that all others waited for: to make the start faster, begin there. Its text
/// is a table of the plugins in start order; those on the critical path are marked with `*`.
///
/// ```
/// use cninfra::{agent::Timeline, prelude::*};
///
/// #[plugin]
/// struct Greeter;
///
/// impl Lifecycle for Greeter {
///     async fn init(&self, _: &Context) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// #[derive(Flavor)]
/// struct Hello {
///     greeter: Dep<Greeter>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let agent = Agent::<Hello>::builder().record_events(true).start().await?;
/// let timeline = Timeline::new(Hello::GRAPH, agent.events());
/// assert!(timeline.steps().any(|step| step.critical));
/// println!("{timeline}");
/// agent.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Timeline {
    graph: &'static Graph,
    steps: Vec<Step>,
    later: Vec<Step>,
}

/// A step of a start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The plugin's type name.
    pub plugin: &'static str,
    /// The record of the step.
    pub event: Event,
    /// Whether later steps waited for it.
    pub critical: bool,
}

impl Timeline {
    /// Makes a timeline of the start that these events contain. Steps after the start are kept in [`Timeline::later`].
    #[must_use]
    pub fn new(graph: &'static Graph, events: &[Event]) -> Self {
        let (mut steps, mut later, mut down) = (Vec::new(), Vec::new(), HashSet::new());
        for event in events {
            let Some(node) = graph.nodes().get(usize::from(event.place)) else { continue };
            let step = Step { plugin: node.name(), event: *event, critical: false };
            let is_start = matches!(event.phase, Phase::Create | Phase::Init | Phase::AfterInit);
            // Steps after a failed `init` are later attempts, made after the agent has started without the plugin.
            if !is_start || down.contains(&event.place) {
                later.push(step);
                continue;
            }
            if event.phase == Phase::Init && event.outcome != Outcome::Done {
                down.insert(event.place);
            }
            steps.push(step);
        }
        // Backwards from the step that ended last: each one waited for the one that ended last before it began. A step
        // that took no time is not on the path.
        let mut latest_first: Vec<usize> = (0..steps.len()).rev().filter(|i| !steps[*i].event.took.is_zero()).collect();
        // The order is already almost right, since events are recorded when they end.
        sort_few(&mut latest_first, |one, other| {
            (steps[*one].event.ended(), other) < (steps[*other].event.ended(), one)
        });
        let mut until = Duration::MAX;
        for i in latest_first {
            if steps[i].event.ended() <= until {
                steps[i].critical = true;
                until = steps[i].event.started;
            }
        }
        Timeline { graph, steps, later }
    }

    /// The steps, in the order in which they ended.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter()
    }

    /// The steps after the start, in the order in which they ended: later attempts at plugins whose `init` had failed,
    /// and the steps of the stop.
    pub fn later(&self) -> impl Iterator<Item = &Step> {
        self.later.iter()
    }

    /// The time from the beginning of the start to the end of its last step. All times of the steps count from the same
    /// beginning. Before the first step, the config is read.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.steps.iter().map(|step| step.event.ended()).max().unwrap_or_default()
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timeline of {:.1?}, from the beginning of the start (* all others waited for it)", self.took())?;
        let names: Vec<String> = self.graph.nodes().iter().map(|node| node.names().to_string()).collect();
        let widest = names.iter().map(String::len).max().unwrap_or_default();
        for (place, name) in names.iter().enumerate() {
            // A method that is left at its default takes no time, and is left out.
            let is_told = |step: &&Step| step.event.outcome != Outcome::Done || !step.event.took.is_zero();
            let of_it = |step: &&Step| usize::from(step.event.place) == place;
            let mut steps = self.steps.iter().filter(of_it).filter(is_told).peekable();
            if steps.peek().is_none() {
                continue;
            }
            write!(f, "\n    {name:widest$}")?;
            for step in steps {
                let Event { phase, started, took, outcome, .. } = step.event;
                let mark = if step.critical { "*" } else { "" };
                write!(f, "  {phase}{mark} {took:.1?} at {started:.1?}")?;
                match outcome {
                    Outcome::Done => {}
                    outcome => write!(f, " {outcome}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[plugin(no_lifecycle)]
    struct Idle;
    #[derive(Flavor)]
    struct Lone {
        idle: Dep<Idle>,
    }

    #[test]
    fn what_it_took_and_when_a_step_was_are_of_one_scale() {
        let (started, took) = (Duration::from_micros(1200), Duration::from_micros(500));
        let event = Event { place: 0, phase: Phase::Init, started, took, outcome: Outcome::Done };
        let text = Timeline::new(Lone::GRAPH, &[event]).to_string();
        let expected = "timeline of 1.7ms, from the beginning of the start (* all others waited for it)\n    Idle  init* 500.0µs at 1.2ms";
        assert_eq!(text, expected);
    }
}
