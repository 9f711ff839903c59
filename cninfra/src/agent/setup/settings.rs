//! What a builder has collected, without the flavor's type: compiled once for all flavors.

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
    /// What the program says of its build.
    pub(in crate::agent) build: Option<BuildInfo>,
    pub(in crate::agent) config: Config,
    /// Where its files are, until they are read.
    pub(in crate::agent) files: Option<Files>,
    /// All of it has been read, and nothing is wrong.
    pub(in crate::agent) is_checked: bool,
    /// By a plugin's instance name and phase.
    pub(in crate::agent) plugin_limits: HashMap<(String, Phase), Duration>,
    /// By a plugin's instance name.
    pub(in crate::agent) policies: HashMap<String, StartPolicy>,
    pub(in crate::agent) record: bool,
    /// Told at SIGHUP, which has the config read again; none where that is not heard.
    pub(in crate::agent) hangup: Option<Arc<Notify>>,
    pub(in crate::agent) stop: StopHandle,
    pub(in crate::agent) loggers: Loggers,
    /// Of the log of the process, where the agent has the say in it.
    pub(in crate::agent) format: Option<SharedFormat>,
    /// It has a watchdog of its own.
    pub(in crate::agent) watched: bool,
    /// What the agent does right now, for a watchdog.
    pub(in crate::agent) progress: Arc<Progress>,
    /// Set by the module `testing`.
    pub(in crate::agent) wrap: Option<Wrap>,
    /// The same: what is slow.
    pub(in crate::agent) slowest: Option<Arc<Slowest>>,
    /// By the plugin's id: its lifecycle, if it is to be run and it has one.
    pub(in crate::agent) replaced: HashMap<u64, Option<Arc<dyn Running>>>,
    /// Interfaces that are bound to something else.
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
    /// A plugin is there already; its lifecycle is run if it is given.
    pub(in crate::agent) fn replaced(&mut self, plugin: u64, running: Option<Arc<dyn Running>>) {
        // the first one stays, in its slot too
        self.replaced.entry(plugin).or_insert(running);
    }

    /// An interface is bound to something else.
    pub(in crate::agent) fn bound(&mut self, interface: u64) {
        self.bound.insert(interface);
    }

    pub(in crate::agent) fn build_info(&self, graph: &Graph) -> BuildInfo {
        self.build.unwrap_or_else(|| BuildInfo::of(graph))
    }
}
