//! [`Builder`]: the settings of an agent before it starts.

use super::running::Agent;
use crate::{
    BuildInfo, Dep,
    agent::{
        files::{reload, within::read},
        setup::{own::AgentConfig, prepare::Prepared, settings::Settings},
        terms::{failure::StartError, limits::Limits, order::Order, phase::Phase, policy::StartPolicy},
        watch::embedded::Watch,
    },
    config::{Config, Files},
    inject::{
        flavor::{ByItself, Held},
        plugin::Plugin,
        replace::{Binds, Instance, Place, Replacement, Seat},
    },
    logging::{LogSettings, Loggers},
    stop::{By, StopHandle},
};
use figment::Figment;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::runtime::Handle;

/// Settings for the start of an agent: config, limits, and replacements for tests. See [`Agent::builder`].
#[must_use = "an agent does nothing before it is started"]
pub struct Builder<F> {
    pub(in crate::agent) held: Box<dyn Held<F>>,
    /// Boxed, because it is passed from the command line to the start, and each move would copy it on the stack.
    pub(in crate::agent) settings: Box<Settings>,
}

impl<F> std::fmt::Debug for Builder<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("flavor", &self.held.graph().name())
            .field("limits", &self.settings.own.limits)
            .finish_non_exhaustive()
    }
}

impl<F> Builder<F> {
    pub(super) fn new(held: Box<dyn Held<F>>) -> Self {
        Builder { held, settings: Box::default() }
    }

