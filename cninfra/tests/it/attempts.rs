//! Attempts to start a plugin: their limits, and what they leave behind.

use crate::{logging::Written, policies::BACKOFF, support::*};
use cninfra::{
    Phase,
    agent::{Backoff, Builder, Limits, StartPolicy, Timeline},
    config::Config,
    prelude::*,
    status::{Probing, State},
    testing::paused,
};
use std::{
    cell::Cell,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Its `init` is slow, and succeeds.
#[plugin]
struct Slow {
    #[default(Duration::from_secs(8))]
    takes: Duration,
}
impl Lifecycle for Slow {
    async fn init(&self, _: &Context) -> Result<()> {
        sleep(self.takes).await;
        Ok(())
    }
}
#[derive(Flavor)]
struct Slowly {
    slow: Dep<Slow>,
}

#[tokio::test(start_paused = true)]
async fn attempts_after_the_start_have_the_whole_limit() {
    let agent = Agent::<Slowly>::builder().start_policy("slow", StartPolicy::Retry(BACKOFF)).start().await.unwrap();
    let began = Instant::now();
    while agent.status().plugins.iter().any(|plugin| plugin.state != State::Ok) {
        sleep(Duration::from_millis(10)).await;
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", agent.status());
    }
    assert!(began.elapsed() >= Duration::from_secs(8) && began.elapsed() < Duration::from_secs(13));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_its_own_goes_over_a_third_of_the_start() {
    let init = |key: &str| Config::new().set(key, "limits.init", "9s");
    for config in [init("slow"), init("agent"), Config::new().set("agent", "plugin-start-timeout", "9s")] {
        let began = Instant::now();
        let policy = StartPolicy::Retry(BACKOFF);
        let agent = Agent::<Slowly>::builder().config(config).start_policy("slow", policy).start().await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(8), "at once");
        agent.close().await.unwrap();
    }
}

thread_local! {
    /// How many attempts of the next `Eager` fail.
    static FAILS: Cell<u32> = const { Cell::new(0) };
}

/// Each attempt spawns a task, registers a probe, and reports a state. The first few then fail.
#[plugin]
pub struct Eager {
    #[default(AtomicU32::new(FAILS.get()))]
    fails: AtomicU32,
    inits: AtomicU32,
    tasks: Arc<()>,
    asked: Arc<AtomicU32>,
    #[context]
    cx: Context,
}
impl Lifecycle for Eager {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.inits.fetch_add(1, SeqCst);
        let (task, probe, asked) = (self.tasks.clone(), self.tasks.clone(), self.asked.clone());
        cx.spawn("work", async move {
            let _task = task;
            pending::<()>().await
        });
        cx.probe(Probing::new().every(Duration::from_millis(10)), move || {
            let _probe = &probe;
            asked.fetch_add(1, SeqCst);
            async { Err(Error::msg("no answer")) }
        });
        cx.status().report(State::Ok);
        sleep(Duration::from_millis(100)).await;
        match self.fails.load(SeqCst) {
            0 => Ok(()),
            _ => {
                self.fails.fetch_sub(1, SeqCst);
                Err(Error::msg("connection refused"))
            }
        }
    }
}
#[derive(Flavor)]
pub struct Lone {
    eager: Dep<Eager>,
}

async fn eager(fails: u32, policy: StartPolicy) -> (Agent<Lone>, Arc<()>) {
    FAILS.set(fails);
    let agent = Agent::<Lone>::builder().start_policy("eager", policy).start().await.unwrap();
    let tasks = agent.eager.tasks.clone();
    (agent, tasks)
}

