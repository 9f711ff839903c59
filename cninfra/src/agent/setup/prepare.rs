//! Makes of what a builder has collected what starts an agent: the config is read and checked, limits and policies have their places.

use super::{
    logs::LogsConfig,
    own::{self, AgentConfig, Own},
    settings::Settings,
};
use crate::{
    Error,
    agent::{
        run::{
            env::Env,
            runner::{Runner, Special},
        },
        terms::{
            cause::Cause,
            failure::PluginError,
            limits::{self, LimitTable},
            phase::Phase,
            policy::StartPolicy,
        },
    },
    config::{Config, Files, Known, OnFailure},
    context::Shared,
    graph::{Graph, Need, Node},
    logging::Level,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

impl Settings {
    /// What starts the flavor of this graph.
    pub(in crate::agent) fn runner(mut self: Box<Self>, graph: &'static Graph) -> Prepared {
        let agents = (!self.policies.is_empty() || !self.plugin_limits.is_empty()).then(|| self.of_plugins());
        if self.has_config() {
            let known = own::known(graph);
            // one that is checked has been read
            if !self.is_checked {
                // another agent may have been given the same config, at another time
                self.config = self.config.with_secrets_anew();
                for odd in self.read_config(&known) {
                    self.loggers.of_agent().warn(odd);
                }
            }
            self.configure_plugins(&known);
        }
        let mut first = Vec::new();
        if cfg!(panic = "abort") {
            let odd = "this program is built with `panic = \"abort\"`: a panic ends it at once, and no plugin is closed; take that out of the \
                       Cargo profile";
            first.push((Level::Warn, odd.to_string()));
        }
        if !self.config.is_empty()
            && let Ok((logs, origins)) = LogsConfig::with_origins(&self.config)
            && let Err(error) = logs.apply(&origins, &self.loggers)
        {
            first.push((Level::Warn, format!("{error:?}")));
        }
        // what is wrong with it is told before anything is created
        let own = AgentConfig::of(&self.config).unwrap_or_default();
        let whole = own.limits();
        let special = self.special(graph);
        let place = |name: &str| graph.nodes().iter().position(|node| node.instance() == name);
        let mut invalid: Vec<PluginError> = self.unknown(graph).iter().map(|name| unknown(graph, name)).collect();
        let mut policies = HashMap::new();
        let mut limits = LimitTable { whole, phases: own.phase_limits().collect(), ..LimitTable::default() };
        for (name, policy) in &self.policies {
            let Some(place) = place(name) else { continue };
            policies.insert(place, *policy);
        }
        for ((name, phase), limit) in &self.plugin_limits {
            let Some(place) = place(name) else { continue };
            limits.special.insert((place, *phase), *limit);
        }
        for (place, _) in policies.iter().filter(|(_, policy)| **policy != StartPolicy::Fail) {
            // a plugin that is not up in time must not use up the time of those after it
            if limits.of(*place, Phase::Init) >= whole.start {
                limits.first.insert(*place, whole.start / 3);
            }
        }
        let off: Vec<_> =
            special.iter().filter(|(_, special)| matches!(special, Special::Off)).map(|(place, _)| *place).collect();
        let shared = Arc::new(Shared::new(
            own.microservice_label.clone(),
            graph,
            self.build_info(graph),
            (self.config.followed_by_nobody(), agents),
            self.stop,
            self.loggers,
        ));
        if let Some(slowest) = self.slowest {
            shared.tasks.measure(slowest);
        }
        // all sections are read before anything is created, unless they have been already; all their errors are kept
        if !self.is_checked {
            invalid.append(&mut own::mistakes(graph, &shared.config));
        }
        let limits = Arc::new(limits);
        self.progress.of(&shared, &limits);
        first.extend(own.without_label(&shared.config).map(|odd| (Level::Warn, odd)));
        for place in off {
            let name = graph.nodes()[place].instance();
            first.push((Level::Info, format!("`{name}` is switched off by its config")));
            shared.status.switched_off(place);
        }
        let env = Env {
            graph,
            shared: shared.clone(),
            limits,
            policies,
            order: own.order(),
            drain_delay: own.drain_delay(),
            progress: self.progress,
            wrap: self.wrap,
        };
        Prepared { runner: Runner::new(env, self.record, first), shared, special, invalid }
    }

    /// The names of plugins that are not there and for which something is set: each once, in an order that is the same for each start.
    fn unknown(&self, graph: &'static Graph) -> BTreeSet<String> {
        let names = self.policies.keys().chain(self.plugin_limits.keys().map(|(name, _)| name));
        // one by one: to collect them sorts them first, which is code for many
        let mut unknown = BTreeSet::new();
        unknown.extend(names.filter(|name| graph.nodes().iter().all(|node| node.instance() != **name)).cloned());
        unknown
    }

    /// What the config says goes over what the builder says, whose delays stay where both try again.
    fn configure_plugins(&mut self, known: &Known) {
        for (plugin, keys) in self.config.set_of_plugins(known) {
            let limits = keys.limits.iter().flat_map(limits::phases);
            self.plugin_limits.extend(limits.map(|(phase, limit)| ((plugin.to_string(), phase), limit)));
            let Some(policy) = keys.start_policy else { continue };
            let policy = match (policy, self.policies.get(plugin)) {
                (OnFailure::Retry, Some(StartPolicy::Retry(backoff))) => StartPolicy::Retry(*backoff),
                (OnFailure::Retry, _) => StartPolicy::retry(),
                (OnFailure::Fail, _) => StartPolicy::Fail,
                (OnFailure::Ignore, _) => StartPolicy::Ignore,
            };
            self.policies.insert(plugin.to_string(), policy);
        }
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
            } else if node.provides().iter().any(|binding| self.bound.contains(&binding.key.id))
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
            provider
                .provides()
                .iter()
                .any(|binding| binding.key.id == id && (binding.many || !self.bound.contains(&id)))
        };
        graph.nodes().iter().flat_map(|node| node.plugin.deps).any(|dep| {
            let id = dep.key.id;
            // a collection holds what the flavor binds, whatever is bound in its place
            id == by_type
                || by_interface(id)
                || (dep.need == Need::All && provider.provides().iter().any(|b| b.key.id == id))
        })
    }
}

