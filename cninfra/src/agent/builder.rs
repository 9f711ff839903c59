//! [`Builder`]: what is set before the start.

use super::{
    Agent, Limits, StartError, StopHandle,
    runner::{Runner, Special},
};
use crate::{
    Dep, Plugin,
    config::Config,
    context::Shared,
    graph::{Need, Node},
    inject::{
        flavor::Held,
        part::Part,
        replace::{Bindable, Instance, Place, Seat},
        running::Running,
    },
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What is set before the start of an agent: config, limits, replacements for tests. See [`Agent::builder`].
#[must_use = "an agent does nothing before it is started"]
pub struct Builder<F> {
    pub(super) held: Box<dyn Held<F>>,
    pub(super) label: Option<String>,
    pub(super) config: Config,
    limits: Limits,
    record: bool,
    stop: StopHandle,
    /// By the plugin's id: its lifecycle, if it is to be run and it has one.
    replaced: HashMap<u64, Option<Arc<dyn Running>>>,
    /// Interfaces that are bound to something else.
    bound: HashSet<u64>,
}

impl<F> std::fmt::Debug for Builder<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("flavor", &self.held.graph().name())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl<F> Builder<F> {
    pub(super) fn new(held: Box<dyn Held<F>>) -> Self {
        Builder {
            held,
            label: None,
            config: Config::new(),
            limits: Limits::default(),
            record: false,
            stop: StopHandle::new(),
            replaced: HashMap::new(),
            bound: HashSet::new(),
        }
    }

    /// The service label: the name of this agent among its peers. Default: `vpp1`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The config, instead of none.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How long the agent waits for its plugins.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Records every step as an [`Event`](super::Event), for [`Agent::events`]. Off by default; `Agent::main` switches
    /// it on.
    pub fn record_events(mut self, record: bool) -> Self {
        self.record = record;
        self
    }

    /// What stops the agent, also while it starts.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Puts a ready plugin in the place of the one that the flavor would make: it is neither created, nor
    /// initialised, nor closed by the agent. A [`Dep`] of it may be kept, to look at it afterwards.
    pub fn with<P: Plugin, S, A: Seat<S, P>>(mut self, plugin: impl Instance<Plugin = P>) -> Self
    where
        F: Part<Slots = S> + Place<P, At = A>,
    {
        self.seat::<P, S, A>(plugin.dep(), false);
        self
    }

    /// Puts a plugin that is not ready yet in the place of the one that the flavor would make: the agent runs its
    /// lifecycle, but does not create it.
    pub fn with_new<P: Plugin, S, A: Seat<S, P>>(mut self, plugin: impl Instance<Plugin = P>) -> Self
    where
        F: Part<Slots = S> + Place<P, At = A>,
    {
        self.seat::<P, S, A>(plugin.dep(), true);
        self
    }

    fn seat<P: Plugin, S, A: Seat<S, P>>(&mut self, plugin: Dep<P>, run: bool)
    where
        F: Part<Slots = S>,
    {
        let running = if run { P::running(&plugin) } else { None };
        A::seat(self.held.slots()).set(plugin);
        self.replaced.insert(P::META.id, running);
    }

    /// Puts `provider` behind an interface, for every plugin that depends on it. The plugin that the flavor binds to the
    /// interface is created, but its lifecycle does not run, unless another plugin asks for it in another way: by its
    /// type, or by another interface.
    pub fn bind<K: Bindable<F> + ?Sized>(mut self, provider: Arc<K>) -> Self {
        K::seat(&*self.held).set(Dep(provider));
        self.bound.insert(K::META.id);
        self
    }

    /// Starts the agent.
    ///
    /// # Errors
    /// Every error of every plugin that failed, and of the rollback. Nothing that had begun is left open.
    ///
    /// # Cancel safety
    /// Not cancel safe: dropped, it leaves plugins that are not closed. To interrupt a start use [`Builder::stop_handle`].
    pub async fn start(self) -> Result<Agent<F>, StartError> {
        let special = self.special();
        let label = self.label.as_deref().unwrap_or(super::DEFAULT_LABEL);
        let shared = Arc::new(Shared::new(label, self.held.graph(), self.config, self.stop));
        let runner = Runner::new(self.held.graph(), shared.clone(), self.limits, self.record);
        let held = self.held;
        // all but the creation of the typed plugins is compiled once for all flavors
        let runner = runner.start(&|index, cx| held.create(index, cx), special).await?;
        let handles = held.handles();
        Ok(Agent { handles, held, runner, shared })
    }

    /// The plugins that are not simply created and run, by their place.
    fn special(&self) -> HashMap<usize, Special> {
        let mut special = HashMap::new();
        let nodes = self.held.graph().nodes();
        for (place, node) in nodes.iter().enumerate() {
            let id = node.plugin.key.id;
            if let Some(running) = self.replaced.get(&id) {
                special.insert(place, running.clone().map_or(Special::Absent, Special::Made));
            } else if node.optional && !self.config.is_enabled(node.instance()) {
                special.insert(place, Special::Absent);
            } else if node.provides.iter().any(|binding| self.bound.contains(&binding.key.id)) && !self.is_wanted(node)
            {
                special.insert(place, Special::Unused);
            }
        }
        special
    }

    /// Does a plugin ask for this one, in a way that is not bound to something else?
    fn is_wanted(&self, provider: &Node) -> bool {
        let by_type = provider.plugin.key.id;
        let by_interface = |id| {
            provider.provides.iter().any(|binding| binding.key.id == id && (binding.many || !self.bound.contains(&id)))
        };
        self.held.graph().nodes().iter().flat_map(|node| node.plugin.deps).any(|dep| {
            let id = dep.key.id;
            // a collection holds what the flavor binds, whatever is bound in its place
            id == by_type
                || by_interface(id)
                || (dep.need == Need::All && provider.provides.iter().any(|b| b.key.id == id))
        })
    }
}
