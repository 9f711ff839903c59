//! [`Context`]: a plugin's view of its agent.

#[cfg(feature = "keyval")]
use crate::keyval::Stores;
use crate::{
    BuildInfo, ServiceLabel,
    agent::{self, Cause, Course, CourseRecorder, Event, PluginError, StopTime},
    config::{Config, EffectiveSection, Refused},
    graph::{Graph, Node},
    logging::{Logger, Loggers},
    metrics::Metrics,
    status::Registry,
    stop::{By, StopHandle},
    tasks::Registry as Tasks,
};
use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

/// How many failures of a run are kept. Later ones are only logged.
const FAILURES: usize = 32;

/// The data that the plugins of one agent share.
pub(crate) struct Shared {
    pub(crate) label: ServiceLabel,
    pub(crate) graph: &'static Graph,
    pub(crate) build: BuildInfo,
    pub(crate) config: Config,
    /// What the builder has set for plugins.
    agents: Option<Config>,
    pub(crate) refused: Refused,
    pub(crate) stop: StopHandle,
    pub(crate) status: Registry,
    pub(crate) tasks: Tasks,
    pub(crate) loggers: Loggers,
    /// The registry of the agent's metrics, created on first use.
    pub(crate) metrics: OnceLock<Metrics>,
    #[cfg(feature = "keyval")]
    pub(crate) stores: Stores,
    /// The steps so far, if they are recorded.
    pub(crate) course_recorder: CourseRecorder,
    /// The records of the start, once it is done.
    start: OnceLock<Box<[Event]>>,
    agent_log: OnceLock<Logger>,
    /// The loggers of the plugins, by place, created on first use.
    logs: Box<[OnceLock<Logger>]>,
    /// Failures outside the phases, such as in tasks. They stop the agent.
    failures: Mutex<Vec<PluginError>>,
    main: Mutex<Main>,
    /// `None` until plugins drain or close.
    stop_time: Mutex<Option<StopTime>>,
    /// When the agent was created, for its age.
    began: Instant,
}

/// The state of main tasks. One that returns `Ok` stops the agent, but only after the start is complete.
#[derive(Default)]
struct Main {
    started: bool,
    ended: bool,
}

impl Shared {
    pub(crate) fn new(
        label: ServiceLabel,
        graph: &'static Graph,
        build: BuildInfo,
        (config, agents): (Config, Option<Config>),
        stop: StopHandle,
        loggers: Loggers,
    ) -> Self {
        loggers.set_agent(label.as_str());
        Shared {
            label,
            graph,
            build,
            config,
            agents,
            refused: Refused::default(),
            stop,
            status: Registry::new(graph),
            tasks: Tasks::default(),
            loggers,
            agent_log: OnceLock::new(),
            metrics: OnceLock::new(),
            #[cfg(feature = "keyval")]
            stores: Stores::default(),
            course_recorder: CourseRecorder::default(),
            start: OnceLock::new(),
            logs: graph.nodes().iter().map(|_| OnceLock::new()).collect(),
            failures: Mutex::default(),
            main: Mutex::default(),
            stop_time: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// The logger of the plugin at this place.
    fn log(&self, place: usize) -> &Logger {
        self.logs[place].get_or_init(|| self.loggers.get(self.graph.nodes()[place].instance()))
    }

    /// Creates the loggers of the agent and of all plugins, so that they can be listed, even if they log nothing.
    pub(crate) fn make_logs(&self) {
        self.agent_log.get_or_init(|| self.loggers.of_agent());
        for place in 0..self.graph.len() {
            self.log(place);
        }
    }

    /// Records a failure while the agent runs, and stops the agent.
    pub(crate) fn fail(&self, error: PluginError) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < FAILURES {
            failures.push(error);
        }
        drop(failures);
        self.stop.stop();
    }

    /// Takes all entries out of the metrics registry. A collector may hold a context, and through it this whole struct.
    pub(crate) fn take_metrics(&self) -> Option<impl Sized + use<>> {
        self.metrics.get().map(Metrics::take_all)
    }

    /// The time since the agent was created, by the monotonic clock.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// The steps of the start; empty before it is complete, or if nothing is recorded.
    pub(crate) fn start_events(&self) -> &[Event] {
        self.start.get().map_or(&[], |events| events)
    }

    /// Records that the agent has started, with the steps of the start.
    pub(crate) fn started(&self, events: &[Event]) {
        // An agent starts only once.
        self.start.get_or_init(|| events.into());
        self.status.started();
        self.stop_if_done(|main| main.started = true);
    }

    /// Records that a main task has returned `Ok`: the agent stops as soon as it has started.
    fn main_ended(&self) {
        self.stop_if_done(|main| main.ended = true);
    }

    fn stop_if_done(&self, set: impl FnOnce(&mut Main)) {
        let mut main = self.main.lock().unwrap_or_else(PoisonError::into_inner);
        set(&mut main);
        let done = main.started && main.ended;
        drop(main);
        if done {
            self.stop.stop();
        }
    }

    /// Sets the time of the plugins that drain or close from now on.
    pub(crate) fn set_stop_time(&self, time: StopTime) {
        *self.stop_time.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
    }

    fn time_left(&self, place: usize) -> Option<Duration> {
        self.stop_time.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|time| time.left(place))
    }

