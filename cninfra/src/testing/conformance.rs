//! [`Conformance`]: what every plugin has to keep to, as far as it can be seen from outside.

use super::{
    log::Log,
    probe::{Ordeal, Seen, around},
};
use crate::{
    Phase,
    agent::{Backoff, Builder, Cause, Outcome, PluginError, StartPolicy},
    config::Known,
    graph::Graph,
    logging::{Level, LogSettings},
    status::{AgentStatus, State},
    tasks::{END_IT, LEFT, Slowest},
};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, time::timeout};

/// More than so many waits of one phase are not tried.
const WAITS: u32 = 40;

/// How soon an `init` is called again that has failed; and how long a plugin has to come up then.
const SOON: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(1));
const UP_WITHIN: Duration = Duration::from_secs(5);

/// So long may go on, when the agent has closed, what was given to `spawn_blocking`: it can not be ended.
const OUTLIVES: Duration = Duration::from_secs(1);

/// Checks the contract of a plugin, in real agents on real time.
///
/// | | what is checked |
/// | --- | --- |
/// | 1 | it owns its tasks: when it has closed, none of them runs, be it spawned through the context or not, nor, a second later, what it gave to `spawn_blocking`. The agent ends those of [`spawn_until_close`](crate::Context::spawn_until_close) before |
/// | 2 | it is safe to close after an `init` that failed, or was dropped at one of its first 40 await points, or never ran; and to close twice; and its `init` may be called again after it was dropped there, and, where it waits for anything, after it failed at its end and its tasks were ended |
/// | 3 | it never blocks: no call of its lifecycle, and none of a task that it spawned through the context, keeps its thread for longer than [`blocks_after`](Conformance::blocks_after) |
/// | 4 | it reports its state: it does not stay in `Init`, and it gives a reason when it is not well |
/// | 7 | its errors carry a cause or a mend; no secret is in an error, a report or in what is logged on the thread of the test (all tasks of the agent run there) |
/// | 8 | its config section refuses a key that it does not know, and has those that its flags set |
///
/// Point 5, the start policies, is the agent's own work. What can not be seen from outside is left to the plugin's own tests: time-outs of
/// outside calls, bounds of queues, point 6 (that it reconnects, and brings its subscribers back to what is true), threads of its own
/// (`std::thread`) that outlive it, and calls that block in tasks that it spawned without its context, or in handlers that others call.
///
/// ```
/// use cninfra::{prelude::*, testing::Conformance};
///
/// #[plugin]
/// struct Ticker;
///
/// impl Lifecycle for Ticker {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         cx.log().info("ready to tick");
///         Ok(())
///     }
/// }
///
/// #[derive(Flavor)]
/// struct Lone {
///     ticker: Dep<Ticker>,
/// }
///
/// // in a test: `#[test]`, without a runtime
/// Conformance::of("ticker", Agent::<Lone>::builder).check();
/// ```
#[must_use = "it is `check` that checks"]
pub struct Conformance<F> {
    plugin: String,
    make: Make<F>,
    /// Builders whose start fails in this plugin, each with what it is about.
    failing: Vec<(String, Make<F>)>,
    secrets: Vec<String>,
    blocks_after: Duration,
}

type Make<F> = Box<dyn Fn() -> Builder<F>>;

/// A point of the contract that a plugin does not keep.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The number of the point.
    pub point: u8,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "contract {}: {}", self.point, self.what)
    }
}

impl<F> fmt::Debug for Conformance<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}

