//! What a builder has collected, without the flavor's type: compiled once for all flavors.

use super::{
    Limits, StopHandle,
    own::{self, AgentConfig},
    runner::{Runner, Special},
};
use crate::{
    config::{Config, Files},
    context::Shared,
    graph::{Graph, Need, Node},
    inject::running::Running,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub(super) struct Settings {
    pub(super) label: Option<String>,
    pub(super) config: Config,
    /// Where its files are, until they are read.
    pub(super) files: Option<Files>,
    /// As the config says, where it is not given.
    pub(super) limits: Option<Limits>,
    pub(super) record: bool,
    /// SIGHUP has the config read again.
    pub(super) hangup: bool,
    pub(super) stop: StopHandle,
    /// By the plugin's id: its lifecycle, if it is to be run and it has one.
    replaced: HashMap<u64, Option<Arc<dyn Running>>>,
    /// Interfaces that are bound to something else.
    bound: HashSet<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            label: None,
            config: Config::new(),
            files: None,
            limits: None,
            record: false,
            hangup: false,
            stop: StopHandle::new(),
            replaced: HashMap::new(),
            bound: HashSet::new(),
        }
    }
}

impl Settings {
    /// A plugin is there already; its lifecycle is run if it is given.
    pub(super) fn replaced(&mut self, plugin: u64, running: Option<Arc<dyn Running>>) {
        // the first one stays, in its slot too
        self.replaced.entry(plugin).or_insert(running);
    }

    /// An interface is bound to something else.
    pub(super) fn bound(&mut self, interface: u64) {
        self.bound.insert(interface);
    }

    /// What starts the flavor of this graph, what its plugins share, and what is special about them.
    pub(super) fn runner(mut self, graph: &'static Graph) -> (Runner, Arc<Shared>, HashMap<usize, Special>) {
        if self.has_config() {
            for odd in self.read_config(&own::known(graph)) {
                tracing::warn!("{odd}");
            }
        }
        // what is wrong with it is told before anything is created
        let own = AgentConfig::of(&self.config).unwrap_or_default();
        let special = self.special(graph);
        let off: Vec<_> =
            special.iter().filter(|(_, special)| matches!(special, Special::Off)).map(|(place, _)| *place).collect();
        let shared = Arc::new(Shared::new(&own.microservice_label, graph, self.config.followed_by_nobody(), self.stop));
        for place in off {
            tracing::info!(
                agent = &*shared.label,
                "`{}` is switched off by its config",
                graph.nodes()[place].instance()
            );
            shared.status.switched_off(place);
        }
        (Runner::new(graph, shared.clone(), own.limits(), self.record), shared, special)
    }

    /// The plugins that are not simply created and run, by their place.
    fn special(&self, graph: &'static Graph) -> HashMap<usize, Special> {
        let mut special = HashMap::new();
        for (place, node) in graph.nodes().iter().enumerate() {
            let id = node.plugin.key.id;
            if let Some(running) = self.replaced.get(&id) {
                special.insert(place, running.clone().map_or(Special::Absent, Special::Made));
            } else if node.optional && !self.config.is_enabled(node.instance()) {
                special.insert(place, Special::Off);
            } else if node.provides.iter().any(|binding| self.bound.contains(&binding.key.id))
                && !self.is_wanted(node, graph)
            {
                special.insert(place, Special::Unused);
            }
        }
        special
    }

    /// Does a plugin ask for this one, in a way that is not bound to something else?
    fn is_wanted(&self, provider: &Node, graph: &'static Graph) -> bool {
        let by_type = provider.plugin.key.id;
        let by_interface = |id| {
            provider.provides.iter().any(|binding| binding.key.id == id && (binding.many || !self.bound.contains(&id)))
        };
        graph.nodes().iter().flat_map(|node| node.plugin.deps).any(|dep| {
            let id = dep.key.id;
            // a collection holds what the flavor binds, whatever is bound in its place
            id == by_type
                || by_interface(id)
                || (dep.need == Need::All && provider.provides.iter().any(|b| b.key.id == id))
        })
    }
}
