//! [`Conformance`]: what every plugin has to keep to, as far as it can be seen from outside.

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

/// More than so many waits of one phase are not tried.
const WAITS: u32 = 40;

/// How soon an `init` is called again that has failed.
const SOON: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(1));

/// Checks the contract of a plugin, in real agents on real time.
///
/// | | the contract | what is checked |
/// | --- | --- | --- |
/// | 1 | a plugin owns its tasks | when it has closed, none of them runs, be it spawned through the context or not, nor, a second later, what it gave to `spawn_blocking`. The agent ends those of [`spawn_until_close`](crate::Context::spawn_until_close) before |
/// | 2 | it is safe to close | after an `init` that failed, or was dropped at one of its first 40 await points, or never ran; and twice. Its `init` may be called again after it was dropped there, and, where it waits for anything, after it failed at its end and its tasks were ended |
/// | 3 | it never blocks, and never waits for ever | no call of its lifecycle, and none of a task that it spawned through the context, keeps its thread for longer than [`blocks_after`](Conformance::blocks_after). *Of its calls to the outside, each ends by itself; a flood of them is bounded: what is beyond it waits, and has a limit, or is refused, and is told so* |
/// | 4 | it reports its state | it is no more in `Init` 5 s after the start, and it gives a reason when it is not well. *A lost connection is reported in seconds, with its endpoint, and for as long as it is lost: it is looked at for as long as the plugin may take to be back, 1.5 s at least and 3 s at most; so is its return* |
/// | 5 | it follows a start policy | *without its server `init` ends by itself, and fails: under `fail` the start, under `retry` and `ignore` not; under `retry` it comes up when the server does* |
/// | 6 | it connects again by itself | *when the server is back, its calls work; none that got no answer says that all is well* |
/// | 7 | its errors tell what to do, and no secret | they carry a cause or a mend. *Those of its calls, and of an `init` without its server, name the endpoint; a call says what went wrong, too, and does not panic.* No secret is in an error, a report, the reason of a state, or in what is logged on the thread of the test (all tasks of the agent run there): neither those of [`secret`](Conformance::secret), nor the [`Secret`](crate::config::Secret)s that are set in its config section (of four letters at least) |
/// | 8 | it is configured by one type | its config section refuses a key that it does not know, and has those that its flags set |
///
/// What stands in italics is checked of a plugin with an [`outside`](Conformance::outside): a server that it talks to. See [`Outside`].
///
/// What can not be seen from outside is left to the plugin's own tests: that it brings its subscribers back to what is true (point 6); a queue whose entries
/// are left out when their callers have given up; threads of its own (`std::thread`) that outlive it; and calls that block in tasks that it spawned
/// without its context, or in handlers that others call.
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
            outside: None,
        }
    }

    /// The server that the plugin talks to, behind a link that the kit breaks, and a call through it. The config that `make` gives
    /// the plugin points to [`Link::addr`](super::Link::addr).
    pub fn outside(mut self, outside: Outside<F>) -> Self {
        self.outside = Some(outside);
        self
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
