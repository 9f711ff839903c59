//! Prepares a start from the settings: reads and checks the config, and assigns limits and policies to the plugins'
//! places.

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
    /// Prepares the start of the flavor with this graph.
    pub(in crate::agent) fn prepare(mut self: Box<Self>, graph: &'static Graph) -> Prepared {
        let agents = (!self.policies.is_empty() || !self.plugin_limits.is_empty()).then(|| self.of_plugins());
        if self.has_config() {
            let known = own::known(graph);
            // A config that has been checked has been read.
            if !self.is_checked {
                // Another agent may have been given the same config at another time, so secrets are read again.
                self.config = self.config.with_secrets_unread();
                for warning in self.read_config(&known) {
                    self.loggers.of_agent().warn(warning);
                }
            }
            self.configure_plugins(&known);
        }
        let mut early_records = Vec::new();
        if cfg!(panic = "abort") {
            let warning = "this program is built with `panic = \"abort\"`: a panic ends it at once, and no plugin is closed; take that out of the \
                       Cargo profile";
            early_records.push((Level::Warn, warning.to_string()));
        }
        if !self.config.is_empty()
            && let Ok((logs, origins)) = LogsConfig::with_origins(&self.config)
            && let Err(error) = logs.apply(&origins, &self.loggers)
        {
            early_records.push((Level::Warn, format!("{error:?}")));
        }
        // Errors in this section are reported before anything is created.
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
            // A plugin that does not come up in time must not use up the time of those that start after it.
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
            (self.config.without_followers(), agents),
            self.stop,
            self.loggers,
        ));
        if let Some(slowest) = self.slowest {
            shared.tasks.measure(slowest);
        }
        // All sections are read before anything is created, unless this has been done already. All errors are kept.
        if !self.is_checked {
            invalid.append(&mut own::mistakes(graph, &shared.config));
        }
        let limits = Arc::new(limits);
        self.progress.set_agent(&shared, &limits);
        early_records.extend(own.without_label(&shared.config).map(|warning| (Level::Warn, warning)));
        for place in off {
            let name = graph.nodes()[place].instance();
            early_records.push((Level::Info, format!("`{name}` is switched off by its config")));
            shared.status.set_switched_off(place);
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
        Prepared { runner: Runner::new(env, self.record, early_records), shared, special, invalid }
    }

    /// The names for which something is set although no plugin has them: each once, in the same order at each start.
    fn unknown(&self, graph: &'static Graph) -> BTreeSet<String> {
        let names = self.policies.keys().chain(self.plugin_limits.keys().map(|(name, _)| name));
        // One by one, since `collect` would sort first, which is a lot of machine code.
        let mut unknown = BTreeSet::new();
        unknown.extend(names.filter(|name| graph.nodes().iter().all(|node| node.instance() != **name)).cloned());
        unknown
    }

    /// Takes over what the config sets for plugins, over what the builder has set. If both say `retry`, the builder's
    /// delays stay.
    fn configure_plugins(&mut self, known: &Known) {
        for (plugin, keys) in self.config.policies_and_limits(known) {
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

    /// The plugins that are not simply created and run, by place.
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

    /// Whether a plugin depends on this one in a way that is not bound to something else.
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
            // A collection contains what the flavor binds, even if the interface is bound to something else.
            id == by_type
                || by_interface(id)
                || (dep.need == Need::All && provider.provides().iter().any(|b| b.key.id == id))
        })
    }
}

/// A prepared start: the runner, the data that the plugins share, and the special plugins.
pub(in crate::agent) struct Prepared {
    pub(in crate::agent) runner: Runner,
    pub(in crate::agent) shared: Arc<Shared>,
    pub(in crate::agent) special: HashMap<usize, Special>,
    /// The errors in the config, and in settings for plugins that do not exist.
    pub(in crate::agent) invalid: Vec<PluginError>,
}

/// The inputs of a start's config check, copied so that they can be read again.
#[derive(Clone)]
pub(in crate::agent) struct StartCheckInputs {
    graph: &'static Graph,
    own: Own,
    config: Config,
    files: Option<Files>,
    unknown: BTreeSet<String>,
}

impl StartCheckInputs {
    /// Copies the inputs of a start with these settings.
    pub(in crate::agent) fn of(settings: &Settings, graph: &'static Graph) -> Self {
        let (own, files) = (settings.own.clone(), settings.files.clone());
        StartCheckInputs { graph, own, files, config: settings.config.clone(), unknown: settings.unknown(graph) }
    }

    /// Reads the config again, and returns its errors.
    pub(in crate::agent) fn mistakes(self) -> Vec<PluginError> {
        let StartCheckInputs { graph, own, config, files, unknown: names } = self;
        let mut settings = Settings { own, config: config.with_secrets_unread(), files, ..Settings::default() };
        // Warnings are reported by the start itself.
        settings.read_config(&own::known(graph));
        let unknown = names.iter().map(|name| unknown(graph, name));
        unknown.chain(own::mistakes(graph, &settings.config)).collect()
    }
}

/// The error if something is set for a plugin that does not exist.
fn unknown(graph: &'static Graph, name: &str) -> PluginError {
    let names: Vec<_> = graph.nodes().iter().map(Node::instance).collect();
    let error = Error::msg(format_args!("a limit or a start policy is set for `{name}`, but no plugin has that name"))
        .with_help(format_args!("the plugins are {}", names.join(", ")));
    PluginError::of_flavor(graph, Phase::Create, Cause::Config(error))
}