    /// Sets the service label: the name of this agent among its peers. Default: `vpp1`, with a warning. The start fails
    /// if the text is not a valid [`ServiceLabel`](crate::ServiceLabel).
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.settings.own.label = Some(label.into());
        self
    }

    /// Sets what is known about the build of the program, if the program knows more than the default: see
    /// [`BuildInfo`].
    pub fn build_info(mut self, build: BuildInfo) -> Self {
        self.settings.build = Some(build);
        self
    }

    /// Sets the directory of the config files, which override [`Builder::config`]. The directory must exist. Without
    /// this call, no config files are read.
    pub fn config_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.settings.files = Some(Files { dir: dir.into(), named: Vec::new() });
        self
    }

    /// Sets the config. Default: none.
    pub fn config(mut self, config: Config) -> Self {
        self.settings.config = config;
        self
    }

    /// The config as the agent will read it, with the current content of its files: the values in force of all layers,
    /// each key under the name that it has in the type of its section, with its origin. Keys at their defaults are left
    /// out. Values that are not valid are included as they are. Secrets are in clear text.
    #[must_use]
    pub fn figment(&self) -> Figment {
        self.settings.figment(self.held.graph())
    }

    /// Sets how long the agent waits for its plugins.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.own.limits = Some(limits);
        self
    }

    /// Sets how long the agent waits for one plugin, given by its instance name, in one phase.
    pub fn limit(mut self, plugin: &str, phase: Phase, limit: Duration) -> Self {
        self.settings.plugin_limits.insert((plugin.to_string(), phase), limit);
        self
    }

    /// Sets which plugins start together, unless the config says so (`agent.start-order`). Default: those of one level
    /// of the graph.
    pub fn order(mut self, order: Order) -> Self {
        self.settings.own.order = Some(order);
        self
    }

    /// Sets what happens when the `init` of a plugin fails, unless the config says so (`start-policy` in the plugin's
    /// section). The plugin is given by its instance name. Default: the start fails.
    pub fn start_policy(mut self, plugin: &str, policy: StartPolicy) -> Self {
        self.settings.policies.insert(plugin.to_string(), policy);
        self
    }

    /// Sets how long an agent that was asked to stop continues, with its readiness false, before it drains. In this
    /// time load balancers can notice that it is not ready and stop sending requests. The delay is added to the limit
    /// of the stop. A second signal ends it, and an interrupted start has none. At most one hour: with a longer one the
    /// start fails. `agent.drain-delay` in the config overrides it. Default: 0.
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.settings.own.drain_delay = Some(delay);
        self
    }

    /// Records every step as an [`Event`](crate::agent::Event), for [`Agent::events`]. Default: off; [`Agent::main`]
    /// switches it on.
    pub fn record_events(mut self, record: bool) -> Self {
        self.settings.record = record;
        self
    }

    /// Sets whether an embedded agent ([`Builder::start`]) is watched from a separate thread, which is shared by all
    /// agents of the process. Code that blocks a thread for longer than a second is named in the log, or earlier if
    /// half of its limit is less. Default: yes. The watchdog looks at the agent ten times a second, which a process
    /// with very many agents may want to avoid. [`Agent::main`] has its own watchdog.
    pub fn watchdog(mut self, watched: bool) -> Self {
        self.settings.watched = watched;
        self
    }

    /// Sets the levels of loggers. Default: `info`. A further call adds to earlier ones.
    pub fn log_settings(self, settings: &LogSettings) -> Self {
        // Levels are refused only if there are far too many of them.
        if let Err(error) = self.settings.loggers.add(settings) {
            self.settings.loggers.of_agent().warn(format_args!("{error:?}"));
        }
        self
    }

    /// The loggers that the agent will have, for an [`Output`](crate::logging::Output) that serves this process.
    #[must_use]
    pub fn loggers(&self) -> Loggers {
        self.settings.loggers.clone()
    }

    /// A handle that stops the agent, also while it starts.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.settings.stop.of(By::Program)
    }

    /// Replaces a plugin of the flavor by a ready one. The agent neither creates, initialises nor closes it. A [`Dep`]
    /// of it may be kept, to look at it afterwards.
    // On one line, since rustc shows the lines from the name to the bound.
    #[rustfmt::skip]
    pub fn with<P: Plugin, S, A: Seat<S, P>, T, As>(mut self, plugin: T) -> Self where Replacement: Instance<As, T, Plugin = P>,
        ByItself<F>: Place<F, P, Slots = S, At = A>,
    {
        self.seat::<P, S, A>(Replacement::dep(plugin), false);
        self
    }

    /// Replaces a plugin of the flavor by one that is not initialised. The agent does not create it, but runs its
    /// lifecycle.
    // On one line, since rustc shows the lines from the name to the bound.
    #[rustfmt::skip]
    pub fn with_new<P: Plugin, S, A: Seat<S, P>, T, As>(mut self, plugin: T) -> Self where Replacement: Instance<As, T, Plugin = P>,
        ByItself<F>: Place<F, P, Slots = S, At = A>,
    {
        self.seat::<P, S, A>(Replacement::dep(plugin), true);
        self
    }

    fn seat<P: Plugin, S, A: Seat<S, P>>(&mut self, plugin: Dep<P>, run: bool)
    where
        ByItself<F>: Place<F, P, Slots = S>,
    {
        let running = if run { P::running(&plugin) } else { None };
        A::seat(<ByItself<F> as Place<F, P>>::slots(&*self.held)).set(plugin);
        self.settings.replaced(P::META.id, running);
    }

    /// Puts `provider` behind an interface, for every plugin that depends on it. The plugin that the flavor binds to
    /// the interface is created, but its lifecycle does not run, unless another plugin depends on it by its type or by
    /// another interface.
    // On one line, since an error shows all lines from the name to the bound.
    #[rustfmt::skip]
    pub fn bind<K: ?Sized>(mut self, provider: Arc<K>) -> Self where ByItself<F>: Binds<F, K> {
        <ByItself<F> as Binds<F, K>>::seat(&*self.held).set(Dep(provider));
        self.settings.bound(<ByItself<F> as Binds<F, K>>::ID);
        self
    }

    /// Starts the agent.
    ///
    /// While the agent exists, a watchdog on a separate thread names in the log any code that blocks a thread. It
    /// cannot end the process, which is not the agent's: a plugin that never yields its thread blocks this call, or the
    /// stop, for as long. See [`Limits`] and [`Builder::watchdog`].
    ///
    /// The config files are read on a separate thread, within the limit of the start.
    ///
    /// # Errors
    /// All errors of the plugins that failed, and those of the rollback. Nothing that had begun is left open.
    ///
    /// # Cancel safety
    /// Not cancel safe: if it is dropped, plugins are left that are not closed. To interrupt a start, use
    /// [`Builder::stop_handle`].
    pub async fn start(self) -> Result<Agent<F>, StartError> {
        let Builder { held, mut settings } = self;
        let (hangup, format) = (settings.hangup.take(), settings.format.clone());
        let (watched, progress, stop) = (settings.watched, settings.progress.clone(), settings.stop.clone());
        let Prepared { runner, shared, special, invalid } = read(settings, held.graph()).await?;
        let watch = watched.then(|| Watch::begin(&shared.loggers, &progress, &stop, Handle::current()));
        let watch = watch.and_then(|watch| {
            let unseen = |error| {
                let what = format_args!("there is no watchdog, so what blocks a thread is not named: {error}");
                shared.loggers.of_agent().warn(what);
            };
            watch.map_err(unseen).ok()
        });
        let started = runner.start(&|index, cx| held.create(index, cx), special, invalid).await;
        match started {
            Ok(runner) => {
                let poll = AgentConfig::of(&shared.config).unwrap_or_default().config_poll_interval();
                let following = reload::follow(shared.clone(), poll, hangup, format);
                Ok(Agent { handles: held.handles(), held, runner, shared, _following: following, watch })
            }
            // Destructors of plugins may run here, and panic.
            Err(unstarted) => {
                let unnamed = unstarted.let_go(held);
                let error = unstarted.finish(unnamed);
                drop(watch);
                Err(error)
            }
        }
    }
}

/// For `cninfra::testing`.
#[cfg(feature = "testing")]
impl<F> Builder<F> {
    pub(crate) fn wrap(mut self, wrap: crate::agent::run::env::Wrap) -> Self {
        self.settings.wrap = Some(wrap);
        self
    }

    /// Measures how long the agent's tasks take when they are polled.
    pub(crate) fn measure(mut self, slowest: Arc<crate::tasks::Slowest>) -> Self {
        self.settings.slowest = Some(slowest);
        self
    }

    /// Sets a key in the builder's config.
    pub(crate) fn set(mut self, section: &str, key: &str, value: impl serde::Serialize) -> Self {
        self.settings.config = std::mem::take(&mut self.settings.config).set(section, key, value);
        self
    }

    pub(crate) fn graph(&self) -> &'static crate::graph::Graph {
        self.held.graph()
    }
}
