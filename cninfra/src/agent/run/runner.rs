//! [`Runner`]: one agent without its types, from start to stop. It knows no plugin's type, so it is compiled once for
//! all flavors.

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

/// A plugin that the agent does not create, or does not run.
pub(in crate::agent) enum Special {
    /// Neither created nor run: a finished instance replaces it.
    Absent,
    /// Neither created nor run: it is switched off.
    Off,
    /// Already created, but run by the agent.
    Made(Arc<dyn Running>),
    /// Created, since its handle is needed, but not run.
    Unused,
}

/// A running agent without its types.
pub(in crate::agent) struct Runner {
    pub(in crate::agent) env: Arc<Env>,
    /// The created plugins that have a lifecycle, in start order.
    pub(super) plugins: Vec<Begun>,
    /// How many of them have begun (`init` was called), from the first. Each of these is closed once.
    pub(super) begun: usize,
    /// For how many of them `after_init` was called, from the first; all of them, once the agent has started. These are
    /// drained, unless they are down.
    pub(super) serving: usize,
    pub(super) record: Record,
    retries: Retries,
    /// Records that the agent logs before it calls any plugin.
    early_records: Vec<(Level, String)>,
}

impl Runner {
    pub(in crate::agent) fn new(env: Env, record: bool, early_records: Vec<(Level, String)>) -> Self {
        let room = env.graph.len();
        let record = if record { Record::on(5 * room, env.shared.clone()) } else { Record::off() };
        let plugins = Vec::with_capacity(room);
        let env = Arc::new(env);
        if let Some(begun_plugins) = env.progress.begun_plugins() {
            begun_plugins.begin(&env, &record);
        }
        Runner { env, plugins, begun: 0, serving: 0, record, retries: Retries::default(), early_records }
    }

    /// A runner that closes these plugins, which have begun.
    pub(in crate::agent) fn of_begun(env: Env, plugins: Vec<Begun>, record: Record) -> Self {
        let (env, all) = (Arc::new(env), plugins.len());
        if let Some(begun_plugins) = env.progress.begun_plugins() {
            begun_plugins.begin(&env, &record);
            begun_plugins.enlist(&plugins);
            begun_plugins.mark_all_serving();
        }
        Runner {
            env,
            plugins,
            begun: all,
            serving: all,
            record,
            retries: Retries::default(),
            early_records: Vec::new(),
        }
    }

    pub(in crate::agent) fn events(&self) -> &[Event] {
        self.record.events()
    }

