//! What ends a run: tasks that fail, main tasks, plugins that stop the agent; and what is left behind.

use crate::support::*;
use cninfra::{
    Phase, Task,
    agent::{Cause, Limits},
    config::Config,
    prelude::*,
    status::{AgentStatus, State},
};
use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// Gives its context to a test, and is closed.
#[plugin]
pub struct Owner {
    #[context]
    pub cx: Context,
    pub closed: AtomicUsize,
}
impl Lifecycle for Owner {
    async fn close(&self, _: &Context) -> Result<()> {
        self.closed.fetch_add(1, SeqCst);
        Ok(())
    }
}
/// The same, without a lifecycle.
#[plugin(no_lifecycle)]
pub struct Bare {
    #[context]
    pub cx: Context,
    pub owner: Dep<Owner>,
}
#[derive(Flavor)]
pub struct Two {
    pub bare: Dep<Bare>,
    pub owner: Dep<Owner>,
}

async fn started() -> Agent<Two> {
    Agent::<Two>::builder().record_events(true).start().await.unwrap()
}

/// Ends with an error if it takes so long that something must be wrong.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), future).await.unwrap()
}

#[tokio::test]
async fn a_task_that_panics_ends_the_agent_in_order() {
    let agent = started().await;
    let owner = agent.owner.clone();
    let task: Task<()> = owner.cx.spawn("worker", async { panic!("out of {}", "work") });
    assert!(soon(task).await.unwrap_err().is_panic());
    let error = soon(agent.run()).await.unwrap_err();
    assert_eq!((error.exit_code(), error.errors.len(), owner.closed.load(SeqCst)), (1, 0, 1));
    assert_eq!(error.run[0].to_string(), "plugin `Owner` panicked in task `worker`: out of work");
    assert_eq!((error.run[0].phase, error.run[0].task), (Phase::Run, Some("worker")));
    let closed = only(lines(Two::GRAPH, &error.events), &["close"]);
    assert_eq!(closed, ["close Owner"]);
}

#[tokio::test]
async fn a_main_task_ends_the_agent_when_it_ends() {
    for (outcome, code) in [("ok", 0), ("error", 1), ("panic", 1)] {
        let agent = started().await;
        let owner = agent.owner.clone();
        owner.cx.spawn_main("work", async move {
            sleep(Duration::from_millis(1)).await;
            match outcome {
                "ok" => Ok(()),
                "error" => Err(Error::msg("no work left")),
                _ => panic!("at work"),
            }
        });
        let ended = soon(agent.run()).await;
        assert_eq!((ended.as_ref().map_or_else(|e| e.exit_code(), |_| 0), owner.closed.load(SeqCst)), (code, 1));
        if let Err(error) = ended {
            assert!(error.to_string().starts_with("the agent failed\n  - plugin `Owner` "), "{error}");
            assert!(error.to_string().contains("in task `work`: "), "{error}");
        }
    }
}

