//! Limits of a plugin, of a phase and of the whole, and how they are reported.

use crate::{plug, support::*};
use cninfra::{
    Phase,
    agent::{Builder, Cause, Limits, Order, Outcome, StartPolicy},
    config::Config,
    prelude::*,
};
use std::{
    collections::BTreeMap,
    future::pending,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};
use tokio::time::{Instant, sleep};

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

macro_rules! ten_that_wait {
    ($($name:ident $field:ident)*) => {
        $(plug!($name {} sleep(millis(50)).await);)*
        #[derive(Flavor)]
        pub struct Ten {
            $($field: Dep<$name>),*
        }
    };
}
ten_that_wait!(W0 w0 W1 w1 W2 w2 W3 w3 W4 w4 W5 w5 W6 w6 W7 w7 W8 w8 W9 w9);

#[tokio::test(start_paused = true)]
async fn ten_inits_of_50_ms_start_in_50_ms() {
    let began = Instant::now();
    let agent = Agent::<Ten>::start().await.unwrap();
    assert_eq!(began.elapsed(), millis(50));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_by_one_they_start_and_close_in_the_graphs_order() {
    let began = Instant::now();
    let agent = Agent::<Ten>::builder().order(Order::OneByOne).record_events(true).start().await.unwrap();
    assert_eq!(began.elapsed(), millis(500));
    let events = lines(Ten::GRAPH, &agent.close().await.unwrap());
    let of = |phase: &str| only(events.clone(), &[phase]);
    let names: Vec<_> = (0..10).map(|i| format!("W{i}")).collect();
    let expected = |phase: &str| names.iter().map(|name| format!("{phase} {name}")).collect::<Vec<_>>();
    let alternating: Vec<_> =
        names.iter().flat_map(|name| [format!("create {name}"), format!("init {name}")]).collect();
    assert_eq!(only(events.clone(), &["create", "init"]), alternating);
    assert_eq!((of("after_init"), of("drain")), (expected("after_init"), expected("drain")));
    let mut backwards = expected("close");
    backwards.reverse();
    assert_eq!(of("close"), backwards);
    // The same words as in the config.
    for (text, order) in [("one-by-one", Order::OneByOne), ("concurrent", Order::Concurrent)] {
        assert_eq!(text.parse::<Order>().unwrap(), order);
        assert_eq!(serde_json::to_value(order).unwrap(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn the_config_says_in_which_order_over_the_builder() {
    for (order, written, took) in [(Order::Concurrent, "one-by-one", 500), (Order::OneByOne, "Concurrent", 50)] {
        let (began, config) = (Instant::now(), Config::new().set("agent", "StartOrder", written));
        let agent = Agent::<Ten>::builder().order(order).config(config).start().await.unwrap();
        assert_eq!(began.elapsed(), millis(took), "{written}");
        agent.close().await.unwrap();
    }
}

plug!(Quick {});
plug!(Slow { quick: Dep<Quick> } sleep(millis(300)).await);
#[plugin]
pub struct SlowToClose {
    quick: Dep<Quick>,
}
impl Lifecycle for SlowToClose {
    async fn drain(&self, _: &Context) -> Result<()> {
        sleep(millis(300)).await;
        Ok(())
    }
    async fn close(&self, _: &Context) -> Result<()> {
        let _ = &self.quick;
        sleep(millis(300)).await;
        Ok(())
    }
}
#[derive(Flavor)]
pub struct Pair {
    quick: Dep<Quick>,
    slow: Dep<Slow>,
    last: Dep<SlowToClose>,
}

#[tokio::test(start_paused = true)]
async fn a_plugin_may_have_a_limit_of_its_own() {
    let builder = || Agent::<Pair>::builder().limits(Limits::default().plugin_start(millis(200)));
    let error = builder().start().await.unwrap_err();
    assert!(error.to_string().contains("plugin `Slow` was not done with init within 200ms (after 200.0ms)"), "{error}");
    let agent = builder().limit("slow", Phase::Init, millis(400)).start().await.unwrap();
    agent.close().await.unwrap();
    for (phase, others) in [(Phase::Drain, millis(300)), (Phase::Close, millis(300))] {
        let agent = Agent::<Pair>::builder().limit("slow-to-close", phase, millis(100)).start().await.unwrap();
        let began = Instant::now();
        let error = agent.close().await.unwrap_err();
        assert_eq!((error.errors.len(), error.errors[0].phase, began.elapsed()), (1, phase, millis(100) + others));
    }
}

#[tokio::test(start_paused = true)]
async fn the_config_says_limits_of_all_and_of_each_plugin_by_phase() {
    let start = async |config: Config| Agent::<Pair>::builder().config(config).start().await;
    let of_all = || Config::new().set("agent", "limits.init", "200ms");
    let error = start(of_all()).await.unwrap_err();
    assert!(error.to_string().contains("plugin `Slow` was not done with init within 200ms"), "{error}");
    assert!(error.to_string().contains("`slow.limits.init`, `agent.limits.init` or `agent.start-timeout`"), "{error}");
    // The plugin's own limits override those of all plugins, and those of the builder.
    let error = start(Config::new().set("slow", "limits", BTreeMap::from([("Init", "150ms")]))).await.unwrap_err();
    assert!(error.to_string().contains("plugin `Slow` was not done with init within 150ms"), "{error}");
    let config = of_all().set("slow", "limits.init", "400ms");
    let builder = || Agent::<Pair>::builder().limit("slow", Phase::Init, millis(1));
    builder().config(config).start().await.unwrap().close().await.unwrap();
    // A limit of another phase has no effect.
    builder().config(Config::new().set("slow", "limits.close", "400ms")).start().await.unwrap_err();
    for (section, key, phase) in [
        ("slow-to-close", "limits.drain", Phase::Drain),
        ("slow-to-close", "Limits.CLOSE", Phase::Close),
        ("agent", "limits.drain", Phase::Drain),
        ("agent", "limits.close", Phase::Close),
    ] {
        let agent = start(Config::new().set(section, key, "100ms")).await.unwrap();
        let began = Instant::now();
        let error = agent.close().await.unwrap_err();
        assert_eq!((error.errors.len(), error.errors[0].phase, began.elapsed()), (1, phase, millis(400)), "{key}");
    }
}

/// Waits in `create` and in `after_init`.
#[plugin(deps = (Quick,))]
pub struct Waits;
impl Create for Waits {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        sleep(millis(300)).await;
        Ok(Waits)
    }
}
impl Lifecycle for Waits {
    async fn after_init(&self, _: &Context) -> Result<()> {
        sleep(millis(300)).await;
        Ok(())
    }
}
#[derive(Flavor)]
pub struct Waiting {
    quick: Dep<Quick>,
    waits: Dep<Waits>,
}

#[tokio::test(start_paused = true)]
async fn every_phase_of_the_start_has_its_key() {
    for (section, key, phase) in [
        ("waits", "create", Phase::Create),
        ("waits", "after-init", Phase::AfterInit),
        ("agent", "create", Phase::Create),
        ("agent", "after_init", Phase::AfterInit),
    ] {
        let config = Config::new().set(section, &format!("limits.{key}"), "100ms");
        let error = Agent::<Waiting>::builder().config(config).start().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`Waits` was not done") && error.errors[0].phase == phase, "{section}.{key}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_whole_has_a_limit_too() {
    let limits = Limits::default().start(millis(250));
    let error = Agent::<Pair>::builder().limits(limits).start().await.unwrap_err();
    assert_eq!(error.took, millis(250));
    assert!(error.to_string().contains("plugin `Slow` was not done with init within 250ms"), "{error}");
    // One half of it is for draining, and the rest for closing.
    let limits = Limits::default().stop(millis(400));
    let agent = Agent::<Pair>::builder().limits(limits).start().await.unwrap();
    let began = Instant::now();
    let errors = agent.close().await.unwrap_err().errors;
    let told: Vec<_> = errors.iter().map(|error| (error.plugin, error.phase)).collect();
    assert_eq!(told, [("SlowToClose", Phase::Drain), ("SlowToClose", Phase::Close)]);
    assert_eq!(began.elapsed(), millis(400));
}

/// Its `close` takes this many milliseconds.
#[plugin]
pub struct Flushes {
    takes: u64,
    flushed: AtomicBool,
}
impl Lifecycle for Flushes {
    async fn close(&self, _: &Context) -> Result<()> {
        sleep(millis(self.takes)).await;
        self.flushed.store(true, SeqCst);
        Ok(())
    }
}
#[plugin]
pub struct NeverCloses {
    flushes: Dep<Flushes>,
}
impl Lifecycle for NeverCloses {
    async fn close(&self, _: &Context) -> Result<()> {
        let _ = &self.flushes;
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_hangs_leaves_the_others_time_to_close() {
    #[derive(Flavor)]
    struct Stack {
        flushes: Dep<Flushes>,
        never: Dep<NeverCloses>,
    }
    let (whole, default) = (millis(5000), Limits::default());
    for (limits, takes, told, took) in [
        // Half of the stop is left.
        (default, 2000, "NeverCloses was not done with close within 2.5s", 2500 + 2000),
        (default.plugin_stop(whole), 90, "NeverCloses was not done with close within 5s", 5000 + 90),
        // The minimum time of a `close`.
        (default.plugin_stop(millis(4950)), 90, "NeverCloses was not done with close within 4.95s", 5040),
    ] {
        let builder = Agent::<Stack>::builder().limits(limits);
        let agent = builder.with_new(Flushes { takes, flushed: AtomicBool::new(false) }).start().await.unwrap();
        let (flushes, began) = (agent.flushes.clone(), Instant::now());
        let error = agent.close().await.unwrap_err();
        let all: Vec<_> =
            error.errors.iter().map(|error| error.to_string().replace("plugin ", "").replace('`', "")).collect();
        assert_eq!((all, flushes.flushed.load(SeqCst)), (vec![told.to_string()], true));
        assert_eq!(began.elapsed(), millis(took));
    }
    // The error of a plugin that takes longer names that minimum.
    let builder = Agent::<Stack>::builder().limits(default.plugin_stop(whole));
    let agent = builder.with_new(Flushes { takes: 110, flushed: AtomicBool::new(false) }).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    assert_eq!(error.errors[1].to_string(), "plugin `Flushes` was not done with close within 100ms");
}

#[tokio::test]
async fn a_limit_of_nobody_is_told() {
    let error = Agent::<Pair>::builder().limit("slwo", Phase::Init, millis(1)).start().await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_config() && error.exit_code() == 2, "{text}");
    for part in ["agent `Pair` has invalid settings", "set for `slwo`", "the plugins are quick, slow, slow-to-close"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A sleep that blocks the thread.
fn block(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}
plug!(Blocks {} block(600));
plug!(Patient {} sleep(millis(10)).await);
#[derive(Flavor)]
pub struct Unfair {
    patient: Dep<Patient>,
    blocks: Dep<Blocks>,
}

#[tokio::test]
async fn who_waits_for_one_that_blocks_is_not_blamed() {
    for blames in [true, false] {
        let mut builder = Agent::<Unfair>::builder().record_events(true).limit("patient", Phase::Init, millis(500));
        if blames {
            builder = builder.limit("blocks", Phase::Init, millis(500));
        }
        match builder.start().await {
            Ok(agent) => {
                assert!(!blames);
                agent.close().await.unwrap();
            }
            Err(error) => {
                assert!(blames, "{error}");
                let [error] = &error.errors[..] else { panic!("{error}") };
                assert!(error.plugin == "Blocks" && matches!(error.cause, Cause::Blocked { .. }), "{error}");
                assert!(error.help().unwrap().contains("spawn_blocking"));
            }
        }
    }
}

/// Blocks in `init` or in `close`.
#[plugin(deps = (Quick,), config = BlockerConfig)]
pub struct Blocker(BlockerConfig);
#[derive(serde::Serialize, serde::Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct BlockerConfig {
    in_close: bool,
}
impl Create for Blocker {
    async fn create(_: Self::Deps, cx: &Context) -> Result<Self> {
        Ok(Blocker(cx.config()?))
    }
}
impl Lifecycle for Blocker {
    async fn init(&self, _: &Context) -> Result<()> {
        if !self.0.in_close {
            block(600);
        }
        Ok(())
    }
    async fn close(&self, _: &Context) -> Result<()> {
        if self.0.in_close {
            block(600);
        }
        Ok(())
    }
}
/// Plugins with something to do in both phases, beside a blocker and below it.
macro_rules! busy {
    ($($name:ident { $($field:ident: $ty:ty)? })*) => {$(
        #[plugin]
        pub struct $name { $($field: $ty)? }
        impl Lifecycle for $name {
            async fn init(&self, cx: &Context) -> Result<()> {
                cx.log().trace("init");
                Ok(())
            }
            async fn close(&self, cx: &Context) -> Result<()> {
                cx.log().trace("close");
                Ok(())
            }
        }
    )*};
}
busy!(Beside { quick: Dep<Quick> } Below {});
#[derive(Flavor)]
pub struct Crowd {
    below: Dep<Below>,
    quick: Dep<Quick>,
    blocker: Dep<Blocker>,
    beside: Dep<Beside>,
}

#[tokio::test]
async fn who_is_called_after_the_end_of_the_whole_is_not_blamed() {
    let limits = Limits::default().start(millis(300)).stop(millis(300));
    let error = Agent::<Crowd>::builder().limits(limits).start().await.unwrap_err();
    let told: Vec<_> = error.errors.iter().chain(&error.rollback).map(|error| error.plugin).collect();
    assert_eq!(told, ["Blocker"], "{error}");
    let config = cninfra::config::Config::new().set("blocker", "in_close", true);
    let agent = Agent::<Crowd>::builder().limits(limits).config(config).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    let told: Vec<_> = error.errors.iter().map(|error| error.plugin).collect();
    assert_eq!(told, ["Blocker"], "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_report_says_what_failed_where_when_why_and_what_to_do() {
    plug!(Store {} {
        sleep(millis(30)).await;
        let refused = std::io::Error::other("connection refused");
        return Err(Error::from(refused).context("etcd:2379").context("connect").with_help("start etcd"));
    });
    plug!(Idle {} pending::<()>().await);
    #[derive(Flavor)]
    struct Reported {
        store: Dep<Store>,
        quick: Dep<Quick>,
        idle: Dep<Idle>,
    }
    let error = Agent::<Reported>::builder().record_events(true).start().await.unwrap_err();
    let expected = "the agent did not start: it failed after 30.0ms\n  \
        - plugin `Store` failed in init: connect (after 30.0ms)\n    \
          caused by: etcd:2379\n    \
          caused by: connection refused\n    \
          help: start etcd\n\
        timeline of 30.0ms, from the beginning of the start (* all others waited for it)\n    \
          Store  init* 30.0ms at 0.0ns failed\n    \
          Idle   init 30.0ms at 0.0ns dropped";
    assert_eq!(error.to_string(), expected);
    let outcomes: Vec<_> = error.events.iter().map(|event| event.outcome).filter(|o| *o != Outcome::Done).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Dropped]);
    assert_eq!(error.errors[0].to_string(), "plugin `Store` failed in init: connect: etcd:2379: connection refused");
}

/// Records how much time it has left.
#[plugin]
#[derive(Default)]
struct Hurried(std::sync::Mutex<Vec<Option<Duration>>>);

impl Hurried {
    fn look(&self, cx: &Context) -> Result<()> {
        self.0.lock().unwrap().push(cx.time_left());
        Ok(())
    }
}

impl Lifecycle for Hurried {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.look(cx)
    }
    async fn drain(&self, cx: &Context) -> Result<()> {
        self.look(cx)?;
        sleep(millis(300)).await;
        self.look(cx)
    }
    async fn close(&self, cx: &Context) -> Result<()> {
        self.look(cx)
    }
}

#[derive(Flavor)]
struct InAHurry {
    hurried: Dep<Hurried>,
}

#[tokio::test(start_paused = true)]
async fn a_plugin_knows_what_time_it_has_left_to_stop() {
    let run = async |set: fn(cninfra::agent::Builder<InAHurry>) -> cninfra::agent::Builder<InAHurry>| {
        let hurried = Dep::from(Hurried::default());
        let limits = Limits::default().stop(millis(3000)).plugin_stop(millis(2000));
        let builder = Agent::<InAHurry>::builder().limits(limits).with_new(hurried.clone());
        set(builder).start().await.unwrap().close().await.unwrap();
        std::mem::take(&mut *hurried.0.lock().unwrap())
    };
    let left = |times: [u64; 3]| -> Vec<_> { [None].into_iter().chain(times.map(|time| Some(millis(time)))).collect() };
    // Draining has half of the whole. Closing has the plugin's own limit, within the remaining 2700 ms.
    assert_eq!(run(|builder| builder).await, left([1500, 1200, 2000]));
    let special = run(|builder| builder.limit("hurried", Phase::Drain, millis(1000))).await;
    assert_eq!(special, left([1000, 700, 2000]));
}

/// Blocks its thread in a phase, and then fails.
#[plugin]
#[derive(Default)]
pub struct BlocksAndFails {
    in_init: bool,
}
impl BlocksAndFails {
    fn fail_in(&self, init: bool) -> Result<()> {
        if self.in_init != init {
            return Ok(());
        }
        block(600);
        Err(Error::msg("no"))
    }
}
impl Lifecycle for BlocksAndFails {
    async fn init(&self, _: &Context) -> Result<()> {
        self.fail_in(true)
    }
    async fn close(&self, _: &Context) -> Result<()> {
        self.fail_in(false)
    }
}
/// Waits a little in `init` and in `close`.
#[plugin]
pub struct WaitsALittle;
impl Lifecycle for WaitsALittle {
    async fn init(&self, _: &Context) -> Result<()> {
        sleep(millis(10)).await;
        Ok(())
    }
    async fn close(&self, cx: &Context) -> Result<()> {
        self.init(cx).await
    }
}
// Plugins are called in this order during the start, and in the opposite order during the stop.
#[derive(Flavor)]
pub struct WaitsLast {
    blocks: Dep<BlocksAndFails>,
    waits: Dep<WaitsALittle>,
}
#[derive(Flavor)]
pub struct WaitsFirst {
    waits: Dep<WaitsALittle>,
    blocks: Dep<BlocksAndFails>,
}

#[tokio::test]
async fn who_waits_for_one_that_blocks_and_fails_is_not_blamed() {
    let ignored = |builder: Builder<WaitsFirst>| {
        let builder =
            builder.with_new(BlocksAndFails { in_init: true }).limit("waits-a-little", Phase::Init, millis(300));
        builder.start_policy("blocks-and-fails", StartPolicy::Ignore)
    };
    ignored(Agent::<WaitsFirst>::builder()).start().await.unwrap().close().await.unwrap();
    let builder = Agent::<WaitsLast>::builder().limit("waits-a-little", Phase::Close, millis(300));
    let error = builder.start().await.unwrap().close().await.unwrap_err();
    let [error] = &error.errors[..] else { panic!("{error}") };
    assert_eq!(error.to_string(), "plugin `BlocksAndFails` failed in close: no");
}