/// One agent's life, as it was seen.
struct Life {
    started: bool,
    /// No plugin is down, at once or after some attempts.
    is_up: bool,
    status: Option<AgentStatus>,
    seen: Arc<Seen>,
    left_task: bool,
    /// The longest call of one of its tasks.
    slowest_task: Option<(&'static str, Duration)>,
    /// Something that was given to the runtime's threads for what blocks still ran long after the close.
    outlived: bool,
    /// Tasks that still ran when the agent had closed.
    alive: usize,
    errors: Vec<PluginError>,
    /// What went wrong while it was closed, be it in a stop or in a rollback.
    closing: Vec<PluginError>,
    /// The errors' reports, and the log.
    said: Vec<String>,
}

impl<F: 'static> Conformance<F> {
    /// Of the plugin of this instance name, in the agents that `make` makes: each time a new one, with all that the plugin
    /// depends on, and with ports that are free (0).
    pub fn of(plugin: &str, make: impl Fn() -> Builder<F> + 'static) -> Self {
        Conformance {
            plugin: plugin.to_string(),
            make: Box::new(make),
            failing: Vec::new(),
            secrets: Vec::new(),
            blocks_after: Duration::from_millis(250),
        }
    }

    /// Agents whose start fails in this plugin: for its errors. `about` says why it does.
    pub fn fails(mut self, about: &str, make: impl Fn() -> Builder<F> + 'static) -> Self {
        self.failing.push((about.to_string(), Box::new(make)));
        self
    }

