//! [`Agent`]: a running flavor.

use super::builder::Builder;
use crate::{
    BoxFuture, BuildInfo, Context, Dep, ServiceLabel,
    agent::{
        files::reload,
        run::runner::Runner,
        terms::{
            event::Event,
            failure::{StartError, StopError},
        },
        watch::embedded,
    },
    context::Shared,
    graph::Graph,
    inject::{
        find::Finds,
        flavor::{ByItself, Flavor, Held, Runs},
    },
    logging::Loggers,
    metrics::Metrics,
    status::{AgentStatus, StatusChanges},
    stop::{By, StopHandle},
};
use std::{ops::Deref, sync::Arc};

/// A running flavor: `agent.field` is the running plugin.
///
/// The program of a process that is nothing but an agent is `fn main() -> ExitCode { Agent::<MyFlavor>::main() }`. In
/// tests, and in programs that embed agents, start and close it by hand. Agents share nothing: a process may have any
/// number of them.
///
/// ```
/// use cninfra::prelude::*;
///
/// #[plugin]
/// #[derive(Default)]
/// struct Greeter;
///
/// impl Greeter {
///     fn greet(&self) -> &'static str {
///         "hello"
///     }
/// }
///
/// #[derive(Flavor)]
/// struct Hello {
///     greeter: Dep<Greeter>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let agent = Agent::<Hello>::start().await?;
/// assert_eq!(agent.greeter.greet(), "hello");
/// agent.close().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an agent that is dropped is not closed"]
pub struct Agent<F> {
    /// Dropped first: it ends the tasks, after which the plugins may be dropped.
    pub(super) runner: Runner,
    pub(super) handles: F,
    pub(super) held: Box<dyn Held<F>>,
    pub(in crate::agent) shared: Arc<Shared>,
    /// Follows the config files as long as the agent exists.
    pub(super) _following: Option<reload::Following>,
    /// Watches the agent until everything it holds is destroyed; `None` without a watchdog.
    pub(super) watch: Option<embedded::Watch>,
}

impl<F> Agent<F> {
    /// A builder, for settings before the start.
    #[rustfmt::skip] // rustc shows the lines from the name to the bound.
    pub fn builder() -> Builder<F> where ByItself<F>: Runs<F> {
        Builder::new(ByItself::<F>::hold())
    }

    /// Starts the flavor with all settings at their defaults.
    ///
    /// # Errors
    /// See [`Builder::start`].
    ///
    /// # Cancel safety
    /// Not cancel safe: see [`Builder::start`].
    #[rustfmt::skip] // rustc shows the lines from the name to the bound.
    pub fn start() -> BoxFuture<'static, Result<Self, StartError>> where ByItself<F>: Runs<F> {
        Box::pin(Builder::new(ByItself::<F>::hold()).start())
    }

    /// The flavor's graph.
    #[must_use]
    pub fn graph() -> &'static Graph
    where
        F: Flavor,
    {
        F::GRAPH
    }

    /// Any plugin or interface of the flavor, by type; `None` if the flavor does not have it. It is resolved at compile
    /// time.
    #[must_use]
    #[rustfmt::skip] // rustc shows the lines from the name to the bound.
    pub fn find<K: ?Sized>(&self) -> Option<Dep<K>> where ByItself<F>: Finds<F, K> {
        ByItself::<F>::find(&*self.held)
    }

    /// The service label.
    #[must_use]
    pub fn label(&self) -> &str {
        self.shared.label.as_str()
    }

    /// The service label, with the agent's own keys.
    #[must_use]
    pub fn service_label(&self) -> &ServiceLabel {
        &self.shared.label
    }

    /// What is known about the build of the program.
    #[must_use]
    pub fn build_info(&self) -> BuildInfo {
        self.shared.build
    }

    /// The steps so far, if [`Builder::record_events`] is on.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        self.runner.events()
    }

    /// The loggers of the agent, to read and set their levels.
    #[must_use]
    pub fn loggers(&self) -> Loggers {
        self.shared.make_logs();
        self.shared.loggers.clone()
    }

    /// The agent's metrics.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics().clone()
    }

    /// The state of the agent and of its plugins.
    #[must_use]
    pub fn status(&self) -> AgentStatus {
        self.shared.status.agent()
    }

    /// Watches the state of the agent and of its plugins.
    #[must_use]
    pub fn status_changes(&self) -> StatusChanges {
        StatusChanges::new(Context::new(self.shared.clone(), 0))
    }

    /// A handle that asks the agent to stop. Something has to wait for that request: see [`Agent::run`].
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.shared.stop.of(By::Program)
    }

    /// Runs until the agent is asked to stop, then closes it.
    ///
    /// A task that panics and a [main task](crate::Context::spawn_main) that ends also ask it to stop.
    ///
    /// # Errors
    /// See [`Agent::close`].
    ///
    /// # Cancel safety
    /// Not cancel safe: if it is dropped, plugins are left that are not closed.
    pub async fn run(self) -> Result<Vec<Event>, StopError> {
        self.shared.stop.stopping().await;
        if let Some(by) = self.shared.stop.asked_by() {
            self.shared.loggers.of_agent().info(format_args!("{by} has asked for the stop: the agent stops"));
        }
        self.close().await
    }

    /// Drains all plugins, then closes them, dependents before what they depend on. Returns the steps of the agent, if
    /// [`Builder::record_events`] is on.
    ///
    /// # Errors
    /// All errors of the plugins during the stop, and what failed while the agent ran: tasks that panicked, a main
    /// task. All plugins have been closed nevertheless.
    ///
    /// # Cancel safety
    /// Not cancel safe: if it is dropped, plugins are left that are not closed.
    pub async fn close(mut self) -> Result<Vec<Event>, StopError> {
        let failures = self.runner.stop().await;
        let Agent { handles, held, runner, watch, .. } = self;
        // Destructors of plugins may run here, and may panic or not return.
        let unnamed = runner.let_go((handles, held));
        let finished = runner.finish(failures, unnamed);
        drop(watch);
        finished
    }
}

/// For `cninfra::testing`.
#[cfg(feature = "testing")]
impl<F> Agent<F> {
    /// Waits until no plugin is down, without a limit.
    pub(crate) async fn all_up(&self) {
        let mut changes = self.status_changes();
        while self.shared.status.is_any_down() && changes.next().await.is_some() {}
    }

    /// The secrets that are set in a plugin's config section.
    pub(crate) fn secrets_of(&self, plugin: &str) -> Vec<String> {
        self.shared.config.hidden(&crate::agent::setup::own::known(self.shared.graph), plugin)
    }
}

impl<F> Deref for Agent<F> {
    type Target = F;

    fn deref(&self) -> &F {
        &self.handles
    }
}

impl<F> std::fmt::Debug for Agent<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("flavor", &self.held.graph().name())
            .field("label", &self.label())
            .finish_non_exhaustive()
    }
}
