//! [`Conformance`]: checks the contract of plugins, as far as it can be seen from outside.

mod found;
mod life;
mod outside;
mod probe;
mod trial;
mod verdict;

pub use outside::Outside;

use crate::{
    Phase,
    agent::{Backoff, Builder, Cause, PluginError, StartPolicy},
    config::{Known, nearest},
    graph::Node,
};
use found::Found;
use life::look_at;
use probe::Ordeal;
use std::{fmt, time::Duration};
use trial::Trial;

/// How many waits of one phase are tried at most.
const WAITS: u32 = 40;

/// How soon a failed `init` is called again.
const SOON: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(1));

/// Checks that a plugin keeps its contract, in real agents and in real time.
///
/// | | the contract | what is checked |
/// | --- | --- | --- |
/// | 1 | a plugin owns its tasks | after it has closed, none of its tasks runs, whether spawned through the context or not, nor, a second later, what it passed to `spawn_blocking`. The agent ends those of [`spawn_until_close`](crate::Context::spawn_until_close) before |
/// | 2 | it is safe to close | after an `init` that failed, or was dropped at one of its first 40 await points, or never ran; and twice. Its `init` may be called again after it was dropped there, and, if it waits for anything, after it failed at its end and its tasks were ended |
/// | 3 | it never blocks, and never waits for ever | no call of its lifecycle, and none of a task that it spawned through the context, blocks its thread for longer than [`blocks_after`](Conformance::blocks_after). *Each of its calls to the outside ends by itself. A flood of them is bounded: calls beyond the bound wait with a limit, or are refused, and the caller is told so* |
/// | 4 | it reports its state | it is no longer in `Init` 5 s after the start, and it gives a reason if its state is not ok. *A lost connection is reported within seconds, with its endpoint, and for as long as it is lost (checked for as long as the plugin may take to be back, between 1.5 s and 3 s); so is its return* |
/// | 5 | it follows a start policy | *without its server, `init` ends by itself with an error: under `fail` the start fails, under `retry` and `ignore` it does not; under `retry` the plugin comes up when the server does* |
/// | 6 | it reconnects by itself | *when the server is back, its calls work; a call that got no answer does not report success* |
/// | 7 | its errors say what to do, and contain no secret | they carry a cause or help. *Those of its calls, and of an `init` without its server, name the endpoint; a call also says what went wrong, and does not panic.* No secret is in an error, a report, the reason of a state, or in what is logged on the thread of the test (all tasks of the agent run there): neither those of [`secret`](Conformance::secret), nor the [`Secret`](crate::config::Secret)s that are set in its config section (of at least four letters) |
/// | 8 | it is configured by one type | its config section refuses unknown keys, and has those that its flags set |
///
/// What is in italics is checked for a plugin with an [`outside`](Conformance::outside): a server that it talks to. See
/// [`Outside`].
///
/// What cannot be seen from outside is left to the plugin's own tests: that it brings its subscribers back to the true
/// state (point 6); that a queue drops entries whose callers have given up; that its own threads (`std::thread`) do not
/// outlive it; and that calls do not block in tasks that it spawned without its context, or in handlers that others
/// call.
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
    outside: Option<Outside<F>>,
}

type Make<F> = Box<dyn Fn() -> Builder<F>>;

/// A point of the contract that a plugin violates.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The number of the point.
    pub point: u8,
    /// What was observed.
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

impl<F: 'static> Conformance<F> {
    /// Checks the plugin of this instance name, in the agents that `make` makes. Each call has to make a new one, with
    /// all that the plugin depends on, and with free ports (0).
    pub fn of(plugin: &str, make: impl Fn() -> Builder<F> + 'static) -> Self {
        Conformance {
            plugin: plugin.to_string(),
            make: Box::new(make),
            failing: Vec::new(),
            secrets: Vec::new(),
            blocks_after: Duration::from_millis(250),
            outside: None,
        }
    }

    /// Sets the server that the plugin talks to, behind a link that the kit breaks, and a call through it. The plugin's
    /// config that `make` sets has to point to [`Link::addr`](super::Link::addr).
    pub fn outside(mut self, outside: Outside<F>) -> Self {
        self.outside = Some(outside);
        self
    }

    /// Adds agents whose start fails in this plugin, to check its errors. `about` says why it fails.
    pub fn fails(mut self, about: &str, make: impl Fn() -> Builder<F> + 'static) -> Self {
        self.failing.push((about.to_string(), Box::new(make)));
        self
    }

    /// Adds a secret of the config that no output may contain.
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_string());
        self
    }

    /// Sets how long a call may block its thread. Default: 250 ms, which allows for a busy machine.
    pub fn blocks_after(mut self, limit: Duration) -> Self {
        self.blocks_after = limit;
        self
    }

    /// Runs all checks, in a few agents one after the other.
    ///
    /// # Panics
    /// There are violations; the message lists all of them. Also inside a tokio runtime, since it makes its own.
    #[track_caller]
    pub fn check(&self) {
        let violations: Vec<_> = self.violations().iter().map(|violation| format!("\n  - {violation}")).collect();
        assert!(violations.is_empty(), "plugin `{}` does not keep its contract:{}", self.plugin, violations.concat());
    }

    /// Runs all checks, and returns what they found.
    ///
    /// # Panics
    /// The flavor has no such plugin. Also inside a tokio runtime, since it makes its own.
    #[must_use]
    #[track_caller]
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Found { plugin: &self.plugin, secrets: self.secrets.clone(), violations: Vec::new() };
        let graph = (self.make)().graph();
        let Some(node) = graph.nodes().iter().find(|node| node.instance() == self.plugin) else {
            let names: Vec<_> = graph.nodes().iter().map(Node::instance).collect();
            let meant = nearest(&self.plugin, names.iter().copied());
            let meant = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
            let (flavor, plugin) = (graph.name(), &self.plugin);
            panic!("flavor `{flavor}` has no plugin `{plugin}`: {meant}its plugins are {}", names.join(", "));
        };
        let first =
            self.live_through(&self.make, Ordeal::None, async |agent, life| look_at(&self.plugin, agent, life).await);
        found.of_a_life("a start and a stop", &first);
        if !first.started {
            found.add(0, format!("the agent does not start: {}", first.texts[0]));
            return found.violations;
        }
        found.of_its_state(&first);
        let again = self.live(&self.make, Ordeal::None);
        found.of_a_life("a second start and stop", &again);
        if !again.started {
            found.add(2, "the agent does not start a second time in one process".to_string());
        }
        // The lower of both is used: on a busy machine any call may look slow once.
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
                found.add(2, format!("after {what}, it does not start: {}", again.texts[0]));
            }
        }
        // An `init` that waits for nothing has no reason to fail that could go away.
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
        for mistake in Known::of(graph).defects_of(&self.plugin) {
            found.add(8, mistake.to_string());
        }
        for (about, make) in &self.failing {
            let failed = self.live(make, Ordeal::None);
            found.of_a_life(about, &failed);
            found.of_its_errors(about, &failed);
        }
        if let Some(outside) = &self.outside {
            Trial { kit: self, outside }.check(&mut found);
        }
        found.violations
    }
}