    /// A secret of the config: nothing that is said may contain it.
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_string());
        self
    }

    /// How long a call may keep its thread. Default: 250 ms, for a machine that is busy.
    pub fn blocks_after(mut self, limit: Duration) -> Self {
        self.blocks_after = limit;
        self
    }

    /// Checks all, in a few agents one after the other.
    ///
    /// # Panics
    /// With all violations, if there are any. Inside of a tokio runtime, too: it makes its own.
    #[track_caller]
    pub fn check(&self) {
        let violations: Vec<_> = self.violations().iter().map(|violation| format!("\n  - {violation}")).collect();
        assert!(violations.is_empty(), "plugin `{}` does not keep its contract:{}", self.plugin, violations.concat());
    }

    /// Checks all, and returns what it found.
    ///
    /// # Panics
    /// The flavor has no such plugin. Inside of a tokio runtime, too: it makes its own.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Found { plugin: &self.plugin, secrets: &self.secrets, violations: Vec::new() };
        let graph = (self.make)().graph();
        let Some(node) = graph.nodes().iter().find(|node| node.instance() == self.plugin) else {
            panic!("flavor `{}` has no plugin `{}`", graph.name(), self.plugin);
        };
        let first = self.live(&self.make, Ordeal::None);
        found.of_a_life("a start and a stop", &first);
        if !first.started {
            found.add(0, format!("the agent does not start: {}", first.said[0]));
            return found.violations;
        }
        found.of_its_state(&first);
        let again = self.live(&self.make, Ordeal::None);
        found.of_a_life("a second start and stop", &again);
        if !again.started {
            found.add(2, "the agent does not start a second time in one process".to_string());
        }
        // in both of them: once, a busy machine makes any call look slow
        let longest = [&first, &again].into_iter().filter_map(|life| life.seen.longest()).min_by_key(|(_, took)| *took);
        if let Some((phase, took)) = longest.filter(|(_, took)| *took > self.blocks_after) {
            found.add(3, format!("a call in {phase} kept its thread for {took:.1?}"));
        }
        let slowest = [&first, &again].into_iter().filter_map(|life| life.slowest_task).min_by_key(|(_, took)| *took);
        if let Some((task, took)) = slowest.filter(|(_, took)| *took > self.blocks_after) {
            found.add(3, format!("a call of task `{task}` kept its thread for {took:.1?}"));
        }
        found.of_a_life("a second close", &self.live(&self.make, Ordeal::ClosedTwice));
        for phase in [Phase::Init, Phase::AfterInit] {
            let failed = self.live(&self.make, Ordeal::Fails(phase));
            found.of_a_life(&format!("{phase} that failed at its end"), &failed);
            for waits in 0..=first.seen.waits(phase).min(WAITS) {
                let dropped = self.live(&self.make, Ordeal::Dropped(phase, waits));
                found.of_a_life(&format!("{phase} that was dropped at wait {waits}"), &dropped);
            }
        }
        for waits in 1..=first.seen.waits(Phase::Init).min(WAITS) {
            let again = self.live(&self.make, Ordeal::Again(Phase::Init, waits));
            let what = format!("init that was dropped at wait {waits}, and called again");
            found.of_a_life(&what, &again);
            if !again.started {
                found.add(2, format!("after {what}, it does not start: {}", again.said[0]));
            }
        }
        // who waits for nothing has no reason to fail that could go away
        if first.seen.waits(Phase::Init) > 0 {
            let retried = || (self.make)().start_policy(&self.plugin, StartPolicy::Retry(SOON));
            let again = self.live(&retried, Ordeal::FailsOnce(Phase::Init));
            found.of_a_life("init that failed at its end, and was called again", &again);
            if !again.is_up {
                found
                    .add(2, "after init that failed at its end, and was called again, it does not come up".to_string());
            }
        }
        if node.plugin.config.is_some() {
            let unknown = self.live(&|| (self.make)().set(&self.plugin, "no-such-key", 1), Ordeal::None);
            let is_refused = |error: &PluginError| matches!(error.cause, Cause::Config(_));
            if unknown.started || !unknown.errors.iter().any(is_refused) {
                found.add(8, "its config section takes a key that it does not know".to_string());
            }
        }
        for mistake in Known::of(graph).mistaken_flags_of(&self.plugin) {
            found.add(8, mistake.to_string());
        }
        for (about, make) in &self.failing {
            let failed = self.live(make, Ordeal::None);
            found.of_a_life(about, &failed);
            found.of_its_errors(about, &failed);
        }
        found.violations
    }

    /// One agent from its start to its end, on a thread and in a runtime of its own: so that what is logged and what still runs is its.
    fn live(&self, make: &dyn Fn() -> Builder<F>, ordeal: Ordeal) -> Life {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("no runtime: {error}"),
        };
        let log = Log::default();
        let mut life = log.during(|| self.live_in(&runtime, make, ordeal));
        let began = Instant::now();
        runtime.shutdown_timeout(OUTLIVES);
        life.outlived = began.elapsed() >= OUTLIVES;
        life.said.push(log.text());
        life
    }

    fn live_in(&self, runtime: &Runtime, make: &dyn Fn() -> Builder<F>, ordeal: Ordeal) -> Life {
        let seen = Arc::new(Seen::default());
        let guard = runtime.enter();
        // secrets are looked for in what is logged at any level
        let levels = LogSettings::new().default_level(Level::Trace);
        let builder = make().record_events(true).log_settings(&levels).wrap(around(&self.plugin, ordeal, seen.clone()));
        let slowest = Arc::new(Slowest::default());
        let builder = builder.measure(slowest.clone());
        drop(guard);
        let graph = builder.graph();
        let (mut life, events) = runtime.block_on(async {
            let mut life = Life::new(seen);
            let events = match builder.start().await {
                Ok(agent) => {
                    life.started = true;
                    life.is_up = timeout(UP_WITHIN, agent.all_up()).await.is_ok();
                    life.status = Some(agent.status());
                    match agent.close().await {
                        Ok(events) => events,
                        Err(error) => {
                            life.said.push(format!("{error}\n{error:?}"));
                            life.errors = error.run;
                            life.closing = error.errors;
                            error.events
                        }
                    }
                }
                Err(error) => {
                    life.said.push(format!("{error}\n{error:?}"));
                    life.errors = error.errors;
                    life.closing = error.rollback;
                    error.events
                }
            };
            // a task that has ended is counted for a moment longer
            let until = Instant::now() + Duration::from_millis(300);
            let metrics = tokio::runtime::Handle::current().metrics();
            while metrics.num_alive_tasks() > 0 && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            life.alive = metrics.num_alive_tasks();
            (life, events)
        });
        life.slowest_task = slowest
            .get()
            .filter(|(place, ..)| is_named(graph, *place, &self.plugin))
            .map(|(_, task, took)| (task, took));
        life.left_task = events
            .iter()
            .any(|event| event.outcome == Outcome::LeftTask && is_named(graph, usize::from(event.place), &self.plugin));
        life
    }
}

