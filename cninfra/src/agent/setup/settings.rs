//! [`Settings`]: what a builder has collected, without the flavor's type, so that it is compiled once for all flavors.

use super::own::Own;
use crate::{
    BuildInfo,
    agent::{
        run::{env::Wrap, progress::Progress},
        terms::{phase::Phase, policy::StartPolicy},
    },
    config::{Config, Files},
    graph::Graph,
    inject::running::Running,
    logging::{Loggers, SharedFormat},
    stop::StopHandle,
    tasks::Slowest,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

pub(in crate::agent) struct Settings {
    pub(in crate::agent) own: Own,
    /// The program's own build information, if it has set any.
    pub(in crate::agent) build: Option<BuildInfo>,
    pub(in crate::agent) config: Config,
    /// Where the config files are, until they are read.
    pub(in crate::agent) files: Option<Files>,
    /// Whether the config has been read completely, without an error.
    pub(in crate::agent) is_checked: bool,
    /// By the plugin's instance name and the phase.
    pub(in crate::agent) plugin_limits: HashMap<(String, Phase), Duration>,
    /// By the plugin's instance name.
    pub(in crate::agent) policies: HashMap<String, StartPolicy>,
    pub(in crate::agent) record: bool,
    /// Notified at SIGHUP, after which the config is read again; `None` if SIGHUP is not handled.
    pub(in crate::agent) hangup: Option<Arc<Notify>>,
    pub(in crate::agent) stop: StopHandle,
    pub(in crate::agent) loggers: Loggers,
    /// The format of the process's log, if the agent controls it.
    pub(in crate::agent) format: Option<SharedFormat>,
    /// Whether an embedded agent has a watchdog.
    pub(in crate::agent) watched: bool,
    /// What the agent is doing right now, for a watchdog.
    pub(in crate::agent) progress: Arc<Progress>,
    /// Set by the module `testing`.
    pub(in crate::agent) wrap: Option<Wrap>,
    /// Set by the module `testing`, to find the slowest task.
    pub(in crate::agent) slowest: Option<Arc<Slowest>>,
    /// By the id of a replaced plugin: its lifecycle, if the agent runs it and it has one.
    pub(in crate::agent) replaced: HashMap<u64, Option<Arc<dyn Running>>>,
    /// The interfaces that are bound to something else.
    pub(in crate::agent) bound: HashSet<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            own: Own::default(),
            build: None,
            config: Config::new(),
            files: None,
            is_checked: false,
            plugin_limits: HashMap::new(),
            policies: HashMap::new(),
            record: false,
            hangup: None,
            stop: StopHandle::new(),
            loggers: Loggers::default(),
            format: None,
            watched: true,
            progress: Arc::default(),
            wrap: None,
            slowest: None,
            replaced: HashMap::new(),
            bound: HashSet::new(),
        }
    }
}

impl Settings {
    /// Notes that a plugin is replaced. Its lifecycle is run if it is given.
    pub(in crate::agent) fn mark_replaced(&mut self, plugin: u64, running: Option<Arc<dyn Running>>) {
        // The first replacement wins, as in its slot.
        self.replaced.entry(plugin).or_insert(running);
    }

    /// Notes that an interface is bound to something else.
    pub(in crate::agent) fn mark_bound(&mut self, interface: u64) {
        self.bound.insert(interface);
    }

    pub(in crate::agent) fn build_info(&self, graph: &Graph) -> BuildInfo {
        self.build.unwrap_or_else(|| BuildInfo::of(graph))
    }
}
