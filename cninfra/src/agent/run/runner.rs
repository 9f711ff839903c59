//! The runner: one agent without its types, from start to stop. It knows no plugin's type, so it is compiled once for all flavors.

use super::{
    begun::Begun,
    common::Common,
    env::Env,
    progress::{Callee, NOWHERE, Stage, StageKind},
    record::Record,
    retry::Retries,
    stall,
    together::{Together, run},
};
use crate::{
    BoxFuture, Context,
    agent::terms::{
        cause::Cause,
        event::Event,
        failure::{Failures, PluginError, StartError, StopError},
        limits::{LEAST, after},
        phase::Phase,
    },
    foreign,
    inject::{part::Creation, running::Running},
    logging::Level,
};
use std::{
    collections::HashMap,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant as WallClock},
};
use tokio::{runtime::Handle, time::Instant};

/// Creates the plugin at an index of the wiring.
pub(super) type Create<'a> = &'a (dyn for<'b> Fn(usize, &'b Context) -> Creation<'a> + Send + Sync);

/// A plugin that is not created by the agent, or not run by it.
pub(in crate::agent) enum Special {
    /// Neither created nor run: it is ready.
    Absent,
    /// Neither created nor run: it is switched off.
    Off,
    /// Created already, but to be run.
    Made(Arc<dyn Running>),
    /// To be created, since its handle is wanted, but not run.
    Unused,
}

/// A running agent without its types.
pub(in crate::agent) struct Runner {
    pub(in crate::agent) env: Arc<Env>,
    /// Each plugin with a lifecycle that is created, in start order.
    pub(super) plugins: Vec<Begun>,
    /// The first so many of them have begun: their `init` was called. They are closed, once.
    pub(super) begun: usize,
    /// The `after_init` of the first so many was called; all, once the agent has started. They are drained, unless they are down.
    pub(super) serving: usize,
    pub(super) record: Record,
    retries: Retries,
    /// What the agent says before it calls any plugin.
    first: Vec<(Level, String)>,
}

impl Runner {
    pub(in crate::agent) fn new(env: Env, record: bool, first: Vec<(Level, String)>) -> Self {
        let room = env.graph.len();
        let record = if record { Record::on(5 * room, env.shared.clone()) } else { Record::off() };
        let plugins = Vec::with_capacity(room);
        let env = Arc::new(env);
        if let Some(roll) = env.progress.roll() {
            roll.begin(&env, &record);
        }
        Runner { env, plugins, begun: 0, serving: 0, record, retries: Retries::default(), first }
    }

    /// One that closes these, which have begun.
    pub(in crate::agent) fn of_begun(env: Env, plugins: Vec<Begun>, record: Record) -> Self {
        let (env, all) = (Arc::new(env), plugins.len());
        if let Some(roll) = env.progress.roll() {
            roll.begin(&env, &record);
            roll.enlist(&plugins);
            roll.all_serve();
        }
        Runner { env, plugins, begun: all, serving: all, record, retries: Retries::default(), first: Vec::new() }
    }

    pub(in crate::agent) fn events(&self) -> &[Event] {
        self.record.events()
    }

