//! Plugins without which an agent has started: their `init` is called again, until it succeeds or the agent stops.

use super::{begun::Begun, env::Env};
use crate::{
    Context,
    agent::terms::{
        cause::Cause,
        event::{Event, Outcome},
        failure::PluginError,
        guard::guard,
        limits::{Limit, after},
        phase::Phase,
        policy::{Backoff, StartPolicy},
    },
    foreign::{Panic, Who},
    inject::running::Running,
    status::Down,
    tasks::{Kind, Mark},
};
use futures_util::FutureExt as _;
use std::{collections::BTreeSet, fmt, future, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

/// The maximum number of events that are kept for one plugin.
const EVENTS: usize = 64;

/// The plugins whose `init` is retried, or will be when the agent has started.
#[derive(Default)]
pub(super) struct Retries {
    put_off: Vec<(usize, Backoff)>,
    trying: JoinSet<Tried>,
    /// The places of the plugins whose attempts have not ended.
    places: BTreeSet<usize>,
    /// The places of the plugins that have come up.
    up: watch::Sender<BTreeSet<usize>>,
    stop: watch::Sender<bool>,
}

/// The result of a plugin's attempts.
struct Tried {
    place: usize,
    up: bool,
    events: Vec<Event>,
    /// A panic in a destructor when the stop dropped the attempt.
    panicked: Option<PluginError>,
}

impl Retries {
    /// Called when the plugin's `init` has failed and its policy lets the agent go on.
    pub(super) async fn put_off(&mut self, env: &Env, plugin: &Begun, error: &PluginError) {
        end_attempt(&plugin.cx).await;
        let (log, what, help) = (plugin.cx.log(), error.to_string(), Help(error));
        match env.policy(plugin.place) {
            StartPolicy::Retry(backoff) => {
                log.warn(format_args!("{what}: the agent starts without it, and tries again{help}"));
                plugin.cx.status().mark_down(Down::Retrying, format!("{what}; it is tried again"));
                self.put_off.push((plugin.place, backoff));
            }
            _ => {
                log.warn(format_args!("{what}: its start policy is to ignore that{help}"));
                plugin.cx.status().mark_ignored(format!("{what}; ignored"));
            }
        }
    }

    /// Starts the retries when the agent has started.
    pub(super) fn begin(&mut self, env: &Arc<Env>, plugins: &[Begun], epoch: Option<Instant>) {
        for (place, backoff) in self.put_off.drain(..) {
            if let Some(plugin) = plugins.iter().find(|plugin| plugin.place == place) {
                let (id, mark) = env.shared.tasks.enter(place, "init", Kind::Attempt).unzip();
                self.places.insert(place);
                let attempts = Attempts {
                    env: env.clone(),
                    place,
                    came_up: self.up.clone(),
                    id,
                    mark: mark.unwrap_or_default(),
                    running: plugin.running.clone(),
                    cx: plugin.cx.clone(),
                    epoch,
                    events: Vec::new(),
                };
                self.trying.spawn(attempts.run(backoff, self.stop.subscribe()));
            }
        }
    }

    /// Called when the agent stops: an attempt is dropped at its current await point. Returns the events and the
    /// errors.
    pub(super) async fn end(
        &mut self,
        env: &Env,
        plugins: &mut [Begun],
        limit: Duration,
    ) -> (Vec<Event>, Vec<PluginError>) {
        self.stop.send_replace(true);
        let (ends, mut events, mut errors) = (after(Instant::now(), limit), Vec::new(), Vec::new());
        loop {
            let tried = match timeout_at(ends, self.trying.join_next()).await {
                Ok(Some(tried)) => tried,
                Ok(None) => break,
                Err(_) => {
                    for place in &self.places {
                        let error = PluginError::of_stuck_attempt(&env.graph.nodes()[*place], limit);
                        env.shared
                            .loggers
                            .get(error.instance)
                            .error(format_args!("{error}: the agent stops beside it"));
                        errors.push(error);
                    }
                    break;
                }
            };
            let mut tried = match tried {
                Ok(tried) => tried,
                Err(error) => {
                    // Only panics count: nobody else aborts these tasks.
                    let Ok(panic) = error.try_into_panic() else { continue };
                    let cause = Cause::Panicked(Panic::of(panic));
                    errors.push(PluginError::of_flavor(env.graph, Phase::Init, cause));
                    continue;
                }
            };
            self.places.remove(&tried.place);
            errors.extend(tried.panicked.take());
            events.append(&mut tried.events);
            if let Some(plugin) = plugins.iter_mut().find(|plugin| plugin.place == tried.place) {
                plugin.down = !tried.up;
                if let Some(begun_plugins) = env.progress.begun_plugins() {
                    begun_plugins.set_down(tried.place, plugin.down);
                }
            }
        }
        (events, errors)
    }
}

/// All direct and indirect dependencies of a plugin.
fn all_dependencies(env: &Env, place: usize) -> BTreeSet<usize> {
    let mut below = BTreeSet::new();
    let mut from = vec![place];
    while let Some(place) = from.pop() {
        let deps = env.graph.deps_of(place).iter().map(|dep| usize::from(*dep));
        from.extend(deps.filter(|dep| below.insert(*dep)));
    }
    below
}

/// Ends what a failed attempt has left running: otherwise it would go on beside the next attempt, and report its state.
pub(crate) async fn end_attempt(cx: &Context) {
    for left in cx.tasks().end_of(cx.place()).await {
        let name = left.name;
        cx.log().error(format_args!("task `{name}` of the attempt that failed blocks its thread, and goes on"));
    }
    // Metrics come last, since a task may register one at its end.
    cx.outdate_metrics();
}

/// The help for a failed attempt.
struct Help<'a>(&'a PluginError);

