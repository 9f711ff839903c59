//! [`PluginError`]: a failure in one plugin. [`StartError`] and [`StopError`]: all failures of a start or a stop.

use super::{cause::Cause, course::CourseRecorder, event::Event, exit, limits::LimitTable, phase::Phase};
use crate::{
    foreign::Panic,
    graph::{Graph, Names, Node},
    tasks::LeftTask,
};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Takes the place of an instance name if an error belongs to no plugin in particular. Instance names have no capital
/// letters.
const AGENT: &str = "AGENT";

/// A failure of a plugin: in which phase, why, and after how long.
#[derive(Debug)]
#[non_exhaustive]
pub struct PluginError {
    /// The plugin's type name, or that of the flavor if the plugin is not known.
    pub plugin: &'static str,
    /// The plugin's instance name, or `AGENT` if the plugin is not known.
    pub instance: &'static str,
    /// The phase it was in.
    pub phase: Phase,
    /// The task that failed, if it was a task: see [`Context::spawn`](crate::Context::spawn).
    pub task: Option<&'static str>,
    /// Why.
    pub cause: Cause,
    /// The time from the beginning of the step to the failure. Not known for a task.
    pub elapsed: Duration,
    how: How,
    /// What to do about a limit that is too short; empty if that is not the cause.
    longer: Box<str>,
}

/// How a plugin failed, as far as the phase does not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    InPhase,
    InDestructor,
    /// It waits for a thread that something else blocks.
    Waits,
    /// It still blocks its thread, and was given up.
    GivenUp,
    /// Like `GivenUp`, but during the start, which was given up with it.
    NotBack,
}

impl fmt::Display for PluginError {
    /// Writes one line with all sources.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what(f)?;
        match &self.cause {
            Cause::Config(error) | Cause::Failed(error) => write!(f, ": {error}"),
            Cause::Panicked(panic) => write!(f, ": {panic}"),
            Cause::TimedOut(_) | Cause::Blocked { .. } => Ok(()),
        }
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Config(error) | Cause::Failed(error) => Some(error.cause()),
            _ => None,
        }
    }
}

impl PluginError {
    pub(in crate::agent) fn new(node: &Node, phase: Phase, cause: Cause, elapsed: Duration) -> Self {
        let (plugin, instance) = (node.name(), node.instance());
        let longer = longer(&cause, phase, Some(instance));
        PluginError { plugin, instance, phase, task: None, cause, elapsed, how: How::InPhase, longer }
    }

    /// For a task of the plugin that has failed.
    pub(crate) fn of_task(node: &Node, task: &'static str, cause: Cause) -> Self {
        PluginError { task: Some(task), ..Self::new(node, Phase::Run, cause, Duration::ZERO) }
    }

    /// For a task that the plugin has left behind, that blocks its thread and did not end within `took`.
    pub(in crate::agent) fn of_stuck_task(node: &Node, left: LeftTask) -> Self {
        let took = left.waited;
        let cause = Cause::Blocked { limit: took, took };
        let how = if left.in_call { How::InPhase } else { How::Waits };
        PluginError { task: Some(left.name), how, ..Self::new(node, Phase::Close, cause, took) }
    }

    /// For an error that belongs to no plugin in particular.
    pub(in crate::agent) fn of_flavor(graph: &Graph, phase: Phase, cause: Cause) -> Self {
        let (plugin, elapsed) = (graph.name(), Duration::ZERO);
        let longer = longer(&cause, phase, None);
        PluginError { plugin, instance: AGENT, phase, task: None, cause, elapsed, how: How::InPhase, longer }
    }

    /// For an attempt to start the plugin that blocks its thread and did not end within `took`.
    pub(in crate::agent) fn of_stuck_attempt(node: &Node, took: Duration) -> Self {
        let cause = Cause::Blocked { limit: took, took };
        PluginError { how: How::GivenUp, ..Self::new(node, Phase::Init, cause, took) }
    }

    /// For a step of the start that has blocked its thread for so long that the end is forced.
    fn not_back(node: &Node, phase: Phase, limit: Duration, took: Duration) -> Self {
        let cause = Cause::Blocked { limit, took };
        PluginError { how: How::NotBack, ..Self::new(node, phase, cause, Duration::ZERO) }
    }

    pub(in crate::agent) fn in_destructor(self) -> Self {
        PluginError { how: How::InDestructor, ..self }
    }

    pub(in crate::agent) fn after(self, elapsed: Duration) -> Self {
        PluginError { elapsed, ..self }
    }