/// Its main task ends before another plugin has started.
#[plugin]
pub struct Quick {
    owner: Dep<Owner>,
}
impl Lifecycle for Quick {
    async fn after_init(&self, cx: &Context) -> Result<()> {
        let _ = &self.owner;
        cx.spawn_main("import", async { Ok(()) });
        Ok(())
    }
}
#[plugin]
pub struct Unhurried {
    quick: Dep<Quick>,
    started: Mutex<bool>,
}
impl Lifecycle for Unhurried {
    async fn after_init(&self, _: &Context) -> Result<()> {
        let _ = &self.quick;
        sleep(Duration::from_millis(20)).await;
        *self.started.lock().unwrap() = true;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_main_task_that_ends_while_the_agent_starts_lets_it_start() {
    #[derive(Flavor)]
    struct Import {
        quick: Dep<Quick>,
        unhurried: Dep<Unhurried>,
        owner: Dep<Owner>,
    }
    let agent = Agent::<Import>::start().await.unwrap();
    let (unhurried, owner) = (agent.unhurried.clone(), agent.owner.clone());
    soon(agent.run()).await.unwrap();
    assert!(*unhurried.started.lock().unwrap());
    assert_eq!(owner.closed.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_main_task_that_ends_at_once_never_fails_the_start() {
    #[derive(Flavor)]
    struct Lone {
        quick: Dep<Quick>,
        owner: Dep<Owner>,
    }
    for _ in 0..200 {
        let agent = Agent::<Lone>::start().await.unwrap();
        soon(agent.run()).await.unwrap();
    }
}

#[tokio::test]
async fn a_main_task_is_ended_like_others_when_the_agent_stops() {
    let agent = started().await;
    agent.owner.cx.spawn_main("work", pending());
    let events = lines(Two::GRAPH, &soon(agent.close()).await.unwrap());
    assert!(events.contains(&"close Owner left a task".to_string()), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_main_task_that_is_aborted_has_failed_unless_the_agent_stops() {
    /// Its main task is aborted when it was polled, before it was, when it has ended well, or in `close`.
    #[plugin]
    struct Aborts {
        when: Mutex<&'static str>,
        task: Mutex<Option<Task<()>>>,
    }
    impl Lifecycle for Aborts {
        async fn after_init(&self, cx: &Context) -> Result<()> {
            let when = *self.when.lock().unwrap();
            let ends = when == "ended";
            let task = cx.spawn_main("work", async move { if ends { Ok(()) } else { pending().await } });
            if when != "before it was polled" {
                sleep(Duration::from_millis(1)).await;
            }
            if when != "in close" {
                task.abort();
            }
            *self.task.lock().unwrap() = Some(task);
            sleep(Duration::from_millis(1)).await;
            Ok(())
        }
        async fn close(&self, cx: &Context) -> Result<()> {
            let task = self.task.lock().unwrap().take();
            if let Some(task) = task {
                task.abort();
                assert!(task.await.is_err() || *self.when.lock().unwrap() == "ended");
            }
            let _ = cx;
            Ok(())
        }
    }
    #[derive(Flavor)]
    struct Lone {
        aborts: Dep<Aborts>,
    }
    for when in ["polled", "before it was polled", "ended", "in close"] {
        let aborts = Aborts { when: Mutex::new(when), task: Mutex::default() };
        let started = Agent::<Lone>::builder().with_new(aborts).start().await;
        if matches!(when, "ended" | "in close") {
            started.unwrap().close().await.unwrap();
        } else {
            let error = started.unwrap_err();
            let told = "plugin `Aborts` failed in task `work`: it was aborted";
            assert_eq!((error.errors[0].to_string().as_str(), error.exit_code()), (told, 1), "{when}");
        }
    }
    // while it runs
    let agent = started().await;
    agent.owner.cx.spawn_main("work", pending()).abort();
    let error = soon(agent.run()).await.unwrap_err();
    assert_eq!((error.run.len(), error.exit_code()), (1, 1));
}

#[tokio::test]
async fn a_plugin_stops_the_agent() {
    let agent = started().await;
    agent.owner.cx.stop_handle().stop();
    soon(agent.run()).await.unwrap();
}

/// Panics when it is dropped.
struct Grenade;
impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("in pieces")
    }
}

#[tokio::test]
async fn a_task_whose_destructor_panics_is_told() {
    let agent = started().await;
    agent.owner.cx.spawn("armed", async {
        let _grenade = Grenade;
        pending::<()>().await;
    });
    tokio::task::yield_now().await;
    let error = soon(agent.close()).await.unwrap_err();
    assert_eq!(error.run[0].to_string(), "plugin `Owner` panicked in task `armed`: in pieces");
}

#[plugin]
pub struct Armed {
    grenades: Mutex<Vec<Grenade>>,
    after: Dep<Owner>,
}
impl Lifecycle for Armed {
    async fn init(&self, _: &Context) -> Result<()> {
        self.grenades.lock().unwrap().push(Grenade);
        Ok(())
    }
}
/// The future of its `init` panics when it is dropped.
#[plugin]
pub struct ArmedInit {
    fails: Dep<Owner>,
}
impl Lifecycle for ArmedInit {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = &self.fails;
        let _grenade = Grenade;
        pending().await
    }
}

#[tokio::test]
async fn a_plugin_whose_destructor_panics_is_told_and_the_others_are_dropped() {
    #[derive(Flavor)]
    struct Explosive {
        armed: Dep<Armed>,
        owner: Dep<Owner>,
    }
    let agent = Agent::<Explosive>::start().await.unwrap();
    let error = soon(agent.close()).await.unwrap_err();
    let told: Vec<_> = error.errors.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["plugin `Armed` panicked in a destructor after close: in pieces"]);
    assert_eq!(error.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_destructor_panics_is_a_failure() {
    #[derive(Flavor)]
    struct Explosive {
        init: Dep<ArmedInit>,
        owner: Dep<Owner>,
    }
    let builder = Agent::<Explosive>::builder();
    let stop = builder.stop_handle();
    let starting = tokio::spawn(builder.start());
    tokio::task::yield_now().await;
    stop.stop();
    let error = soon(starting).await.unwrap().unwrap_err();
    assert_eq!(error.errors[0].to_string(), "plugin `ArmedInit` panicked in init: in pieces");
    assert_eq!(error.exit_code(), 1);
}

#[tokio::test]
async fn a_plugin_that_leaves_tasks_behind_is_named() {
    let agent = started().await;
    let held = Arc::new(());
    let (with, without) = (held.clone(), held.clone());
    agent.owner.cx.spawn("forgotten", async move {
        let _held = with;
        pending::<()>().await
    });
    // it has no `close` where it could end it
    agent.bare.cx.spawn("carried", async move {
        let _held = without;
        pending::<()>().await
    });
    let events = lines(Two::GRAPH, &soon(agent.close()).await.unwrap());
    let close = only(events, &["close"]);
    assert_eq!(close, ["close Owner", "close Owner left a task"]);
    assert_eq!(Arc::strong_count(&held), 1, "both have ended, and what they held is dropped");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_by_itself_has_a_moment_and_none_is_waited_for_in_vain() {
    /// Tells its task to end, and does not wait for it.
    #[plugin]
    struct Teller {
        told: Arc<tokio::sync::Notify>,
        owner: Dep<Owner>,
    }
    impl Lifecycle for Teller {
        async fn init(&self, cx: &Context) -> Result<()> {
            let (told, _) = (self.told.clone(), &self.owner);
            cx.spawn("tidy", async move {
                told.notified().await;
                sleep(Duration::from_millis(10)).await;
            });
            Ok(())
        }
        async fn close(&self, _: &Context) -> Result<()> {
            self.told.notify_one();
            Ok(())
        }
    }
    #[derive(Flavor)]
    struct Telling {
        teller: Dep<Teller>,
        owner: Dep<Owner>,
        bare: Dep<Bare>,
    }
    for (left, took) in [("nothing", 10), ("of one without a close", 10), ("of one with", 60)] {
        let agent = Agent::<Telling>::builder().record_events(true).start().await.unwrap();
        match left {
            "nothing" => {}
            "of one with" => drop(agent.owner.cx.spawn("forgotten", pending::<()>())),
            _ => drop(agent.bare.cx.spawn("carried", pending::<()>())),
        }
        let began = Instant::now();
        let events = lines(Telling::GRAPH, &agent.close().await.unwrap());
        assert_eq!(began.elapsed(), Duration::from_millis(took), "{left}");
        let named: Vec<_> = events.iter().filter(|event| event.ends_with("left a task")).collect();
        assert_eq!(named, if left == "of one with" { vec!["close Owner left a task"] } else { Vec::new() });
    }
}

#[tokio::test]
async fn tasks_of_a_plugin_without_lifecycle_end_with_its_level() {
    /// Looks, when it closes, whether the task above it still runs.
    #[plugin]
    struct Below {
        task: Mutex<Option<Arc<()>>>,
        alive: AtomicUsize,
    }
    impl Lifecycle for Below {
        async fn close(&self, _: &Context) -> Result<()> {
            let task = self.task.lock().unwrap().take();
            self.alive.store(task.map_or(9, |task| Arc::strong_count(&task)), SeqCst);
            Ok(())
        }
    }
    #[plugin(no_lifecycle)]
    struct Above {
        below: Dep<Below>,
        #[context]
        cx: Context,
    }
    #[derive(Flavor)]
    struct Both {
        above: Dep<Above>,
        below: Dep<Below>,
    }
    let agent = Agent::<Both>::start().await.unwrap();
    let (held, below) = (Arc::new(()), agent.below.clone());
    *below.task.lock().unwrap() = Some(held.clone());
    agent.above.cx.spawn("above", async move {
        let _held = held;
        pending::<()>().await
    });
    soon(agent.close()).await.unwrap();
    assert_eq!(below.alive.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_task_that_blocks_its_thread_does_not_hold_up_the_stop() {
    /// Closes after a moment.
    #[plugin]
    struct Below {
        closed: AtomicUsize,
    }
    impl Lifecycle for Below {
        async fn close(&self, _: &Context) -> Result<()> {
            sleep(Duration::from_millis(300)).await;
            self.closed.fetch_add(1, SeqCst);
            Ok(())
        }
    }
    #[plugin]
    struct Above {
        below: Dep<Below>,
        #[context]
        cx: Context,
    }
    impl Lifecycle for Above {}
    #[derive(Flavor)]
    struct Both {
        above: Dep<Above>,
        below: Dep<Below>,
    }
    let limits = Limits::default().stop(Duration::from_secs(3));
    let agent = Agent::<Both>::builder().limits(limits).record_events(true).start().await.unwrap();
    let below = agent.below.clone();
    /// Lets the task go when the test ends, whether it passes or not.
    struct Lets(Arc<AtomicUsize>);
    impl Drop for Lets {
        fn drop(&mut self) {
            self.0.store(1, SeqCst);
        }
    }
    let (entered, leave) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, left, _lets) = (entered.clone(), leave.clone(), Lets(leave));
    agent.above.cx.spawn("stuck", async move {
        inside.store(1, SeqCst);
        while left.load(SeqCst) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    while entered.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    let error = soon(agent.close()).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3), "not all of the stop is waited for it");
    let events = lines(Both::GRAPH, &error.events);
    assert!(events.contains(&"close Above left a task".to_string()), "{events:?}");
    let [stuck] = &error.errors[..] else { panic!("{error}") };
    assert!(stuck.to_string().starts_with("plugin `Above` left task `stuck`, which blocks its thread"), "{error}");
    assert_eq!((error.exit_code(), stuck.task, below.closed.load(SeqCst)), (3, Some("stuck"), 1));
}

/// Spawns a task when it is dropped.
struct Spawns(Context, Arc<AtomicUsize>);
impl Drop for Spawns {
    fn drop(&mut self) {
        let ticks = self.1.clone();
        self.0.spawn("child", async move {
            loop {
                ticks.fetch_add(1, SeqCst);
                sleep(Duration::from_millis(1)).await;
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_ending_task_spawns_does_not_run_beside_the_plugin_below() {
    /// Closes slowly.
    #[plugin]
    struct Below;
    impl Lifecycle for Below {
        async fn close(&self, _: &Context) -> Result<()> {
            sleep(Duration::from_millis(100)).await;
            Ok(())
        }
    }
    #[plugin]
    struct Above {
        below: Dep<Below>,
        ticks: Arc<AtomicUsize>,
    }
    impl Lifecycle for Above {
        async fn init(&self, cx: &Context) -> Result<()> {
            let _ = &self.below;
            let spawns = Spawns(cx.clone(), self.ticks.clone());
            cx.spawn("parent", async move {
                let _spawns = spawns;
                pending::<()>().await
            });
            Ok(())
        }
    }
    #[derive(Flavor)]
    struct Both {
        above: Dep<Above>,
        below: Dep<Below>,
    }
    let agent = Agent::<Both>::start().await.unwrap();
    let ticks = agent.above.ticks.clone();
    tokio::task::yield_now().await;
    soon(agent.close()).await.unwrap();
    assert_eq!(ticks.load(SeqCst), 0);
}

#[tokio::test]
async fn no_task_begins_when_the_agent_has_closed() {
    let agent = started().await;
    let owner = agent.owner.clone();
    soon(agent.close()).await.unwrap();
    let task = owner.cx.spawn("late", async { 7 });
    assert!(soon(task).await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_spawn_does_not_get_slower_with_the_tasks_that_run() {
    let agent = started().await;
    // the least of a few, so that what else the machine does is not measured
    let batch = || {
        let times = (0..5).map(|_| {
            let began = std::time::Instant::now();
            (0..500).for_each(|_| drop(agent.owner.cx.spawn("one of many", pending::<()>())));
            began.elapsed()
        });
        times.min().unwrap()
    };
    let first = batch();
    (0..50_000).for_each(|_| drop(agent.owner.cx.spawn("one of many", pending::<()>())));
    let last = batch();
    // if each one looked at all that run, it were hundreds of times as long
    assert!(last < 30 * first, "{first:?}, then {last:?}");
    soon(agent.close()).await.unwrap();
}

/// Tells what the agent's status is when it is drained.
#[plugin]
pub struct Drained {
    seen: Mutex<Option<(AgentStatus, Instant)>>,
}
impl Lifecycle for Drained {
    async fn drain(&self, cx: &Context) -> Result<()> {
        *self.seen.lock().unwrap() = Some((cx.status().agent(), Instant::now()));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_is_false_before_the_drain_delay() {
    #[derive(Flavor)]
    struct Draining {
        drained: Dep<Drained>,
        owner: Dep<Owner>,
    }
    for delay in [Duration::ZERO, Duration::from_secs(20)] {
        // the config goes over the builder
        let config = Config::new().set("agent", "drain-delay", cninfra::config::Duration::from(delay));
        let builders = Agent::<Draining>::builder().drain_delay(delay);
        let configs = Agent::<Draining>::builder().drain_delay(Duration::from_secs(1)).config(config);
        for builder in [builders, configs] {
            let agent = builder.start().await.unwrap();
            let (drained, cx, began) = (agent.drained.clone(), agent.owner.cx.clone(), Instant::now());
            assert!(cx.status().agent().is_ready());
            let closing = tokio::spawn(agent.close());
            tokio::task::yield_now().await;
            let now = cx.status().agent();
            assert!(!now.is_ready() && now.is_live());
            // the delay is none of the five seconds that a stop has
            closing.await.unwrap().unwrap();
            let (status, at) = drained.seen.lock().unwrap().take().unwrap();
            assert!(!status.is_ready());
            assert_eq!(at - began, delay);
        }
    }
}

#[tokio::test]
async fn a_start_that_fails_while_it_serves_drains_what_serves() {
    #[plugin]
    struct Fails {
        drained: Dep<Drained>,
    }
    impl Lifecycle for Fails {
        async fn after_init(&self, _: &Context) -> Result<()> {
            let _ = &self.drained;
            Err(Error::msg("port in use"))
        }
    }
    #[derive(Flavor)]
    struct Half {
        fails: Dep<Fails>,
        drained: Dep<Drained>,
    }
    let error = Agent::<Half>::builder().record_events(true).start().await.unwrap_err();
    assert!(matches!(error.errors[0].cause, Cause::Failed(_)));
    let events = only(lines(Half::GRAPH, &error.events), &["drain", "close"]);
    assert_eq!(events, ["drain Drained", "drain Fails", "close Fails", "close Drained"]);
}

/// Its destructor blocks its thread for a while, or panics.
#[plugin(no_lifecycle)]
#[derive(Default)]
struct Handle {
    armed: bool,
}
impl Drop for Handle {
    fn drop(&mut self) {
        assert!(!self.armed, "armed");
    }
}
#[plugin]
#[derive(Default)]
struct Heavy {
    weight: Duration,
}
impl Drop for Heavy {
    fn drop(&mut self) {
        std::thread::sleep(self.weight);
    }
}
impl Lifecycle for Heavy {}
#[derive(Flavor)]
struct Loaded {
    handle: Dep<Handle>,
    heavy: Dep<Heavy>,
}

#[tokio::test]
async fn destructors_have_a_limit_and_a_time_and_what_is_nobodys_is_the_flavors() {
    let weight = Duration::from_millis(30);
    let builder = Agent::<Loaded>::builder().limit("heavy", Phase::Close, Duration::from_millis(20));
    let agent = builder.with_new(Heavy { weight }).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    let text = error.errors[0].to_string();
    assert!(text.starts_with("plugin `Heavy` blocked its thread in a destructor after close for "), "{text}");
    assert!(text.ends_with(", over its limit of 20ms") && error.errors[0].elapsed >= weight, "{text}");
    assert_eq!((error.errors.len(), error.exit_code()), (1, 3));

    let agent = Agent::<Loaded>::builder().with(Handle { armed: true }).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    assert_eq!(error.errors[0].to_string(), "agent `Loaded` panicked in a destructor after close: armed");
    assert!(error.errors.len() == 1 && error.exit_code() == 3 && !error.errors[0].elapsed.is_zero());
}

/// Its tasks fail, or panic, while the start is rolled back.
#[plugin]
struct Late;
impl Lifecycle for Late {
    async fn init(&self, _: &Context) -> Result<()> {
        Err(Error::msg("no").with_help("say yes"))
    }
    async fn close(&self, cx: &Context) -> Result<()> {
        let state = cx.status().agent();
        assert!(state.phase == State::Stopped && !state.is_ready(), "{state:?}");
        let task = cx.spawn("late", async { panic!("too late") });
        assert!(task.await.is_err());
        Ok(())
    }
}
#[derive(Flavor)]
struct Failing {
    late: Dep<Late>,
}

#[tokio::test]
async fn what_fails_while_a_start_is_rolled_back_is_told_too() {
    let error = Agent::<Failing>::start().await.unwrap_err();
    let told: Vec<_> = error.errors.iter().chain(&error.rollback).map(ToString::to_string).collect();
    assert_eq!(told, ["plugin `Late` failed in init: no", "plugin `Late` panicked in task `late`: too late"]);
}

#[tokio::test]
async fn an_agent_that_is_dropped_asks_nobody_any_more() {
    #[derive(Flavor)]
    struct Lone {
        owner: Dep<Owner>,
    }
    let agent = Agent::<Lone>::start().await.unwrap();
    let (held, asked) = (std::sync::Arc::new(()), agent.owner.cx.clone());
    let inside = held.clone();
    asked.probe(cninfra::status::Probing::new(), move || {
        let inside = inside.clone();
        async move {
            pending::<()>().await;
            drop(inside);
            Ok(())
        }
    });
    tokio::task::yield_now().await;
    drop(agent);
    soon(async {
        while std::sync::Arc::strong_count(&held) > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
