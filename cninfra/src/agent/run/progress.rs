//! [`Progress`]: what an agent is doing, readable from another thread.

use super::{roll::BegunPlugins, stall};
use crate::{
    agent::terms::{cause::Cause, course::Course, failure::StartError, guard::guard, limits::LimitTable, phase::Phase},
    context::Shared,
    foreign::Who,
    graph::{Graph, Node},
    tasks::{self, Called, CallerInCall, Kind},
};
use std::{
    cell::Cell,
    fmt,
    iter::successors,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// What an agent is doing right now. The agent's task writes it, and a watchdog on another thread reads it: so a plugin
/// that blocks the agent's thread is noticed.
///
/// Each call into a plugin is recorded as one number that consists of a counter, the plugin's place and the phase.
/// Readers that only look use `Relaxed`, since they read no other memory that depends on it; a task that takes over has
/// to see what the agent's task did before the call.
#[derive(Default)]
pub(in crate::agent) struct Progress {
    call: AtomicU64,
    state: Mutex<State>,
    /// Notified when the state changes.
    changed: Notify,
    /// Whether the start has succeeded, or has failed and been rolled back.
    has_started: AtomicBool,
    /// The agent, once it exists. It is held weakly, so that this does not keep it alive.
    agent: OnceLock<(Weak<Shared>, Arc<LimitTable>)>,
    /// Present only in an agent's own process, where another task can take over from a blocked one.
    begun_plugins: Option<Box<BegunPlugins>>,
    /// The progress of the task that has taken over.
    next: OnceLock<Arc<Progress>>,
}

thread_local! {
    /// The address of the `Progress` of the agent whose plugin is being called on this thread.
    static STEPPING: Cell<usize> = const { Cell::new(0) };
}

/// The stage of an agent's life.
#[derive(Clone, Default)]
pub(in crate::agent) enum State {
    /// It is starting or stopping.
    Stage(Stage),
    /// Its task is waiting, or it has not begun.
    #[default]
    Runs,
    /// It has ended with this exit code, at this time.
    Done(u8, Instant),
}

/// A part of an agent's life in which its plugins are called.
#[derive(Clone)]
pub(in crate::agent) struct Stage {
    pub(in crate::agent) kind: StageKind,
    pub(in crate::agent) graph: &'static Graph,
    pub(in crate::agent) limits: Arc<LimitTable>,
    /// By the wall clock, since a plugin that blocks holds up a paused one.
    pub(in crate::agent) ends: Option<Instant>,
    /// How much longer the stage may last, since each plugin has a minimum time to close.
    pub(in crate::agent) spare: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::agent) enum StageKind {
    Start,
    /// The rollback of a start that failed.
    Rollback,
    Stop,
}

/// The part of a plugin that is called.
#[derive(Clone, Copy)]
pub(in crate::agent) enum Callee {
    /// A phase of the plugin at this place.
    Step(usize, Phase),
    /// The destructor of the plugin at this place.
    Destructor(usize),
    /// The destructors of the flavor's handles. Which plugins they belong to is not known.
    Handles,
}

/// A call into a plugin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::agent) struct Call {
    count: u64,
    pub(in crate::agent) place: usize,
    pub(in crate::agent) phase: Phase,
    destructor: bool,
}

const PHASES: [Phase; 5] = [Phase::Create, Phase::Init, Phase::AfterInit, Phase::Drain, Phase::Close];

/// The number of a phase in a packed call, from 1.
const fn code(phase: Phase) -> u64 {
    match phase {
        // `Run` is not a step of a plugin.
        Phase::Run => 0,
        Phase::Create => 1,
        Phase::Init => 2,
        Phase::AfterInit => 3,
        Phase::Drain => 4,
        Phase::Close => 5,
    }
}

/// The number of a destructor, after those of the phases.
const DESTRUCTOR: u64 = PHASES.len() as u64 + 1;
/// Marks a call during which another task has taken over.
const TAKEN: u64 = 0x80;
/// A place that belongs to no plugin.
pub(super) const NOWHERE: usize = 0xffff;

impl Call {
    /// Whether this is a call of a destructor.
    pub(in crate::agent) fn is_destructor(&self) -> bool {
        self.destructor
    }

    /// The call as one number.
    fn packed(&self) -> u64 {
        let what = if self.destructor { DESTRUCTOR } else { code(self.phase) };
        (self.count << 24) | ((self.place as u64 & 0xffff) << 8) | what
    }

