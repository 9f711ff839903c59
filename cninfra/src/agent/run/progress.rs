//! [`Progress`]: what an agent does right now, to be read from another thread.

use super::{roll::Roll, stall};
use crate::{
    agent::terms::{cause::Cause, course::Course, failure::StartError, guard::guard, limits::LimitTable, phase::Phase},
    context::Shared,
    foreign::Who,
    graph::{Graph, Node},
    tasks::{self, Called, Calling, Kind},
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

/// What an agent does right now. The agent's task writes it, a watchdog on another thread reads it: so a plugin that blocks
/// the agent's thread is seen.
///
/// Written around each call into a plugin, so it is one number: a count of the calls, the plugin's place, and the phase. Where it is only
/// looked at, no other memory depends on it, hence `Relaxed`; who takes over from the agent's task has to see what that did before the call.
#[derive(Default)]
pub(in crate::agent) struct Progress {
    call: AtomicU64,
    state: Mutex<State>,
    /// Told when the state is another one.
    changed: Notify,
    /// It has started, or it will not.
    has_started: AtomicBool,
    /// Of the agent, as soon as it is there. Held by nobody here: it ends with the agent.
    agent: OnceLock<(Weak<Shared>, Arc<LimitTable>)>,
    /// Where another task can take over from one that is blocked: in a process of the agent's own.
    roll: Option<Box<Roll>>,
    /// What the task does that has taken over.
    next: OnceLock<Arc<Progress>>,
}

thread_local! {
    /// The agent whose plugin is called on this thread: its address.
    static STEPPING: Cell<usize> = const { Cell::new(0) };
}

/// Where an agent is in its life.
#[derive(Clone, Default)]
pub(in crate::agent) enum State {
    /// It starts, or stops.
    Stage(Stage),
    /// Its own task waits; or it has not begun.
    #[default]
    Runs,
    /// It has come to an end, since then, and to this exit code.
    Done(u8, Instant),
}

/// A part of an agent's life in which its plugins are called.
#[derive(Clone)]
pub(in crate::agent) struct Stage {
    pub(in crate::agent) kind: StageKind,
    pub(in crate::agent) graph: &'static Graph,
    pub(in crate::agent) limits: Arc<LimitTable>,
    /// By the wall clock, which a plugin can not hold up.
    pub(in crate::agent) ends: Option<Instant>,
    /// How much later it may come to its end, since each plugin has time to close.
    pub(in crate::agent) spare: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::agent) enum StageKind {
    Start,
    /// Of a start that failed.
    Rollback,
    Stop,
}

/// What of a plugin is called.
#[derive(Clone, Copy)]
pub(in crate::agent) enum Callee {
    /// A phase of the plugin at this place.
    Step(usize, Phase),
    /// The destructor of the plugin at this place.
    Destructor(usize),
    /// Those of the flavor's handles: whose destructors run there is not known.
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

/// Its number in a call, from 1 on.
const fn code(phase: Phase) -> u64 {
    match phase {
        // no step of a plugin
        Phase::Run => 0,
        Phase::Create => 1,
        Phase::Init => 2,
        Phase::AfterInit => 3,
        Phase::Drain => 4,
        Phase::Close => 5,
    }
}

/// Beside the phases.
const DESTRUCTOR: u64 = PHASES.len() as u64 + 1;
/// Of a call: another task has taken over meanwhile.
const TAKEN: u64 = 0x80;
/// The place of no plugin.
pub(super) const NOWHERE: usize = 0xffff;

impl Call {
    /// Is it a destructor's?
    pub(in crate::agent) fn is_destructor(&self) -> bool {
        self.destructor
    }

    /// As it is written down.
    fn packed(&self) -> u64 {
        let what = if self.destructor { DESTRUCTOR } else { code(self.phase) };
        (self.count << 24) | ((self.place as u64 & 0xffff) << 8) | what
    }

    /// Whose it is, and the plugin's instance name.
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

/// A task of a plugin that is inside of a call, or what calls beside the tasks.
pub(in crate::agent) struct Inside {
    pub(in crate::agent) id: InsideId,
    /// Another one where it has come back in between.
    pub(in crate::agent) call: u64,
    /// Of the plugin whose code is called.
    pub(in crate::agent) instance: &'static str,
    /// What is called, with its plugin.
    pub(in crate::agent) what: String,
    /// How long it may take, where it has a limit.
    pub(in crate::agent) limit: Option<Duration>,
}

/// What a plugin has handed to another one, which calls it.
pub(in crate::agent) struct Handed {
    /// The instance name of the plugin that it belongs to.
    pub(in crate::agent) owner: &'static str,
    /// What is called, as a text goes on after "the".
    pub(in crate::agent) what: String,
}

/// Its number, among its like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::agent) enum InsideId {
    Task(u64),
    Caller(u64),
}

impl Inside {
    fn task(graph: &'static Graph, limits: &LimitTable, task: &tasks::Inside) -> Self {
        let (node, name) = (&graph.nodes()[task.place], task.name);
        let plugin = node.names();
        let what = match task.kind {
            Kind::Task | Kind::UntilClose => format!("task `{name}` of plugin `{plugin}`"),
            Kind::Probe => format!("the probe of plugin `{plugin}`"),
            Kind::Attempt => format!("an attempt to start plugin `{plugin}`"),
        };
        let limit = (task.kind == Kind::Attempt).then(|| limits.later(task.place, Phase::Init));
        Inside { id: InsideId::Task(task.id), call: task.call, instance: node.instance(), what, limit }
    }

    fn caller(graph: &'static Graph, calling: &Calling) -> Self {
        let Calling { id, call, place, called } = calling;
        let node = owner(graph, called, *place);
        let what = format!("the {} of plugin `{}`", called.what, node.names());
        Inside { id: InsideId::Caller(*id), call: *call, instance: node.instance(), what, limit: None }
    }
}

/// The plugin that this belongs to; where that is not known, the one that calls it.
fn owner(graph: &'static Graph, called: &Called, caller: usize) -> &'static Node {
    let is_owner = |node: &&'static Node| called.owner.as_deref() == Some(node.instance());
    graph.nodes().iter().find(is_owner).unwrap_or(&graph.nodes()[caller])
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Progress {
    /// That of an agent whose others are closed beside a plugin that blocks.
    pub(in crate::agent) fn with_roll() -> Self {
        Progress { roll: Some(Box::default()), ..Progress::default() }
    }

    /// Who has begun, where somebody may have to know it.
    pub(in crate::agent) fn roll(&self) -> Option<&Roll> {
        self.roll.as_deref()
    }

    /// This, and those of the tasks that have taken over, one from another.
    fn all(&self) -> impl Iterator<Item = &Progress> {
        successors(Some(self), |progress| progress.next.get().map(|next| &**next))
    }

    /// The calls that have not returned, of all of these.
    pub(in crate::agent) fn calls(&self) -> impl Iterator<Item = Call> {
        self.all().filter_map(Progress::call)
    }

    /// The places of the plugins that have begun, and whose `close` has not come to its end, where that is recorded.
    pub(in crate::agent) fn unclosed(&self) -> Vec<usize> {
        let closed = self.course().map(|course| course.events).unwrap_or_default();
        let is_closed =
            |place| closed.iter().any(|event| event.phase == Phase::Close && usize::from(event.place) == place);
        let mut begun = self.roll().map(Roll::begun).unwrap_or_default();
        begun.retain(|place| !is_closed(*place));
        begun
    }

    /// The graph of the agent, as soon as that is there, and for as long.
    pub(in crate::agent) fn graph(&self) -> Option<&'static Graph> {
        Some(self.agent.get()?.0.upgrade()?.graph)
    }

    /// Takes over from the task that is inside of this call: it goes on no more, also when the call returns. Gives what the task that has taken over
    /// writes its own progress to; `None` where the call has returned.
    pub(in crate::agent) fn take_over(&self, call: Call) -> Option<Arc<Progress>> {
        let agent = self.agent.get()?;
        if self.roll.is_none() || !self.take(call) {
            return None;
        }
        // its calls are told apart from those before
        let next = Progress { call: AtomicU64::new(call.count << 24), ..Progress::with_roll() };
        let next = self.next.get_or_init(|| Arc::new(next));
        next.agent.get_or_init(|| agent.clone());
        Some(next.clone())
    }

    /// Has it not returned? Then it goes on no more when it does.
    fn take(&self, call: Call) -> bool {
        let packed = call.packed();
        self.call.compare_exchange(packed, packed | TAKEN, AcqRel, Relaxed).is_ok()
    }

    /// Calls into a plugin; a panic is an error like others.
    #[inline]
    pub(super) fn call_in<T>(&self, callee: Callee, run: impl FnOnce() -> T) -> Result<T, Cause> {
        self.enter(callee);
        // at every step of every plugin: one number, and not who it is
        let before = STEPPING.replace(self.address());
        let done = guard(run);
        STEPPING.set(before);
        self.leave();
        done
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The plugin that is called on this thread.
    pub(in crate::agent) fn called_here(&self) -> Option<Who> {
        self.step_here().or_else(|| self.next.get()?.called_here())
    }

    /// How the start has failed that is kept by this call for so long, and is given up; `None` where it is no start.
    pub(in crate::agent) fn unstarted(&self, call: Call, blocked: Duration) -> Option<StartError> {
        let is_start = matches!(self.state(), State::Stage(stage) if stage.kind == StageKind::Start);
        let (agent, limits) = self.agent.get().filter(|_| is_start && !call.is_destructor())?;
        let agent = agent.upgrade()?;
        Some(StartError::given_up((agent.graph, &agent.told), limits, call.place, call.phase, blocked))
    }

    /// What one plugin has handed to another, and is called on this thread.
    pub(in crate::agent) fn handed_here(&self) -> Option<Handed> {
        let agent = self.agent.get()?.0.upgrade()?;
        let (caller, called) = agent.tasks.callers().here()?;
        Some(Handed { owner: owner(agent.graph, &called, caller).instance(), what: called.what })
    }

    fn step_here(&self) -> Option<Who> {
        let is_here = STEPPING.try_with(Cell::get).is_ok_and(|agent| agent == self.address());
        let (call, agent) = (self.call().filter(|_| is_here)?, self.agent.get()?.0.upgrade()?);
        agent.graph.nodes().get(call.place).map(|node| Who::step(node, call.phase))
    }

    /// A plugin is called.
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

    /// It has returned.
    #[inline]
    pub(in crate::agent) fn leave(&self) {
        match self.roll {
            // nobody else writes
            None => self.call.store(self.call.load(Relaxed) & !0xff, Relaxed),
            Some(_) => self.leave_unless_taken(),
        }
    }

    /// Where another task may take over; that one goes on for this one then. Apart, so that an agent that is embedded does not pay for it in each of its calls.
    #[cold]
    fn leave_unless_taken(&self) {
        if self.call.fetch_and(!0xff, AcqRel) & TAKEN != 0 {
            idle();
        }
        // the next call may block
        stall::hand_on();
    }

    /// A phase of the plugin at this place begins.
    #[inline]
    pub(super) fn reaches(&self, phase: Phase, place: usize) {
        if let Some(roll) = &self.roll {
            roll.reaches(phase, place);
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

    /// The agent is there.
    pub(in crate::agent) fn of(&self, agent: &Arc<Shared>, limits: &Arc<LimitTable>) {
        self.agent.get_or_init(|| (Arc::downgrade(agent), limits.clone()));
    }

    /// How long its stop may take.
    pub(in crate::agent) fn stop_limit(&self) -> Duration {
        self.agent.get().map_or(Duration::MAX, |(_, limits)| limits.whole.stop)
    }

    /// What is inside of a call: tasks, and what calls beside them. A probe that is has given no answer: who watches the status is to look.
    pub(in crate::agent) fn inside(&self) -> Vec<Inside> {
        let Some((agent, limits)) = self.agent.get() else { return Vec::new() };
        let Some(agent) = agent.upgrade() else { return Vec::new() };
        let inside = agent.tasks.inside();
        if inside.iter().any(|inside| inside.kind == Kind::Probe) {
            agent.status.look_again();
        }
        let tasks = inside.iter().map(|task| Inside::task(agent.graph, limits, task));
        let callers = agent.tasks.callers().inside();
        tasks.chain(callers.iter().map(|calling| Inside::caller(agent.graph, calling))).collect()
    }

    /// The steps that have begun and wait for something, where that is recorded.
    pub(in crate::agent) fn waiting(&self) -> Vec<(usize, Phase)> {
        let running = self.course().map(|course| course.running).unwrap_or_default();
        running.iter().map(|step| (usize::from(step.place), step.phase)).collect()
    }

    fn course(&self) -> Option<Course> {
        Some(self.agent.get()?.0.upgrade()?.told.course())
    }

    pub(super) fn begin(&self, stage: Stage) {
        self.has_started.fetch_or(stage.kind != StageKind::Start, Relaxed);
        self.set(State::Stage(stage));
    }

    /// The agent has started.
    pub(super) fn runs(&self) {
        self.has_started.store(true, Relaxed);
        self.set(State::Runs);
    }

    /// Has it started, or come to the end of a start that failed?
    pub(in crate::agent) fn has_started(&self) -> bool {
        self.has_started.load(Relaxed)
    }

    /// The agent has come to its end, and only says so.
    pub(in crate::agent) fn done(&self, code: u8) {
        self.set(State::Done(code, Instant::now()));
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.notify_one();
    }

    pub(in crate::agent) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the state has changed since this returned last.
    pub(in crate::agent) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// What is left of a task that another one has taken over from: it must not go on, and its thread is one that nobody waits for.
fn idle() -> ! {
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
        let progress = Arc::new(Progress::with_roll());
        let step = Callee::Step(7, Phase::Drain);
        progress.enter(step);
        let before = progress.call().unwrap();
        progress.leave();
        assert!(!progress.take(before), "it has returned");
        progress.enter(step);
        let call = progress.call().unwrap();
        assert!(!progress.take(before), "it is another one");
        assert!(progress.take(call) && !progress.take(call), "once");
        assert_eq!(progress.call(), Some(call));
        let (told, returns) = channel();
        let blocked = progress.clone();
        // it is left to itself
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