    /// Creates and initialises every plugin, then runs `after_init`. On a failure, or when the agent is asked to stop,
    /// everything that had begun is closed.
    // boxed here, so that it is compiled here: an `async fn` is compiled where it is awaited, in each agent's crate
    pub(in crate::agent) fn start<'a>(
        mut self,
        create: Create<'a>,
        special: HashMap<usize, Special>,
        invalid: Vec<PluginError>,
    ) -> BoxFuture<'a, Result<Runner, Box<Unstarted>>> {
        Box::pin(async move {
            let began = Instant::now();
            let runtime = Handle::current();
            self.env.shared.tasks.run_on(runtime.clone());
            self.env.shared.loggers.begin(runtime);
            // before a word is said: a log that nobody reads keeps who writes to it, and the limit is to hold for that, too
            self.enter_stage(StageKind::Start, self.env.limits.whole.start);
            let log = self.env.shared.loggers.of_agent();
            std::mem::take(&mut self.first).into_iter().for_each(|(level, what)| log.log(level, what));
            let mut together = Together { errors: invalid, ..Together::default() };
            if together.is_well() {
                together = self.start_all(create, &special, began).await;
            }
            together.errors.append(&mut self.env.shared.take_failures());
            if !together.is_well() {
                return Err(Box::new(self.roll_back(together.errors, began).await));
            }
            // one that comes up later serves then, too; those that are down are left out of the drain
            self.serving = self.plugins.len();
            self.env.progress.runs();
            self.env.shared.started(self.record.events());
            if self.env.progress.roll().is_some() {
                // who has waited for it goes on beside what is said of it on this thread
                stall::hand_on();
            }
            self.retries.begin(&self.env, &self.plugins, self.record.epoch());
            Ok(self)
        })
    }

    async fn start_all(&mut self, create: Create<'_>, special: &HashMap<usize, Special>, began: Instant) -> Together {
        let (env, mut last) = (self.env.clone(), Together::default());
        let ends = after(began, env.limits.whole.start);
        for phase in [Phase::Init, Phase::AfterInit] {
            // of the graph, and the index of the plugin there
            let (mut from, mut first) = (0, 0);
            while last.is_well() && from < env.graph.len() {
                let to = env.group_end(from);
                if phase == Phase::Init {
                    last = self.create_group(from..to, create, special, (last.now(), ends)).await;
                }
                if last.is_well() {
                    let end = first + before(&self.plugins[first..], to);
                    if phase == Phase::Init
                        && let Some(roll) = env.progress.roll()
                    {
                        roll.enlist(&self.plugins[first..end]);
                    }
                    last = self.start_group(first..end, phase, (last.now(), ends)).await;
                    first = end;
                }
                last.interrupted |= env.shared.stop.is_stopping();
                from = to;
            }
        }
        last
    }

    /// Runs a phase of the start on plugins that start together.
    async fn start_group(&mut self, group: Range<usize>, phase: Phase, span: (Instant, Instant)) -> Together {
        let env = self.env.clone();
        let common = Common::new(&env, phase, env.limits.whole.start, span);
        let (first, group) = (group.start, &self.plugins[group]);
        let up = group.iter().filter(|plugin| !plugin.down);
        let mut together = run(up, &common, &mut self.record).await;
        let reached = first + before(group, together.reached);
        let until = if phase == Phase::Init { &mut self.begun } else { &mut self.serving };
        *until = reached.max(*until);
        let goes_on = together.is_well();
        if !together.down.is_empty() {
            together.ended = None;
        }
        for (place, error) in together.down.drain(..) {
            let at = first + before(&self.plugins[first..], place);
            self.plugins[at].down = true;
            if let Some(roll) = env.progress.roll() {
                roll.set_down(place, true);
            }
            if goes_on {
                self.retries.put_off(&env, &self.plugins[at], &error).await;
            } else {
                self.plugins[at]
                    .cx
                    .log()
                    .warn(format_args!("{error}: the start has ended, and goes not on without it"));
            }
        }
        together
    }

    /// Closes what had begun in a start that failed, or was interrupted.
    async fn roll_back(mut self, errors: Vec<PluginError>, began: Instant) -> Unstarted {
        let env = self.env.clone();
        env.shared.status.stopping();
        let took = began.elapsed();
        if let Some(error) = errors.first().filter(|error| !matches!(error.cause, Cause::Config(_))) {
            // told at once: a plugin may keep the agent from coming to its report
            env.shared.loggers.of_agent().error(format_args!("{error}: the start is rolled back"));
        }
        let kind = if errors.is_empty() { StageKind::Stop } else { StageKind::Rollback };
        self.enter_stage(kind, env.limits.whole.stop);
        let rollback = self.stop_all(after(Instant::now(), env.limits.whole.stop), Duration::ZERO).await;
        let mut errors = errors;
        errors.append(&mut env.shared.take_failures());
        let events = self.record.take();
        Unstarted { error: StartError { errors, rollback, events, took, graph: env.graph }, runner: self }
    }

    /// Drains all plugins at once, then closes them, those first that nothing depends on. It goes on after errors.
    pub(in crate::agent) fn stop(&mut self) -> BoxFuture<'_, Failures> {
        Box::pin(async move {
            let env = self.env.clone();
            env.shared.status.stopping();
            // all that follows is a part of the stop, and seen to come to its end
            let limit = env.limits.whole.stop.saturating_add(env.drain_delay);
            self.enter_stage(StageKind::Stop, limit);
            let began = Instant::now();
            let (ended, mut stop) = self.retries.end(&env, &mut self.plugins, env.limits.drain() / 2).await;
            self.record.append(ended);
            let used = began.elapsed();
            if !env.drain_delay.is_zero() {
                tokio::time::sleep(env.drain_delay).await;
            }
            stop.append(&mut self.stop_all(after(began, limit), used).await);
            Failures { run: env.shared.take_failures(), stop }
        })
    }

    /// The stage ends when the plugins are released: a destructor may block, too. Of the time to drain, so much is `used` already.
    pub(in crate::agent) async fn stop_all(&mut self, ends: Instant, used: Duration) -> Vec<PluginError> {
        let (env, began) = (self.env.clone(), Instant::now());
        // before anything is drained, so that tasks that follow the config have the time of all that to end by themselves
        env.shared.config.end_following();
        self.end_probes().await;
        let mut errors = self.drain(ends, used.saturating_add(began.elapsed())).await;
        errors.append(&mut self.close(ends).await);
        errors
    }

    pub(in crate::agent) fn enter_stage(&self, kind: StageKind, limit: Duration) {
        let Env { graph, limits, progress, .. } = &*self.env;
        let ends = WallClock::now().checked_add(limit);
        let spare = match kind {
            StageKind::Start => Duration::ZERO,
            // for a group's plugins, and for its tasks before and after that
            StageKind::Rollback | StageKind::Stop => (3 * LEAST).saturating_mul(self.env.groups()),
        };
        progress.begin(Stage { kind, graph, limits: limits.clone(), ends, spare });
    }

    /// Drops the plugins, those first that nothing depends on. Their destructors run here, if nobody else holds them; what they have told of themselves
    /// may hold some, and their contexts.
    fn release(&mut self) -> Vec<PluginError> {
        let metrics = self.env.shared.take_metrics().and_then(|metrics| self.let_go(metrics));
        let (mut errors, mut last) = (Vec::from_iter(metrics), WallClock::now());
        let sure = self.env.limits.shortest(Phase::Close);
        while let Some(plugin) = self.plugins.pop() {
            let Begun { place, running, .. } = plugin;
            if let Err((cause, took)) = self.destroy(Callee::Destructor(place), sure, &mut last, running) {
                let node = &self.env.graph.nodes()[place];
                errors.push(PluginError::new(node, Phase::Close, cause, took).in_destructor());
            }
        }
        errors
    }

    /// Drops what holds plugins, for a flavor: it is not known which of them is destroyed there, and goes wrong.
    pub(in crate::agent) fn let_go<T>(&self, held: T) -> Option<PluginError> {
        let (cause, took) = self.destroy(Callee::Handles, Duration::ZERO, &mut WallClock::now(), held).err()?;
        Some(PluginError::of_flavor(self.env.graph, Phase::Close, cause).in_destructor().after(took))
    }

    /// Seen from outside, as a call is. It begins at `last`, which is then when it has ended. Says what went wrong, and how long it took.
    /// What takes no longer than `sure` is in time, and nothing more is worked out for it.
    fn destroy<T>(
        &self,
        callee: Callee,
        sure: Duration,
        last: &mut WallClock,
        value: T,
    ) -> Result<(), (Cause, Duration)> {
        let dropped = self.env.progress.call_in(callee, || drop(value));
        let now = WallClock::now();
        let took = now.duration_since(std::mem::replace(last, now));
        dropped.map_err(|panicked| (panicked, took))?;
        if took <= sure {
            return Ok(());
        }
        let place = if let Callee::Destructor(place) = callee { place } else { NOWHERE };
        let limit = self.env.limits.of(place, Phase::Close);
        if took > limit { Err((Cause::Blocked { limit, took }, took)) } else { Ok(()) }
    }

    /// The end of an agent that was closed. Its handles are dropped already: `unnamed` went wrong there.
    pub(in crate::agent) fn finish(
        mut self,
        failures: Failures,
        unnamed: Option<PluginError>,
    ) -> Result<Vec<Event>, StopError> {
        let Failures { run, mut stop } = failures;
        stop.append(&mut self.release());
        stop.extend(unnamed);
        let events = self.record.take();
        if run.is_empty() && stop.is_empty() { Ok(events) } else { Err(StopError { run, errors: stop, events }) }
    }
}