impl Life {
    fn new(seen: Arc<Seen>) -> Self {
        let (started, is_up, status) = (false, false, None);
        let (errors, closing, said) = Default::default();
        Life {
            started,
            is_up,
            status,
            seen,
            left_task: false,
            slowest_task: None,
            outlived: false,
            alive: 0,
            errors,
            closing,
            said,
        }
    }
}

impl Life {
    /// The names of the tasks that were left behind, as the log tells them.
    fn left_names(&self) -> Vec<&str> {
        let lines = self.said.iter().flat_map(|said| said.lines());
        let mut names: Vec<_> =
            lines.filter_map(|line| line.split_once(LEFT)?.0.rsplit_once("task `")).map(|(_, name)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn is_named(graph: &Graph, place: usize, plugin: &str) -> bool {
    graph.nodes().get(place).is_some_and(|node| node.instance() == plugin)
}

/// The violations so far.
struct Found<'a> {
    plugin: &'a str,
    secrets: &'a [String],
    violations: Vec<Violation>,
}

impl Found<'_> {
    fn add(&mut self, point: u8, what: String) {
        self.violations.push(Violation { point, what });
    }

    /// What holds after any life.
    fn of_a_life(&mut self, after: &str, life: &Life) {
        if life.left_task {
            let names = life.left_names().join("`, `");
            self.add(1, format!("after {after}: a task of it still ran when it had closed: `{names}`: {END_IT}"));
        } else if life.alive > 0 {
            self.add(1, format!("after {after}: {} tasks still run that belong to nobody", life.alive));
        }
        if life.outlived {
            self.add(
                1,
                format!("after {after}: what was given to `spawn_blocking` still runs {OUTLIVES:?} after the close"),
            );
        }
        for error in life.closing.iter().filter(|error| error.instance == self.plugin || error.instance == "AGENT") {
            self.violations.push(Violation { point: 2, what: format!("after {after}: {error}") });
        }
        for error in &life.errors {
            if matches!(error.cause, Cause::Panicked(_)) && error.instance == self.plugin {
                self.violations.push(Violation { point: 2, what: format!("after {after}: {error}") });
            }
            if matches!(error.cause, Cause::Blocked { .. } | Cause::TimedOut(_)) && error.instance == self.plugin {
                self.violations.push(Violation { point: 3, what: format!("after {after}: {error}") });
            }
        }
        for secret in self.secrets {
            if life.said.iter().any(|said| said.contains(secret)) {
                // the secret itself is not told here either
                self.violations.push(Violation { point: 7, what: format!("after {after}: a secret is told") });
            }
        }
    }

    fn of_its_state(&mut self, life: &Life) {
        let status = life.status.iter().flat_map(|status| &status.plugins).find(|status| status.name == self.plugin);
        let Some(status) = status else { return };
        let has_reason = status.reason.as_ref().is_some_and(|reason| !reason.is_empty());
        match status.state {
            State::Init => self.add(4, "its state is still `Init` when the agent has started".to_string()),
            State::Ok => {}
            state if !has_reason => self.add(4, format!("its state is {state:?}, without a reason")),
            _ => {}
        }
    }

    fn of_its_errors(&mut self, about: &str, life: &Life) {
        let plugin = self.plugin;
        let errors: Vec<_> = life.errors.iter().filter(|error| error.instance == plugin).collect();
        if errors.is_empty() {
            self.add(7, format!("{about}: it does not fail"));
        }
        for error in errors {
            let (Cause::Failed(cause) | Cause::Config(cause)) = &error.cause else { continue };
            let text = cause.to_string();
            if cause.chain().len() < 2 && cause.help().is_none() {
                self.add(7, format!("{about}: its error tells neither a cause nor a mend: {text}"));
            }
            let first = text.chars().next();
            if text.trim().is_empty() || text.ends_with('.') || first.is_some_and(char::is_uppercase) {
                self.add(7, format!("{about}: an error is in lower case, without a full stop: {text}"));
            }
        }
    }
}