impl fmt::Display for Help<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PluginError { instance, phase, cause, .. } = self.0;
        match (cause, self.0.help()) {
            (Cause::TimedOut(_), _) => {
                let key = phase.to_string().replace('_', "-");
                write!(f, "; look at what it waits for, or give it longer by `{instance}.limits.{key}`")
            }
            (_, Some(help)) => write!(f, "; {help}"),
            (_, None) => Ok(()),
        }
    }
}

/// The attempts to bring one plugin up.
struct Attempts {
    env: Arc<Env>,
    place: usize,
    /// The places of the plugins that have come up.
    came_up: watch::Sender<BTreeSet<usize>>,
    /// The entry in the registry of tasks, where a watchdog sees it.
    id: Option<u64>,
    mark: Mark,
    running: Arc<dyn Running>,
    cx: Context,
    epoch: Option<Instant>,
    events: Vec<Event>,
}

impl Attempts {
    async fn run(mut self, backoff: Backoff, mut stop: watch::Receiver<bool>) -> Tried {
        let (mut up, mark) = (false, self.mark.clone());
        let (env, place) = (self.env.clone(), self.place);
        let dropped = {
            let mut coming_up = Box::pin(self.until_up(backoff, &mut up));
            tokio::select! {
                // An error means that the agent is gone.
                _ = stop.wait_for(|stop| *stop) => {}
                () = &mut coming_up => {}
            }
            let _inside = mark.enter();
            guard(|| drop(coming_up))
        };
        // An attempt that was dropped by the stop is no longer waiting.
        [Phase::Init, Phase::AfterInit]
            .into_iter()
            .for_each(|phase| env.shared.course_recorder.note_ended(place, phase, None));
        let (node, phase) = (&self.env.graph.nodes()[self.place], if up { Phase::AfterInit } else { Phase::Init });
        let panicked = dropped.err().map(|cause| PluginError::new(node, phase, cause, Duration::ZERO).in_destructor());
        if let Some(id) = self.id {
            self.env.shared.tasks.leave(id);
        }
        Tried { place: self.place, up, events: self.events, panicked }
    }