    /// Creates and initialises every plugin, then runs `after_init`. On a failure, or when the agent is asked to stop,
    /// everything that has begun is closed.
    // Boxed here, so that it is compiled here: an `async fn` is compiled where it is awaited, in each agent's crate.
    pub(in crate::agent) fn start<'a>(
        mut self,
        create: Create<'a>,
        special: HashMap<usize, Special>,
        invalid: Vec<PluginError>,
    ) -> BoxFuture<'a, Result<Runner, Box<FailedStart>>> {
        Box::pin(async move {
            let began = Instant::now();
            let runtime = Handle::current();
            self.env.shared.tasks.run_on(runtime.clone());
            self.env.shared.loggers.begin(runtime);
            // Set before anything is logged: a log that nobody reads blocks those that write to it, and the limit has
            // to cover that, too.
            self.enter_stage(StageKind::Start, self.env.limits.whole.start);
            let log = self.env.shared.loggers.of_agent();
            std::mem::take(&mut self.early_records).into_iter().for_each(|(level, what)| log.log(level, what));
            let mut together = Together { errors: invalid, ..Together::default() };
            if together.is_well() {
                together = self.start_all(create, &special, began).await;
            }
            together.errors.append(&mut self.env.shared.take_failures());
            if !together.is_well() {
                return Err(Box::new(self.roll_back(together.errors, began).await));
            }
            // A plugin that comes up later counts as serving from then on. Those that are down are left out of the
            // drain.
            self.serving = self.plugins.len();
            self.env.progress.set_running();
            self.env.shared.started(self.record.events());
            if self.env.progress.begun_plugins().is_some() {
                // Lets a task that waits for the start continue on another thread, while this thread logs.
                stall::release_next_task();
            }
            self.retries.begin(&self.env, &self.plugins, self.record.epoch());
            Ok(self)
        })
    }

    async fn start_all(&mut self, create: Create<'_>, special: &HashMap<usize, Special>, began: Instant) -> Together {
        let (env, mut last) = (self.env.clone(), Together::default());
        let ends = after(began, env.limits.whole.start);
        for phase in [Phase::Init, Phase::AfterInit] {
            // `from` is an index in the graph, `first` the index of the same plugin in `plugins`.
            let (mut from, mut first) = (0, 0);
            while last.is_well() && from < env.graph.len() {
                let to = env.group_end(from);
                if phase == Phase::Init {
                    last = self.create_group(from..to, create, special, (last.now(), ends)).await;
                }
                if last.is_well() {
                    let end = first + before(&self.plugins[first..], to);
                    if phase == Phase::Init
                        && let Some(begun_plugins) = env.progress.begun_plugins()
                    {
                        begun_plugins.enlist(&self.plugins[first..end]);
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
            if let Some(begun_plugins) = env.progress.begun_plugins() {
                begun_plugins.set_down(place, true);
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

    /// Closes what has begun in a start that failed or was interrupted.
    async fn roll_back(mut self, errors: Vec<PluginError>, began: Instant) -> FailedStart {
        let env = self.env.clone();
        env.shared.status.stopping();
        let took = began.elapsed();
        if let Some(error) = errors.first().filter(|error| !matches!(error.cause, Cause::Config(_))) {
            // Logged at once, since a plugin may block the rollback before the report.
            env.shared.loggers.of_agent().error(format_args!("{error}: the start is rolled back"));
        }
        let kind = if errors.is_empty() { StageKind::Stop } else { StageKind::Rollback };
        self.enter_stage(kind, env.limits.whole.stop);
        let rollback = self.stop_all(after(Instant::now(), env.limits.whole.stop), Duration::ZERO).await;
        let mut errors = errors;
        errors.append(&mut env.shared.take_failures());
        let events = self.record.take();
        FailedStart { error: StartError { errors, rollback, events, took, graph: env.graph }, runner: self }
    }

    /// Drains all plugins at once, then closes them, dependents first. It continues after errors.
    pub(in crate::agent) fn stop(&mut self) -> BoxFuture<'_, Failures> {
        Box::pin(async move {
            let env = self.env.clone();
            env.shared.status.stopping();
            // The stage includes all that follows, so that the watchdog covers it.
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

    /// Drains and closes. The stage ends later, when the plugins are released, since a destructor may block, too.
    /// `used` is the part of the draining time that is already over.
    pub(in crate::agent) async fn stop_all(&mut self, ends: Instant, used: Duration) -> Vec<PluginError> {
        let (env, began) = (self.env.clone(), Instant::now());
        // Before the drain, so that tasks that follow the config have all that time to end by themselves.
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
            // For the plugins of each group, and for its tasks before and after them.
            StageKind::Rollback | StageKind::Stop => (3 * LEAST).saturating_mul(self.env.groups()),
        };
        progress.begin(Stage { kind, graph, limits: limits.clone(), ends, spare });
    }

    /// Drops the plugins, dependents first. Their destructors run here, if nobody else holds them. The metrics are
    /// dropped before, since they may hold plugins and contexts.
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

    /// Drops what holds plugins, for a flavor. Which plugin is destroyed there, and fails, is not known.
    pub(in crate::agent) fn let_go<T>(&self, held: T) -> Option<PluginError> {
        let (cause, took) = self.destroy(Callee::Handles, Duration::ZERO, &mut WallClock::now(), held).err()?;
        Some(PluginError::of_flavor(self.env.graph, Phase::Close, cause).in_destructor().after(took))
    }

    /// Drops `value`, in a way that the watchdog can see. The drop begins at `last`, which is set to its end. Returns
    /// the error and how long the drop took. A drop that takes at most `sure` is in time without a further check.
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

    /// Ends an agent that was closed. Its handles are dropped already, with the error `unnamed`, if there was one.
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

/// A start that failed. Everything that had begun has been closed.
pub(in crate::agent) struct FailedStart {
    error: StartError,
    runner: Runner,
}

impl FailedStart {
    /// See [`Runner::let_go`].
    pub(in crate::agent) fn let_go<T>(&self, held: T) -> Option<PluginError> {
        self.runner.let_go(held)
    }

    /// Ends it when the wiring's handles have been dropped, with the error `unnamed`, if there was one.
    pub(in crate::agent) fn finish(mut self, unnamed: Option<PluginError>) -> StartError {
        self.error.rollback.append(&mut self.runner.release());
        self.error.rollback.extend(unnamed);
        self.error
    }
}

/// How many plugins come before this place of the graph. Counted, since it is only called for the plugins of one group.
fn before(plugins: &[Begun], place: usize) -> usize {
    plugins.iter().take_while(|plugin| plugin.place < place).count()
}

impl Drop for Runner {
    /// An agent that is dropped without being closed cannot run its plugins' `close`, but it ends their tasks. So does
    /// an agent whose start failed while its plugins were created.
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
