//! The designs that are compared: ways to wire the same graph.

use crate::generate::{hand, nject, ours, shaku};
use crate::graph::Graph;

/// A way to wire the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// cninfra: plugins and one flavor.
    Ours,
    /// [`Design::Ours`] with events recorded.
    OursEvents,
    /// The plugins of [`Design::Ours`] without any flavor: what the plugins alone cost.
    OursBare,
    /// [`Design::Ours`] in flavors of ten plugins.
    OursNested,
    /// Wiring by hand: the baseline.
    Hand,
    /// The crate shaku.
    Shaku,
    /// The crate nject.
    Nject,
}

impl Design {
    /// All designs, in the order of the table.
    pub const ALL: [Design; 7] = [
        Design::Hand,
        Design::Ours,
        Design::OursEvents,
        Design::OursNested,
        Design::OursBare,
        Design::Shaku,
        Design::Nject,
    ];

    /// The name on the command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Design::Ours => "ours",
            Design::OursEvents => "ours-events",
            Design::OursBare => "ours-bare",
            Design::OursNested => "ours-nested",
            Design::Hand => "hand",
            Design::Shaku => "shaku",
            Design::Nject => "nject",
        }
    }

    /// The program that wires `graph`.
    pub fn source(self, graph: &Graph) -> String {
        match self {
            Design::Ours => ours::source(graph, ours::Variant::Flat),
            Design::OursEvents => ours::source(graph, ours::Variant::Events),
            Design::OursBare => ours::source(graph, ours::Variant::Bare),
            Design::OursNested => ours::source(graph, ours::Variant::Nested),
            Design::Hand => hand::source(graph),
            Design::Shaku => shaku::source(graph),
            Design::Nject => nject::source(graph),
        }
    }

    /// The line in `[dependencies]` for the design's library.
    pub fn dependency(self) -> String {
        match self {
            Design::Ours | Design::OursEvents | Design::OursBare | Design::OursNested => ours::dependency(),
            Design::Hand => hand::dependency(),
            Design::Shaku => shaku::DEPENDENCY.to_owned(),
            Design::Nject => nject::DEPENDENCY.to_owned(),
        }
    }

    /// The largest number of plugins that it is measured with.
    pub fn most_plugins(self) -> usize {
        match self {
            Design::Shaku => shaku::MOST_PLUGINS,
            _ => usize::MAX,
        }
    }

    /// Whether its program starts and closes anything.
    pub fn starts(self) -> bool {
        self != Design::OursBare
    }

    /// Whether its plugins have a lifecycle; then the last one computes the same number in every design.
    pub fn has_lifecycle(self) -> bool {
        matches!(self, Design::Ours | Design::OursEvents | Design::OursNested | Design::Hand)
    }
}