    /// What can be done about it, if that is known.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match &self.cause {
            Cause::Config(error) | Cause::Failed(error) => error.help(),
            Cause::Panicked(Panic { is_traced: true, .. }) => {
                Some("it is a defect: the way to it is above, in the log")
            }
            Cause::Panicked(_) => Some("it is a defect: RUST_BACKTRACE=1 shows the way to it"),
            Cause::TimedOut(_) => Some(&self.longer),
            Cause::Blocked { .. } => Some("what blocks belongs in `tokio::task::spawn_blocking`"),
        }
    }

    /// Writes what happened, without the cause.
    pub(super) fn what(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.instance == AGENT {
            write!(f, "agent `{}` ", self.plugin)?;
        } else {
            let names = Names { plugin: self.plugin, instance: self.instance };
            write!(f, "plugin `{names}` ")?;
        }
        let phase = self.phase;
        if let (Some(task), Cause::Blocked { took, .. }) = (self.task, &self.cause) {
            let why = if self.how == How::Waits { "waits for a thread that is blocked" } else { "blocks its thread" };
            return write!(f, "left task `{task}`, which {why}: it could not be ended within {took:.1?}");
        }
        if let Some(task) = self.task {
            let happened = if matches!(self.cause, Cause::Panicked(_)) { "panicked" } else { "failed" };
            return write!(f, "{happened} in task `{task}`");
        }
        match &self.cause {
            Cause::Config(_) if self.instance == AGENT => f.write_str("has invalid settings"),
            Cause::Config(_) => write!(f, "has an invalid config section `{}`", self.instance),
            Cause::Failed(_) => write!(f, "failed in {phase}"),
            Cause::Panicked(_) if self.how == How::InDestructor => write!(f, "panicked in a destructor after {phase}"),
            Cause::Panicked(_) => write!(f, "panicked in {phase}"),
            Cause::TimedOut(limit) => write!(f, "was not done with {phase} within {limit:?}"),
            Cause::Blocked { took, .. } if self.how == How::GivenUp => {
                write!(f, "blocks its thread in {phase}, in a later attempt: it could not be ended within {took:.1?}")
            }
            Cause::Blocked { took, .. } if self.how == How::NotBack => {
                write!(f, "has not come back from {phase}: it blocks its thread, for {took:.1?} by then")
            }
            Cause::Blocked { limit, took } if self.how == How::InDestructor => {
                write!(
                    f,
                    "blocked its thread in a destructor after {phase} for {took:.1?}, over its limit of {limit:?}"
                )
            }
            Cause::Blocked { limit, took } => {
                write!(f, "blocked its thread in {phase} for {took:.1?}, over its limit of {limit:?}")
            }
        }
    }
}

/// What to do about a phase that takes too long: the keys of its limit for the plugin and for all plugins, and that of
/// the whole.
fn longer(cause: &Cause, phase: Phase, section: Option<&str>) -> Box<str> {
    if !matches!(cause, Cause::TimedOut(_)) {
        return Box::default();
    }
    let (key, whole) = match phase {
        Phase::Create => ("create", "start-timeout"),
        Phase::Init | Phase::Run => ("init", "start-timeout"),
        Phase::AfterInit => ("after-init", "start-timeout"),
        Phase::Drain => ("drain", "stop-timeout"),
        Phase::Close => ("close", "stop-timeout"),
    };
    let own = section.map(|section| format!("`{section}.limits.{key}`, ")).unwrap_or_default();
    format!(
        "look at what it waits for, or give it a longer limit: {own}`agent.limits.{key}` or `agent.{whole}` in the config, or `Builder::limit`"
    )
    .into()
}

/// The agent did not start. Everything that had begun has been closed again.
///
/// Its text is a report: what failed, in which phase, after how long, what caused it, what can be done, and how long
/// each plugin took, if events are recorded.
#[non_exhaustive]
pub struct StartError {
    /// Why it failed: usually one error, or several if plugins of one level failed together. Empty if the start was
    /// interrupted by a stop handle or a signal.
    pub errors: Vec<PluginError>,
    /// What went wrong while the plugins that had begun were closed.
    pub rollback: Vec<PluginError>,
    /// The steps until then, if events are recorded.
    pub events: Vec<Event>,
    /// The time from the beginning of the start to its failure.
    pub took: Duration,
    pub(in crate::agent) graph: &'static Graph,
}

impl StartError {
    /// For a start in which nothing had begun. Without errors, a stop was requested before.
    pub(in crate::agent) fn before_all(graph: &'static Graph, errors: Vec<PluginError>, began: Instant) -> Self {
        StartError { errors, rollback: Vec::new(), events: Vec::new(), took: began.elapsed(), graph }
    }

    /// For a start that is given up because the plugin at this place has blocked its thread for so long in this phase.
    pub(in crate::agent) fn given_up(
        (graph, recorder): (&'static Graph, &CourseRecorder),
        limits: &LimitTable,
        place: usize,
        phase: Phase,
        blocked: Duration,
    ) -> Self {
        let limit = limits.of(place, phase);
        let (events, took) = recorder.events_if_given_up(place, phase, blocked);
        let error = PluginError::not_back(&graph.nodes()[place], phase, limit, blocked);
        StartError { errors: vec![error], rollback: Vec::new(), events, took, graph }
    }

    /// Whether a stop handle or a signal, rather than an error, ended the start.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.errors.is_empty()
    }

    /// The exit code of a process whose agent did not start: see [`Agent::main`](crate::Agent::main).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            error if error.interrupted() && error.rollback.is_empty() => 0,
            error if error.interrupted() => exit::NOT_STOPPED,
            error if error.is_config() => exit::INVALID,
            _ => exit::FAILED,
        }
    }

    /// Whether the config is not valid. Nothing was created then.
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.errors.iter().any(|error| matches!(error.cause, Cause::Config(_)))
    }
}

impl std::error::Error for StartError {}

/// The agent has run and is closed, but something failed. All plugins have been closed nevertheless.
///
/// Its text is a report, as that of a [`StartError`].
#[non_exhaustive]
pub struct StopError {
    /// What ended the run: tasks that panicked, or a [main task](crate::Context::spawn_main) that failed.
    pub run: Vec<PluginError>,
    /// What went wrong during the stop, in the order in which it happened.
    pub errors: Vec<PluginError>,
    /// The agent's steps, if events are recorded.
    pub events: Vec<Event>,
}

impl StopError {
    /// The exit code of a process whose agent ended this way: see [`Agent::main`](crate::Agent::main).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.run.is_empty() { exit::NOT_STOPPED } else { exit::FAILED }
    }
}

impl std::error::Error for StopError {}

/// The failures of a run and of its stop.
#[derive(Default)]
pub(in crate::agent) struct Failures {
    pub(in crate::agent) run: Vec<PluginError>,
    pub(in crate::agent) stop: Vec<PluginError>,
}
