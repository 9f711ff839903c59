//! [`Env`]: what is fixed for one agent from start to stop, and read by all its steps.

use super::progress::Progress;
use crate::{
    agent::terms::{limits::LimitTable, order::Order, policy::StartPolicy},
    context::Shared,
    graph::{Graph, Node},
    inject::running::Running,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

pub(in crate::agent) struct Env {
    pub(in crate::agent) graph: &'static Graph,
    pub(in crate::agent) shared: Arc<Shared>,
    pub(in crate::agent) limits: Arc<LimitTable>,
    /// By place. A plugin without an entry fails the start if its `init` fails.
    pub(in crate::agent) policies: HashMap<usize, StartPolicy>,
    pub(in crate::agent) order: Order,
    pub(in crate::agent) drain_delay: Duration,
    pub(in crate::agent) progress: Arc<Progress>,
    pub(in crate::agent) wrap: Option<Wrap>,
}

/// Wraps each created plugin, so that a test can observe it.
pub(crate) type Wrap = Arc<dyn Fn(&'static Node, Arc<dyn Running>) -> Arc<dyn Running> + Send + Sync>;

impl Env {
    /// The same environment for a task that writes its progress elsewhere.
    pub(in crate::agent) fn with_progress(&self, progress: Arc<Progress>) -> Env {
        let Env { graph, order, drain_delay, .. } = *self;
        let (shared, limits, wrap) = (self.shared.clone(), self.limits.clone(), self.wrap.clone());
        Env { graph, shared, limits, policies: self.policies.clone(), order, drain_delay, progress, wrap }
    }

    pub(super) fn policy(&self, place: usize) -> StartPolicy {
        self.policies.get(&place).copied().unwrap_or_default()
    }

    /// The end of the group of plugins that starts with the plugin at `from`.
    pub(super) fn group_end(&self, from: usize) -> usize {
        let nodes = &self.graph.nodes()[from..];
        match self.order {
            Order::OneByOne => from + 1,
            Order::Concurrent => from + nodes.iter().take_while(|node| node.level == nodes[0].level).count(),
        }
    }

    /// The begin of the group of plugins that closes with the plugin before `to`.
    pub(super) fn group_begin(&self, to: usize) -> usize {
        let nodes = &self.graph.nodes()[..to];
        match (self.order, nodes.last()) {
            (Order::Concurrent, Some(last)) => nodes.partition_point(|node| node.level < last.level),
            _ => to.saturating_sub(1),
        }
    }
    /// The number of groups that close one after the other.
    pub(super) fn groups(&self) -> u32 {
        let begins = |to: &usize| Some(self.group_begin(*to)).filter(|_| *to > 0);
        std::iter::successors(begins(&self.graph.len()), begins).fold(0, |count, _| count + 1)
    }
}