    /// Takes the failures since the last call.
    pub(crate) fn take_failures(&self) -> Vec<PluginError> {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// [`Shared`], behind a trait that hides its fields. Every future of a lifecycle borrows a [`Context`], and the
/// compiler proves for each such future that it is `Send`, down to the last field. If it saw the fields, that would be
/// a fifth of what a plugin costs the compiler.
trait Opaque: Send + Sync {
    fn get(&self) -> &Shared;
    fn owned(self: Arc<Self>) -> Arc<Shared>;
}

impl Opaque for Shared {
    fn get(&self) -> &Shared {
        self
    }

    fn owned(self: Arc<Self>) -> Arc<Shared> {
        self
    }
}

/// A plugin's view of its agent: its names, logger, status and tasks. Clones are cheap, and may be kept.
///
/// Lifecycle methods receive it. To have it as a field, declare `#[context] cx: Context`.
#[derive(Clone)]
pub struct Context {
    shared: Arc<dyn Opaque>,
    place: usize,
}

impl Context {
    pub(crate) fn new(shared: Arc<Shared>, place: usize) -> Self {
        Context { shared, place }
    }

    /// Turns it into the context of another plugin.
    pub(crate) fn set_place(&mut self, place: usize) {
        self.place = place;
    }

    pub(crate) fn place(&self) -> usize {
        self.place
    }

    /// The data that the plugins of the agent share.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone().owned()
    }

    /// The config of the whole agent.
    pub(crate) fn whole_config(&self) -> &Config {
        &self.shared.get().config
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.shared.get().tasks
    }

    pub(crate) fn status_registry(&self) -> &Registry {
        &self.shared.get().status
    }

    /// Logs that a task of the plugin has failed, and stops the agent.
    pub(crate) fn task_failed(&self, task: &'static str, cause: Cause) {
        let error = PluginError::of_task(self.node(), task, cause);
        self.log().error(format_args!("{error}: the agent stops"));
        self.shared.get().fail(error);
    }

    /// Called when a main task of the plugin has returned `Ok`.
    pub(crate) fn main_ended(&self) {
        self.shared.get().main_ended();
    }

    fn node(&self) -> &'static Node {
        &self.shared.get().graph.nodes()[self.place]
    }

