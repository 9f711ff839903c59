//! [`Unclosed`]: the plugins that are left unclosed when the end is forced.

use crate::{
    agent::{run::progress::Progress, terms::phase::Phase},
    graph::Graph,
};
use std::fmt::{self, Formatter};

/// Displays the plugins that have begun and are not closed, one a line; nothing if there are none.
pub(super) struct Unclosed<'a>(pub(super) &'a Progress);

/// Writes a line for a plugin that is still in this phase.
pub(super) fn write_still(f: &mut Formatter<'_>, graph: &'static Graph, (place, phase): (usize, Phase)) -> fmt::Result {
    write!(f, "\n  - plugin `{}` is still in {phase}", graph.nodes()[place].names())?;
    // A plugin that is only created needs no closing.
    if !matches!(phase, Phase::Create | Phase::Close) {
        f.write_str(": it is not closed")?;
    }
    Ok(())
}

/// Writes a line for a plugin that is not closed.
pub(super) fn write_open(f: &mut Formatter<'_>, graph: &'static Graph, place: usize) -> fmt::Result {
    write!(f, "\n  - plugin `{}` is not closed", graph.nodes()[place].names())
}

impl fmt::Display for Unclosed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(graph) = self.0.graph() else { return Ok(()) };
        let mut running = Vec::new();
        // The call that blocks, and those that block the tasks that have taken over from it.
        for call in self.0.calls() {
            if call.is_destructor() {
                write!(f, "\n  - {} is still in {call}", call.who(graph).0)?;
            } else {
                running.push((call.place, call.phase));
            }
        }
        for step in self.0.waiting() {
            if !running.contains(&step) {
                running.push(step);
            }
        }
        for step in &running {
            write_still(f, graph, *step)?;
        }
        let is_other = |place: &usize| running.iter().all(|(other, _)| other != place);
        self.0.unclosed().into_iter().filter(is_other).try_for_each(|place| write_open(f, graph, place))
    }
}