    async fn until_up(&mut self, backoff: Backoff, up: &mut bool) {
        let (mut failed, mut came_up) = (1, self.came_up.subscribe());
        let (dependencies, mut known) = (all_dependencies(&self.env, self.place), 0);
        loop {
            tokio::select! {
                () = tokio::time::sleep(backoff.delay(failed, fastrand::f64())) => {}
                // A dependency may have come up since the failure. The channel cannot be closed, since this holds a
                // sender.
                _ = came_up.wait_for(|up| up.intersection(&dependencies).count() > known) => {}
            }
            known = came_up.borrow().intersection(&dependencies).count();
            match self.step(Phase::Init).await {
                Ok(()) => break,
                Err(error) if matches!(error.cause, Cause::Panicked(_)) => return self.give_up(error),
                Err(error) => {
                    failed = failed.saturating_add(1);
                    end_attempt(&self.cx).await;
                    self.cx.log().warn(format_args!("attempt {failed}: {error}{}", Help(&error)));
                    self.cx.status().mark_down(Down::Retrying, format!("attempt {failed}: {error}; it is tried again"));
                }
            }
        }
        *up = true;
        match self.step(Phase::AfterInit).await {
            Ok(()) => {
                self.cx.status().mark_up();
                self.came_up.send_if_modified(|up| up.insert(self.place));
                self.cx.log().info(format_args!("is up after {} attempts", failed + 1));
            }
            // Start policies apply only to `init`: an error in `after_init` would have failed the start, so it stops
            // the agent.
            Err(error) => self.give_up(error),
        }
    }

    fn give_up(&self, error: PluginError) {
        self.cx.status().mark_down(Down::Failed, error.to_string());
        self.cx.log().error(format_args!("{error}: the agent stops"));
        self.env.shared.fail(error);
    }

    /// Runs one phase within its limit.
    async fn step(&mut self, phase: Phase) -> Result<(), PluginError> {
        let (started, limit) = (Instant::now(), self.env.limits.later(self.place, phase));
        let mut longest = Duration::ZERO;
        self.env.shared.course_recorder.note_waiting(self.place, phase, started);
        let result = {
            // Called and dropped in here, also at its limit, so that panics are caught and the watchdog can see it.
            let (this, slowest, mut begun) = (&*self, &mut longest, None);
            let node = &this.env.graph.nodes()[this.place];
            let mut marked = Box::pin(future::poll_fn(move |task| {
                let _inside = (this.mark.enter(), Who::step(node, phase).is_called());
                let began = Instant::now();
                let polled = begun.get_or_insert_with(|| this.running.step(phase, &this.cx)).as_mut().poll(task);
                *slowest = began.elapsed().max(*slowest);
                polled
            }));
            let step = async move {
                let done = timeout(limit, &mut marked).await;
                let _inside = (this.mark.enter(), Who::step(node, phase).is_called());
                drop(marked);
                done
            };
            let overdue = |longest| Limit { limit, ends: started }.overdue(longest);
            match AssertUnwindSafe(step).catch_unwind().await {
                Ok(Ok(Ok(()))) if started.elapsed() > limit => Err(overdue(longest)),
                Ok(Ok(Ok(()))) => Ok(()),
                Ok(Ok(Err(error))) => Err(Cause::Failed(error)),
                Ok(Err(_)) => Err(overdue(longest)),
                Err(panic) => Err(Cause::Panicked(Panic::of(panic))),
            }
        };
        let outcome = result.as_ref().map_or_else(Outcome::from, |()| Outcome::Done);
        let took = started.elapsed();
        let place = self.place as u16;
        let event = |epoch| Event { place, phase, started: started.duration_since(epoch), took, outcome };
        let event = self.epoch.filter(|_| self.events.len() < EVENTS).map(event);
        self.events.extend(event);
        self.env.shared.course_recorder.note_ended(self.place, phase, event);
        result.map_err(|cause| PluginError::new(&self.env.graph.nodes()[self.place], phase, cause, took))
    }
}