    /// The name of the plugin (or of the flavor) for messages, and the plugin's instance name.
    pub(in crate::agent) fn who(&self, graph: &'static Graph) -> (String, Option<&'static str>) {
        match graph.nodes().get(self.place) {
            Some(node) => (format!("plugin `{}`", node.names()), Some(node.instance())),
            None => (format!("flavor `{}`", graph.name()), None),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.destructor { f.write_str("a destructor") } else { self.phase.fmt(f) }
    }
}

/// A task of a plugin, or another caller, that is inside a call.
pub(in crate::agent) struct InCall {
    pub(in crate::agent) id: InCallId,
    /// The number of the call, which differs if it has returned meanwhile.
    pub(in crate::agent) call: u64,
    /// The instance name of the plugin whose code is called.
    pub(in crate::agent) instance: &'static str,
    /// What is called, with its plugin.
    pub(in crate::agent) what: String,
    /// The limit of the call, if it has one.
    pub(in crate::agent) limit: Option<Duration>,
}

/// Code that one plugin has handed to another one, which is calling it.
pub(in crate::agent) struct ForeignCall {
    /// The instance name of the plugin that the code belongs to.
    pub(in crate::agent) owner: &'static str,
    /// What is called, worded to follow "the".
    pub(in crate::agent) what: String,
}

/// The number of a task or caller, among those of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::agent) enum InCallId {
    Task(u64),
    Caller(u64),
}

impl InCall {
    fn task(graph: &'static Graph, limits: &LimitTable, task: &tasks::TaskInCall) -> Self {
        let (node, name) = (&graph.nodes()[task.place], task.name);
        let plugin = node.names();
        let what = match task.kind {
            Kind::Task | Kind::UntilClose => format!("task `{name}` of plugin `{plugin}`"),
            Kind::Probe => format!("the probe of plugin `{plugin}`"),
            Kind::Attempt => format!("an attempt to start plugin `{plugin}`"),
        };
        let limit = (task.kind == Kind::Attempt).then(|| limits.later(task.place, Phase::Init));
        InCall { id: InCallId::Task(task.id), call: task.call, instance: node.instance(), what, limit }
    }

    fn caller(graph: &'static Graph, caller: &CallerInCall) -> Self {
        let CallerInCall { id, call, place, called } = caller;
        let node = owner(graph, called, *place);
        let what = format!("the {} of plugin `{}`", called.what, node.names());
        InCall { id: InCallId::Caller(*id), call: *call, instance: node.instance(), what, limit: None }
    }
}