/// A start that failed: all that had begun is closed.
pub(in crate::agent) struct Unstarted {
    error: StartError,
    runner: Runner,
}

impl Unstarted {
    /// As [`Runner::let_go`].
    pub(in crate::agent) fn let_go<T>(&self, held: T) -> Option<PluginError> {
        self.runner.let_go(held)
    }

    /// When the wiring's handles are dropped: `unnamed` went wrong there.
    pub(in crate::agent) fn finish(mut self, unnamed: Option<PluginError>) -> StartError {
        self.error.rollback.append(&mut self.runner.release());
        self.error.rollback.extend(unnamed);
        self.error
    }
}

/// How many there are before this place of the graph. Asked of those of one group, and a few more: they are counted.
fn before(plugins: &[Begun], place: usize) -> usize {
    plugins.iter().take_while(|plugin| plugin.place < place).count()
}

impl Drop for Runner {
    /// An agent that is dropped without being closed can not run its plugins' `close`, but it takes their tasks with it;
    /// so does one whose start failed while they were created.
    fn drop(&mut self) {
        let shared = &self.env.shared;
        if self.begun > 0 {
            shared.loggers.of_agent().warn("dropped without being closed: its tasks are ended where they are");
        }
        shared.config.end_following();
        shared.tasks.abort_all();
        shared.loggers.end();
        shared.status.end();
        foreign::discard(shared.take_metrics());
    }
}