#[tokio::test(start_paused = true)]
async fn a_plugin_does_not_overrule_its_policy() {
    let (agent, tasks) = eager(1, StartPolicy::Ignore).await;
    let asked = agent.eager.asked.load(SeqCst);
    for report in [None, Some(State::Error), Some(State::Ok)] {
        if let Some(state) = report {
            agent.eager.cx.status().report(state);
        }
        sleep(Duration::from_secs(60)).await;
        let plugin = &agent.status().plugins[0];
        let reason = plugin.reason.as_deref().unwrap();
        assert!(plugin.state == State::Degraded && reason.ends_with("connection refused; ignored"), "{plugin:?}");
        assert!(agent.status().is_ready());
    }
    assert_eq!((agent.eager.asked.load(SeqCst), Arc::strong_count(&tasks)), (asked, 2), "the attempt has ended");
    // A report that only a restart of the process can help overrides it.
    agent.eager.cx.status().report_broken("the index contradicts itself");
    let status = agent.status();
    assert_eq!((status.plugins[0].state, status.is_live()), (State::Error, false));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_an_attempt_said_that_failed_is_forgotten() {
    /// Reports what it waits for at the first attempt, and nothing when it is up.
    #[plugin]
    struct Waiter {
        inits: AtomicU32,
    }
    impl Lifecycle for Waiter {
        async fn init(&self, cx: &Context) -> Result<()> {
            if self.inits.fetch_add(1, SeqCst) > 0 {
                return Ok(());
            }
            cx.status().report_because(State::Error, "connects");
            Err(Error::msg("connection refused"))
        }
    }
    #[derive(Flavor)]
    struct Alone {
        waiter: Dep<Waiter>,
    }
    let agent = Agent::<Alone>::builder().start_policy("waiter", StartPolicy::Retry(BACKOFF)).start().await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!((agent.status().plugins[0].state, agent.waiter.inits.load(SeqCst)), (State::Ok, 2));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_fails_leaves_neither_a_task_nor_a_probe() {
    let (agent, tasks) = eager(20, StartPolicy::Retry(BACKOFF)).await;
    assert_eq!(Arc::strong_count(&tasks), 2, "of the first attempt");
    while agent.eager.inits.load(SeqCst) < 21 {
        sleep(Duration::from_millis(10)).await;
        // At most one task and one probe, each of which holds `tasks`.
        assert!(Arc::strong_count(&tasks) <= 4, "{}", Arc::strong_count(&tasks));
        assert_eq!(agent.status().plugins[0].state, State::Degraded);
    }
    sleep(Duration::from_secs(1)).await;
    // The task and the probe of the last attempt run, and its report counts.
    assert_eq!(Arc::strong_count(&tasks), 4);
    let plugin = &agent.status().plugins[0];
    assert_eq!((plugin.state, plugin.reason.as_deref()), (State::Error, Some("no answer")));
    agent.close().await.unwrap();
}

/// The first `init` fails. A later one hangs, and panics when it is dropped.
#[plugin]
pub struct Armed {
    inits: AtomicU32,
    closes: AtomicU32,
}
struct Grenade;
impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("in pieces")
    }
}
impl Lifecycle for Armed {
    async fn init(&self, _: &Context) -> Result<()> {
        if self.inits.fetch_add(1, SeqCst) == 0 {
            return Err(Error::msg("connection refused"));
        }
        let _grenade = Grenade;
        pending().await
    }
    async fn close(&self, _: &Context) -> Result<()> {
        self.closes.fetch_add(1, SeqCst);
        Ok(())
    }
}
#[derive(Flavor)]
pub struct Explosive {
    armed: Dep<Armed>,
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_destructor_panics_at_its_limit_ends_the_agent() {
    let agent = Agent::<Explosive>::builder().start_policy("armed", StartPolicy::retry()).start().await.unwrap();
    let armed = agent.armed.clone();
    let error = tokio::time::timeout(Duration::from_secs(60), agent.run()).await.unwrap().unwrap_err();
    assert_eq!(error.run[0].to_string(), "plugin `Armed` panicked in init: in pieces");
    assert_eq!((error.exit_code(), armed.closes.load(SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_destructor_panics_in_the_stop_is_told() {
    let agent = Agent::<Explosive>::builder().start_policy("armed", StartPolicy::retry()).start().await.unwrap();
    let armed = agent.armed.clone();
    while armed.inits.load(SeqCst) < 2 {
        sleep(Duration::from_millis(10)).await;
    }
    let error = agent.close().await.unwrap_err();
    let told: Vec<_> = error.errors.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["plugin `Armed` panicked in a destructor after init: in pieces"]);
    assert_eq!((error.exit_code(), armed.closes.load(SeqCst)), (3, 1));
}

/// The first `init` fails. The second one blocks its thread.
#[plugin]
#[derive(Default)]
pub struct Blocking {
    inits: AtomicU32,
    /// The blocked thread continues when the sender is dropped.
    until: Mutex<Option<mpsc::Receiver<()>>>,
    takes: Duration,
}
impl Lifecycle for Blocking {
    async fn init(&self, _: &Context) -> Result<()> {
        match self.inits.fetch_add(1, SeqCst) {
            0 => return Err(Error::msg("connection refused")),
            1 => {
                std::thread::sleep(self.takes);
                if let Some(until) = &*self.until.lock().unwrap() {
                    let _ = until.recv();
                }
            }
            _ => {}
        }
        Ok(())
    }
}
#[derive(Flavor)]
pub struct Stubborn {
    blocking: Dep<Blocking>,
}

const SOON: StartPolicy = StartPolicy::Retry(Backoff::new(Duration::from_millis(1), Duration::from_millis(2)));

fn stubborn(blocking: Blocking) -> Builder<Stubborn> {
    let limits = Limits::default().stop(Duration::from_millis(400));
    let builder = Agent::<Stubborn>::builder().limits(limits).record_events(true).with_new(blocking);
    builder.start_policy("blocking", SOON).limit("blocking", Phase::Init, Duration::from_millis(100))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_blocked_beyond_its_limit_has_failed() {
    let blocking = Blocking { takes: Duration::from_millis(150), ..Blocking::default() };
    let agent = stubborn(blocking).start().await.unwrap();
    while agent.status().plugins[0].state != State::Ok {
        sleep(Duration::from_millis(1)).await;
    }
    let inits = agent.blocking.inits.load(SeqCst);
    let events = only(lines(Stubborn::GRAPH, &agent.close().await.unwrap()), &["init"]);
    assert_eq!(events[..2], ["init Blocking failed", "init Blocking blocked"]);
    // On a busy machine, other attempts may be too late as well.
    assert!(inits >= 3 && events.len() == inits as usize && events.last().unwrap() == "init Blocking", "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_blocks_its_thread_is_named_when_the_agent_stops() {
    let (_leave, until) = mpsc::channel();
    let blocking = Blocking { until: Some(until).into(), ..Blocking::default() };
    let agent = stubborn(blocking).start().await.unwrap();
    while agent.blocking.inits.load(SeqCst) < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    let error = agent.close().await.unwrap_err();
    let told: Vec<_> = error.errors.iter().map(ToString::to_string).collect();
    let expected =
        "plugin `Blocking` blocks its thread in init, in a later attempt: it could not be ended within 100.0ms";
    assert_eq!((told, error.exit_code()), (vec![expected.to_string()], 3));
}

/// Its `drain` hangs.
#[plugin]
pub struct Hangs;
impl Lifecycle for Hangs {
    async fn drain(&self, _: &Context) -> Result<()> {
        pending().await
    }
}
/// Needs some time to close.
#[plugin]
pub struct Flushes {
    done: AtomicU32,
}
impl Lifecycle for Flushes {
    async fn close(&self, _: &Context) -> Result<()> {
        sleep(Duration::from_millis(700)).await;
        self.done.fetch_add(1, SeqCst);
        Ok(())
    }
}
#[derive(Flavor)]
pub struct Slowed {
    blocking: Dep<Blocking>,
    hangs: Dep<Hangs>,
    flushes: Dep<Flushes>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_attempt_and_a_drain_that_hang_leave_half_of_the_stop_for_closing() {
    let (_leave, until) = mpsc::channel();
    let blocking = Blocking { until: Some(until).into(), ..Blocking::default() };
    let builder = Agent::<Slowed>::builder().limits(Limits::default().stop(Duration::from_secs(2))).with_new(blocking);
    let agent = builder.start_policy("blocking", SOON).start().await.unwrap();
    while agent.blocking.inits.load(SeqCst) < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    let flushes = agent.flushes.clone();
    let error = agent.close().await.unwrap_err();
    let told: Vec<_> = error.errors.iter().map(ToString::to_string).collect();
    assert_eq!((flushes.done.load(SeqCst), told.len()), (1, 2), "{told:?}");
    assert!(told[0].contains("`Blocking` blocks") && told[1].contains("`Hangs` was not done with drain"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_timeline_of_the_start_has_no_later_attempt() {
    let store = Agent::<Lone>::builder().start_policy("eager", StartPolicy::Retry(BACKOFF)).record_events(true);
    FAILS.set(2);
    let agent = store.start().await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let events = agent.close().await.unwrap();
    let timeline = Timeline::new(Lone::GRAPH, &events);
    assert_eq!(timeline.took(), Duration::from_millis(100));
    assert_eq!(timeline.steps().filter(|step| step.event.phase == Phase::Init).count(), 1);
}

#[test]
fn nothing_is_put_off_when_the_start_has_ended() {
    #[plugin]
    struct Fails;
    impl Lifecycle for Fails {
        async fn init(&self, _: &Context) -> Result<()> {
            Err(Error::msg("no way"))
        }
    }
    #[derive(Flavor)]
    struct Both {
        blocking: Dep<Blocking>,
        fails: Dep<Fails>,
    }
    let start = || paused(async { Agent::<Both>::builder().start_policy("blocking", SOON).start().await.err() });
    let (error, text) = Written::during(|output| output, start);
    assert_eq!(error.unwrap().errors.len(), 1);
    assert!(text.contains("connection refused: the start has ended") && !text.contains("tries again"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_metric_that_a_task_of_the_attempt_registers_at_its_end_gives_way() {
    /// Registers a metric when it is dropped.
    struct Last(Context);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.metrics().register("late_polls", "Polls", cninfra::metrics::Gauge::<i64>::default()).unwrap();
        }
    }
    #[plugin]
    struct Late {
        inits: AtomicU32,
    }
    impl Lifecycle for Late {
        async fn init(&self, cx: &Context) -> Result<()> {
            if self.inits.fetch_add(1, SeqCst) > 1 {
                return cx.metrics().register("late_polls", "Polls", cninfra::metrics::Gauge::<i64>::default());
            }
            let last = Last(cx.clone());
            cx.spawn("work", async move {
                let _last = last;
                pending::<()>().await
            });
            sleep(Duration::from_millis(1)).await;
            Err(Error::msg("connection refused"))
        }
    }
    #[derive(Flavor)]
    struct Lately {
        late: Dep<Late>,
    }
    let agent = Agent::<Lately>::builder().start_policy("late", StartPolicy::Retry(BACKOFF)).start().await.unwrap();
    sleep(Duration::from_secs(20)).await;
    assert_eq!((agent.late.inits.load(SeqCst), agent.status().plugins[0].state), (3, State::Ok));
    agent.close().await.unwrap();
}

/// Comes up after a second.
#[plugin]
struct Base {
    #[default(Instant::now())]
    made: Instant,
}
impl Lifecycle for Base {
    async fn init(&self, _: &Context) -> Result<()> {
        if self.made.elapsed() < Duration::from_secs(1) { Err(Error::msg("not yet")) } else { Ok(()) }
    }
}
/// Stands between `Base` and `Above`.
#[plugin]
struct Between {
    base: Dep<Base>,
}
/// Comes up when `Base` is up, and counts its attempts.
#[plugin]
struct Above {
    between: Dep<Between>,
    inits: AtomicU32,
}
impl Lifecycle for Above {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.inits.fetch_add(1, SeqCst);
        self.between.base.init(cx).await
    }
}
#[derive(Flavor)]
struct Tower {
    base: Dep<Base>,
    between: Dep<Between>,
    above: Dep<Above>,
}

#[tokio::test(start_paused = true)]
async fn who_depends_on_one_that_comes_up_is_tried_at_once() {
    let retry = |first| StartPolicy::Retry(Backoff::new(first, first));
    let builder = Agent::<Tower>::builder().start_policy("base", retry(Duration::from_millis(100)));
    let agent = builder.start_policy("above", retry(Duration::from_secs(600))).start().await.unwrap();
    let began = Instant::now();
    while agent.status().state != State::Ok {
        sleep(Duration::from_millis(10)).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", agent.status());
    }
    assert_eq!(agent.above.inits.load(SeqCst), 2);
    agent.close().await.unwrap();
}