/// The plugin that the called code belongs to, or the calling plugin if that is not known.
fn owner(graph: &'static Graph, called: &Called, caller: usize) -> &'static Node {
    let is_owner = |node: &&'static Node| called.owner.as_deref() == Some(node.instance());
    graph.nodes().iter().find(is_owner).unwrap_or(&graph.nodes()[caller])
}

impl fmt::Display for InCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Progress {
    /// For an agent whose other plugins are closed if one of them blocks.
    pub(in crate::agent) fn with_begun_plugins() -> Self {
        Progress { begun_plugins: Some(Box::default()), ..Progress::default() }
    }

    /// The plugins that have begun, if they are recorded.
    pub(in crate::agent) fn begun_plugins(&self) -> Option<&BegunPlugins> {
        self.begun_plugins.as_deref()
    }

    /// This progress, and those of the tasks that have taken over, in order.
    fn chain(&self) -> impl Iterator<Item = &Progress> {
        successors(Some(self), |progress| progress.next.get().map(|next| &**next))
    }

    /// The calls that have not returned, of all these tasks.
    pub(in crate::agent) fn calls(&self) -> impl Iterator<Item = Call> {
        self.chain().filter_map(Progress::call)
    }

    /// The places of the plugins that have begun and whose `close` has not returned. Empty if these are not recorded.
    pub(in crate::agent) fn unclosed(&self) -> Vec<usize> {
        let closed = self.course().map(|course| course.events).unwrap_or_default();
        let is_closed =
            |place| closed.iter().any(|event| event.phase == Phase::Close && usize::from(event.place) == place);
        let mut begun = self.begun_plugins().map(BegunPlugins::begun_places).unwrap_or_default();
        begun.retain(|place| !is_closed(*place));
        begun
    }

    /// The graph of the agent, as long as the agent exists.
    pub(in crate::agent) fn graph(&self) -> Option<&'static Graph> {
        Some(self.agent.get()?.0.upgrade()?.graph)
    }

    /// Takes over from the task that is inside this call, which is stopped when the call returns. Returns the progress
    /// of the task that takes over, or `None` if the call has returned.
    pub(in crate::agent) fn take_over(&self, call: Call) -> Option<Arc<Progress>> {
        let agent = self.agent.get()?;
        if self.begun_plugins.is_none() || !self.mark_taken(call) {
            return None;
        }
        // Continues the counter, so that the new task's calls differ from earlier ones.
        let next = Progress { call: AtomicU64::new(call.count << 24), ..Progress::with_begun_plugins() };
        let next = self.next.get_or_init(|| Arc::new(next));
        next.agent.get_or_init(|| agent.clone());
        Some(next.clone())
    }

    /// Marks the call as taken, unless it has returned.
    fn mark_taken(&self, call: Call) -> bool {
        let packed = call.packed();
        self.call.compare_exchange(packed, packed | TAKEN, AcqRel, Relaxed).is_ok()
    }

    /// Calls into a plugin. A panic becomes an error.
    #[inline]
    pub(super) fn call_in<T>(&self, callee: Callee, run: impl FnOnce() -> T) -> Result<T, Cause> {
        self.enter(callee);
        // This runs at every step of every plugin, so only a number is stored.
        let before = STEPPING.replace(self.address());
        let done = guard(run);
        STEPPING.set(before);
        self.leave();
        done
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The step of a plugin that is being called on this thread.
    pub(in crate::agent) fn called_here(&self) -> Option<Who> {
        self.step_here().or_else(|| self.next.get()?.called_here())
    }

    /// The error of a start that is given up because this call has blocked it for so long; `None` if the agent is not
    /// starting.
    pub(in crate::agent) fn given_up_start(&self, call: Call, blocked: Duration) -> Option<StartError> {
        let is_start = matches!(self.state(), State::Stage(stage) if stage.kind == StageKind::Start);
        let (agent, limits) = self.agent.get().filter(|_| is_start && !call.is_destructor())?;
        let agent = agent.upgrade()?;
        Some(StartError::given_up((agent.graph, &agent.course_recorder), limits, call.place, call.phase, blocked))
    }

    /// The code of another plugin that is being called on this thread.
    pub(in crate::agent) fn foreign_call_here(&self) -> Option<ForeignCall> {
        let agent = self.agent.get()?.0.upgrade()?;
        let (caller, called) = agent.tasks.callers().here()?;
        Some(ForeignCall { owner: owner(agent.graph, &called, caller).instance(), what: called.what })
    }

    fn step_here(&self) -> Option<Who> {
        let is_here = STEPPING.try_with(Cell::get).is_ok_and(|agent| agent == self.address());
        let (call, agent) = (self.call().filter(|_| is_here)?, self.agent.get()?.0.upgrade()?);
        agent.graph.nodes().get(call.place).map(|node| Who::step(node, call.phase))
    }

    /// Records that a plugin is called.
    #[inline]
    pub(in crate::agent) fn enter(&self, callee: Callee) {
        let count = (self.call.load(Relaxed) >> 24) + 1;
        let (place, phase) = match callee {
            Callee::Step(place, phase) => (place, code(phase)),
            Callee::Destructor(place) => (place, DESTRUCTOR),
            Callee::Handles => (NOWHERE, DESTRUCTOR),
        };
        self.call.store((count << 24) | ((place as u64 & 0xffff) << 8) | phase, Release);
    }

    /// Records that the call has returned.
    #[inline]
    pub(in crate::agent) fn leave(&self) {
        match self.begun_plugins {
            // Only this task writes the number, so no atomic exchange is needed.
            None => self.call.store(self.call.load(Relaxed) & !0xff, Relaxed),
            Some(_) => self.leave_unless_taken(),
        }
    }

    /// Records that the call has returned, unless another task has taken over and continues in place of this one. A
    /// separate function, so that the calls of an embedded agent do not pay for it.
    #[cold]
    fn leave_unless_taken(&self) {
        if self.call.fetch_and(!0xff, AcqRel) & TAKEN != 0 {
            park_forever();
        }
        // The next call may block.
        stall::release_next_task();
    }

    /// Records that a phase of the plugin at this place begins.
    #[inline]
    pub(super) fn note_phase(&self, phase: Phase, place: usize) {
        if let Some(begun_plugins) = &self.begun_plugins {
            begun_plugins.note_phase(phase, place);
        }
    }

    /// The call that has not returned, if there is one.
    pub(in crate::agent) fn call(&self) -> Option<Call> {
        let call = self.call.load(Relaxed) & !TAKEN;
        let destructor = call & 0xff == DESTRUCTOR;
        let phase = match usize::try_from(call & 0xff).ok()?.checked_sub(1)? {
            _ if destructor => Phase::Close,
            index => *PHASES.get(index)?,
        };
        Some(Call { count: call >> 24, place: ((call >> 8) & 0xffff) as usize, phase, destructor })
    }

    /// Sets the agent, once it exists.
    pub(in crate::agent) fn set_agent(&self, agent: &Arc<Shared>, limits: &Arc<LimitTable>) {
        self.agent.get_or_init(|| (Arc::downgrade(agent), limits.clone()));
    }

    /// The limit of the agent's stop.
    pub(in crate::agent) fn stop_limit(&self) -> Duration {
        self.agent.get().map_or(Duration::MAX, |(_, limits)| limits.whole.stop)
    }

    /// The tasks and other callers that are inside a call. If one of them is a probe, it has not answered, so those
    /// that watch the status are notified.
    pub(in crate::agent) fn in_calls(&self) -> Vec<InCall> {
        let Some((agent, limits)) = self.agent.get() else { return Vec::new() };
        let Some(agent) = agent.upgrade() else { return Vec::new() };
        let in_calls = agent.tasks.in_calls();
        if in_calls.iter().any(|task| task.kind == Kind::Probe) {
            agent.status.announce_late_probes();
        }
        let tasks = in_calls.iter().map(|task| InCall::task(agent.graph, limits, task));
        let callers = agent.tasks.callers().in_calls();
        tasks.chain(callers.iter().map(|caller| InCall::caller(agent.graph, caller))).collect()
    }

    /// The steps that have begun and are waiting, if they are recorded.
    pub(in crate::agent) fn waiting(&self) -> Vec<(usize, Phase)> {
        let running = self.course().map(|course| course.running).unwrap_or_default();
        running.iter().map(|step| (usize::from(step.place), step.phase)).collect()
    }

    fn course(&self) -> Option<Course> {
        Some(self.agent.get()?.0.upgrade()?.course_recorder.course())
    }

    pub(super) fn begin(&self, stage: Stage) {
        self.has_started.fetch_or(stage.kind != StageKind::Start, Relaxed);
        self.set_state(State::Stage(stage));
    }

    /// Records that the agent has started.
    pub(super) fn set_running(&self) {
        self.has_started.store(true, Relaxed);
        self.set_state(State::Runs);
    }

    /// Whether the agent has started, or its failed start has been rolled back.
    pub(in crate::agent) fn has_started(&self) -> bool {
        self.has_started.load(Relaxed)
    }

    /// Records that the agent has ended and only has to report it.
    pub(in crate::agent) fn set_done(&self, code: u8) {
        self.set_state(State::Done(code, Instant::now()));
    }

    fn set_state(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.notify_one();
    }

    pub(in crate::agent) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the state has changed since the last return of this call.
    pub(in crate::agent) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// The end of a task that another one has taken over from: it must not continue, and nobody waits for its thread.
fn park_forever() -> ! {
    loop {
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn who_takes_over_has_a_call_that_goes_on_no_more_or_nothing() {
        let progress = Arc::new(Progress::with_begun_plugins());
        let step = Callee::Step(7, Phase::Drain);
        progress.enter(step);
        let before = progress.call().unwrap();
        progress.leave();
        assert!(!progress.mark_taken(before), "it has returned");
        progress.enter(step);
        let call = progress.call().unwrap();
        assert!(!progress.mark_taken(before), "it is another one");
        assert!(progress.mark_taken(call) && !progress.mark_taken(call), "once");
        assert_eq!(progress.call(), Some(call));
        let (told, returns) = channel();
        let blocked = progress.clone();
        // This thread never ends.
        thread::spawn(move || {
            blocked.leave();
            told.send(())
        });
        assert!(returns.recv_timeout(Duration::from_millis(100)).is_err());
        assert_eq!(progress.call(), None);
    }

    #[test]
    fn two_calls_of_one_plugin_are_told_apart() {
        let progress = Progress::default();
        assert_eq!(progress.call(), None);
        progress.enter(Callee::Step(300, Phase::Init));
        let first = progress.call().unwrap();
        assert_eq!((first.place, first.phase), (300, Phase::Init));
        progress.leave();
        assert_eq!(progress.call(), None);
        progress.enter(Callee::Step(300, Phase::Init));
        assert_ne!(progress.call(), Some(first));
        for phase in PHASES {
            progress.enter(Callee::Step(1, phase));
            assert_eq!(progress.call().unwrap().phase, phase);
        }
    }
}