    /// The plugin's instance name, which is also the name of its config section, its logger and its status.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.node().instance()
    }

    /// The service label: the name of the agent among its peers.
    #[must_use]
    pub fn label(&self) -> &str {
        self.shared.get().label.as_str()
    }

    /// The service label, with the agent's own keys.
    #[must_use]
    pub fn service_label(&self) -> &ServiceLabel {
        &self.shared.get().label
    }

    /// The plugin's logger.
    #[must_use]
    pub fn log(&self) -> Logger {
        self.shared.get().log(self.place).clone()
    }

    /// The loggers of the agent, to read and set their levels.
    #[must_use]
    pub fn loggers(&self) -> Loggers {
        self.shared.get().make_logs();
        self.shared.get().loggers.clone()
    }

    /// The stores whose calls are counted.
    #[cfg(feature = "keyval")]
    pub(crate) fn stores(&self) -> &Stores {
        &self.shared.get().stores
    }

    /// Marks the metrics that the plugin has registered as outdated: what it registers next replaces them.
    pub(crate) fn outdate_metrics(&self) {
        if let Some(metrics) = self.shared.get().metrics.get() {
            metrics.outdate(self.name());
        }
    }

    /// The steps of the agent's start, if they are recorded ([`Agent::main`](crate::Agent::main) records them; see also
    /// [`Builder::record_events`](crate::agent::Builder::record_events)). Empty until the start is complete.
    #[must_use]
    pub fn start_events(&self) -> &[Event] {
        self.shared.get().start_events()
    }

    /// What the agent has done so far and is doing now, if that is recorded: during the start, in later attempts at
    /// plugins that are down, and during the stop.
    #[must_use]
    pub fn course(&self) -> Course {
        self.shared.get().course_recorder.course()
    }

    /// Whether the agent runs without this plugin because its `init` has failed. This is true in each later attempt of
    /// the start policy [`Retry`](crate::agent::StartPolicy::Retry), until one succeeds. A server may ask for it when a
    /// plugin registers something late.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.status_registry().is_down(self.place)
    }

    /// How often the plugin's `init` has failed so far, if its start policy lets the agent continue. What a plugin
    /// registers in a later attempt replaces what it registered in an earlier one.
    #[must_use]
    pub fn failed_attempts(&self) -> u32 {
        self.status_registry().failed_attempts(self.place)
    }

    /// The graph of the agent's flavor.
    #[must_use]
    pub fn graph(&self) -> &'static Graph {
        self.shared.get().graph
    }

    /// What is known about the build of the program: its version, commit and date.
    #[must_use]
    pub fn build_info(&self) -> BuildInfo {
        self.shared.get().build
    }

    /// A handle that stops the agent.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.shared.get().stop.of(By::Plugin(self.node().names()))
    }

    /// Whether the agent is stopping. The [request](Self::stop_handle) may have come a moment earlier.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.status_registry().is_stopping()
    }

    /// How much time the plugin has left for its `drain` or `close`, by the limits of the agent. `None` unless the
    /// agent is stopping.
    ///
    /// A call that takes longer is dropped at the await point where it is, which counts as an error of the plugin. A
    /// plugin with work in flight should finish what it can in this time, and end the rest itself.
    ///
    /// ```
    /// # use cninfra::prelude::*;
    /// # #[plugin]
    /// # struct Server;
    /// # impl Server {
    /// #     async fn finish(&self) {}
    /// # }
    /// impl Lifecycle for Server {
    ///     async fn drain(&self, cx: &Context) -> Result<()> {
    ///         let most = cx.time_left().unwrap_or_default().mul_f32(0.9);
    ///         if tokio::time::timeout(most, self.finish()).await.is_err() {
    ///             cx.log().warn("not all is finished");
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.shared.get().time_left(self.place)
    }

    /// Whether the plugin has a config file, or a section in the file for all plugins. The file may be empty, or set
    /// only defaults: its presence alone can mean that the plugin is wanted, if the plugin's config decides about that.
    #[must_use]
    pub fn has_config_file(&self) -> bool {
        self.shared.get().config.has_file_of(self.name())
    }

    /// The value in force for each key of the whole config, and where it comes from, as `--print-config` prints it.
    /// Sections that are [`Live`](crate::config::Live) have their current values. Secrets are masked.
    ///
    /// This reads each section again (but not its files). It takes some time and does not yield its thread meanwhile.
    #[must_use]
    pub fn effective_config(&self) -> Vec<EffectiveSection> {
        let Shared { config, agents, graph, loggers, .. } = self.shared.get();
        agent::effective_config(config, graph, loggers, agents.as_ref().unwrap_or(&Config::new()))
    }

    /// What is wrong with the config files as they are now: each mistake with its place and how to fix it, as in the
    /// log. Mistakes are listed if the files have changed while the agent runs and the change was refused. The previous
    /// values are still in force, but a new start would fail. Empty if nothing is wrong.
    #[must_use]
    pub fn config_mistakes(&self) -> Arc<[String]> {
        self.shared.get().refused.now()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}/{})", self.label(), self.name())
    }
}

/// A type that a `#[context]` field can have.
#[diagnostic::on_unimplemented(
    message = "CN027: a `#[context]` field cannot hold `{Self}`",
    label = "not available from the context",
    note = "use `Context` or `Logger`"
)]
pub trait FromContext {
    /// The value for the plugin that is being built.
    fn from_context(cx: &Context) -> Self;
}

#[diagnostic::do_not_recommend]
impl FromContext for Context {
    fn from_context(cx: &Context) -> Self {
        cx.clone()
    }
}

#[diagnostic::do_not_recommend]
impl FromContext for Logger {
    fn from_context(cx: &Context) -> Self {
        cx.log()
    }
}