/// What starts a flavor, what its plugins share, and what is special about them.
pub(in crate::agent) struct Prepared {
    pub(in crate::agent) runner: Runner,
    pub(in crate::agent) shared: Arc<Shared>,
    pub(in crate::agent) special: HashMap<usize, Special>,
    /// Settings of plugins that are not there, and what is wrong with the config.
    pub(in crate::agent) invalid: Vec<PluginError>,
}

/// What is read for a start, to be read again.
#[derive(Clone)]
pub(in crate::agent) struct Reads {
    graph: &'static Graph,
    own: Own,
    config: Config,
    files: Option<Files>,
    unknown: BTreeSet<String>,
}

impl Reads {
    /// That of a start with these.
    pub(in crate::agent) fn of(settings: &Settings, graph: &'static Graph) -> Self {
        let (own, files) = (settings.own.clone(), settings.files.clone());
        Reads { graph, own, files, config: settings.config.clone(), unknown: settings.unknown(graph) }
    }

    /// What is wrong with it.
    pub(in crate::agent) fn mistakes(self) -> Vec<PluginError> {
        let Reads { graph, own, config, files, unknown: names } = self;
        let mut settings = Settings { own, config: config.with_secrets_anew(), files, ..Settings::default() };
        // what is only odd is told by a start
        settings.read_config(&own::known(graph));
        let unknown = names.iter().map(|name| unknown(graph, name));
        unknown.chain(own::mistakes(graph, &settings.config)).collect()
    }
}

/// Something is set for a plugin that is not there.
fn unknown(graph: &'static Graph, name: &str) -> PluginError {
    let names: Vec<_> = graph.nodes().iter().map(Node::instance).collect();
    let error = Error::msg(format_args!("a limit or a start policy is set for `{name}`, but no plugin has that name"))
        .with_help(format_args!("the plugins are {}", names.join(", ")));
    PluginError::of_flavor(graph, Phase::Create, Cause::Config(error))
}
