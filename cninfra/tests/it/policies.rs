//! Start policies: `fail`, `retry` and `ignore`.

use crate::support::*;
use cninfra::{
    Phase,
    agent::{Backoff, Builder, StartPolicy},
    config::Config,
    prelude::*,
    status::{Down, State},
};
use std::{
    future::pending,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The client of a server that is not up yet.
#[plugin]
pub struct Store {
    /// How many attempts fail.
    pub fails: AtomicU32,
    /// Whether a failing attempt hangs rather than returning an error.
    hangs: bool,
    /// The number of the attempt that panics, if it fails.
    panics_at: u32,
    /// Whether it recovers by itself after its first attempt has failed.
    recovers: bool,
    cx: OnceLock<Context>,
    pub inits: AtomicU32,
    pub after_inits: AtomicU32,
    pub drains: AtomicU32,
    pub closes: AtomicU32,
}
impl Default for Store {
    fn default() -> Self {
        let zero = || AtomicU32::new(0);
        let (inits, after_inits, drains, closes) = (zero(), zero(), zero(), zero());
        let cx = OnceLock::new();
        Store { fails: zero(), hangs: false, panics_at: 0, recovers: false, cx, inits, after_inits, drains, closes }
    }
}
impl Store {
    fn failing(times: u32) -> Store {
        Store { fails: AtomicU32::new(times), ..Store::default() }
    }
    fn counts(&self) -> [u32; 4] {
        [&self.inits, &self.after_inits, &self.drains, &self.closes].map(|count| count.load(SeqCst))
    }
}
impl Lifecycle for Store {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.cx.get_or_init(|| cx.clone());
        self.inits.fetch_add(1, SeqCst);
        if self.fails.load(SeqCst) == 0 {
            return Ok(());
        }
        self.fails.fetch_sub(1, SeqCst);
        sleep(Duration::from_millis(10)).await;
        if self.recovers {
            cx.status().report(State::Ok);
            cx.status().recovered();
        }
        match (self.hangs, self.inits.load(SeqCst) == self.panics_at) {
            (true, _) => pending().await,
            (_, true) => panic!("a defect"),
            _ => Err(Error::msg("connection refused")),
        }
    }
    async fn after_init(&self, _: &Context) -> Result<()> {
        self.after_inits.fetch_add(1, SeqCst);
        Ok(())
    }
    async fn drain(&self, _: &Context) -> Result<()> {
        self.drains.fetch_add(1, SeqCst);
        Ok(())
    }
    async fn close(&self, _: &Context) -> Result<()> {
        self.closes.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// Depends on the store, and starts nevertheless.
#[plugin]
pub struct User {
    store: Dep<Store>,
    #[context]
    pub cx: Context,
}
impl Lifecycle for User {}

#[derive(Flavor)]
pub struct Late {
    user: Dep<User>,
    store: Dep<Store>,
}

/// The delays between attempts.
pub const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4));

fn builder(store: Store, policy: StartPolicy) -> Builder<Late> {
    Agent::<Late>::builder().with_new(store).start_policy("store", policy).record_events(true)
}

/// Whether the store is down, and why.
fn down(cx: &Context) -> Option<Down> {
    cx.status().agent().plugins.iter().find(|plugin| plugin.name == "store").unwrap().down
}

fn state(cx: &Context) -> (State, Option<String>) {
    let status = cx.status().agent();
    let store = status.plugins.iter().find(|plugin| plugin.name == "store").unwrap();
    (store.state, store.reason.clone())
}

#[tokio::test(start_paused = true)]
async fn by_default_the_start_fails() {
    for policy in [StartPolicy::Fail, StartPolicy::default()] {
        let error = builder(Store::failing(1), policy).start().await.unwrap_err();
        assert_eq!((error.errors.len(), error.exit_code()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_starts_degraded_and_comes_up() {
    let agent = builder(Store::failing(3), StartPolicy::Retry(BACKOFF)).start().await.unwrap();
    let (store, cx, began) = (agent.store.clone(), agent.user.cx.clone(), Instant::now());
    assert_eq!(store.counts(), [1, 0, 0, 0]);
    let (is_down, reason) = state(&cx);
    assert_eq!((is_down, cx.status().agent().state), (State::Degraded, State::Degraded));
    assert_eq!(down(&cx), Some(Down::Retrying));
    assert!(cx.status().agent().is_ready());
    assert!(reason.unwrap().contains("plugin `Store` failed in init: connection refused"));
    while store.counts()[1] == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    // After 1 s, 2 s and 4 s, each reduced by up to a half: three more attempts.
    let took = began.elapsed();
    assert!((Duration::from_millis(3500)..Duration::from_millis(7100)).contains(&took), "{took:?}");
    assert_eq!(store.counts(), [4, 1, 0, 0]);
    assert_eq!((state(&cx), down(&cx), cx.status().agent().state), ((State::Ok, None), None, State::Ok));
    let events = lines(Late::GRAPH, &agent.close().await.unwrap());
    assert_eq!(store.counts(), [4, 1, 1, 1]);
    let of_store: Vec<_> = events.iter().filter(|line| line.contains("Store")).map(String::as_str).collect();
    let expected = [
        "init Store failed",
        "init Store failed",
        "init Store failed",
        "init Store",
        "after_init Store",
        "drain Store",
        "close Store",
    ];
    assert_eq!(of_store, expected);
}

#[tokio::test(start_paused = true)]
async fn a_lone_plugin_that_comes_up_late_is_drained() {
    #[derive(Flavor)]
    struct Lone {
        store: Dep<Store>,
    }
    let builder = |policy| Agent::<Lone>::builder().with_new(Store::failing(1)).start_policy("store", policy);
    for (policy, counts) in [(StartPolicy::retry(), [2, 1, 1, 1]), (StartPolicy::Ignore, [1, 0, 0, 1])] {
        let agent = builder(policy).start().await.unwrap();
        let store = agent.store.clone();
        sleep(Duration::from_secs(60)).await;
        agent.close().await.unwrap();
        assert_eq!(store.counts(), counts, "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_is_tried_again_too_and_dropped_by_a_stop() {
    let store = Store { hangs: true, ..Store::failing(1000) };
    let began = Instant::now();
    let builder = builder(store, StartPolicy::Retry(BACKOFF)).limit("store", Phase::Init, Duration::from_secs(2));
    let agent = builder.start().await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    let store = agent.store.clone();
    while store.counts()[0] < 3 {
        sleep(Duration::from_millis(10)).await;
    }
    // In the middle of the third attempt.
    let asked = Instant::now();
    agent.close().await.unwrap();
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert_eq!(store.counts(), [3, 0, 0, 1], "closed once, and not drained");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_a_third_of_the_start() {
    let store = Store { hangs: true, ..Store::failing(1000) };
    let began = Instant::now();
    let agent = builder(store, StartPolicy::retry()).start().await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_ignored_stays_down() {
    let agent = builder(Store::failing(1), StartPolicy::Ignore).start().await.unwrap();
    let (store, cx) = (agent.store.clone(), agent.user.cx.clone());
    sleep(Duration::from_secs(3600)).await;
    let (state, reason) = state(&cx);
    assert_eq!((state, reason.unwrap().ends_with("connection refused; ignored")), (State::Degraded, true));
    assert_eq!(down(&cx), Some(Down::Failed));
    agent.close().await.unwrap();
    assert_eq!(store.counts(), [1, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_ignored_is_as_it_says_when_it_has_recovered() {
    let agent = builder(Store::failing(1), StartPolicy::Ignore).start().await.unwrap();
    let (cx, store) = (agent.user.cx.clone(), agent.store.cx.get().unwrap().clone());
    store.status().report(State::Ok);
    assert_eq!((state(&cx).0, down(&cx)), (State::Degraded, Some(Down::Failed)), "what it says is not enough");
    for _ in 0..2 {
        store.status().recovered();
        assert_eq!((state(&cx), down(&cx)), ((State::Ok, None), None));
    }
    store.status().report_because(State::Error, "it is away again");
    assert_eq!(state(&cx), (State::Error, Some("it is away again".to_string())));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_has_recovered_before_it_is_ignored_is_not() {
    let agent = builder(Store { recovers: true, ..Store::failing(1) }, StartPolicy::Ignore).start().await.unwrap();
    assert_eq!((state(&agent.user.cx), down(&agent.user.cx)), ((State::Ok, None), None));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_has_not_recovered_before_that() {
    let store = Store { recovers: true, ..Store::failing(1) };
    let agent = builder(store, StartPolicy::Retry(BACKOFF)).start().await.unwrap();
    assert_eq!((state(&agent.user.cx).0, down(&agent.user.cx)), (State::Degraded, Some(Down::Retrying)));
    sleep(Duration::from_secs(60)).await;
    assert_eq!((state(&agent.user.cx), down(&agent.user.cx)), ((State::Ok, None), None));
    agent.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_defect_whatever_the_policy() {
    for policy in [StartPolicy::retry(), StartPolicy::Ignore] {
        let error = builder(Store { panics_at: 1, ..Store::failing(1) }, policy).start().await.unwrap_err();
        assert!(error.to_string().contains("plugin `Store` panicked in init: a defect"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_later_attempt_ends_the_agent() {
    let store = Store { panics_at: 2, ..Store::failing(1000) };
    let agent = builder(store, StartPolicy::retry()).start().await.unwrap();
    let store = agent.store.clone();
    let error = agent.run().await.unwrap_err();
    assert_eq!((error.exit_code(), error.run[0].phase, store.counts()), (1, Phase::Init, [2, 0, 0, 1]));
}

#[tokio::test(start_paused = true)]
async fn names_of_nobody_are_told_once_each_and_in_order() {
    for _ in 0..10 {
        let mut builder = Agent::<Late>::builder();
        for name in ["y", "x", "z"] {
            for phase in [Phase::Init, Phase::Close] {
                builder = builder.limit(name, phase, Duration::from_secs(1));
            }
            builder = builder.start_policy(name, StartPolicy::Ignore);
        }
        let error = builder.start().await.unwrap_err();
        let text = error.to_string();
        let at = ["`x`", "`y`", "`z`"].map(|name| text.find(name).unwrap());
        assert!(error.errors.len() == 3 && at.is_sorted(), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_nobody_is_told() {
    let error = Agent::<Late>::builder().start_policy("stroe", StartPolicy::Ignore).start().await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains("`stroe`"), "{error}");
}

/// Its own config has a key with the name of the policy's.
#[plugin]
pub struct OwnKey {
    #[config]
    config: OwnKeyConfig,
}
impl Lifecycle for OwnKey {
    async fn init(&self, _: &Context) -> Result<()> {
        assert_eq!(self.config.start_policy, "ignore");
        Err(Error::msg("it is no policy"))
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnKeyConfig {
    start_policy: String,
}

#[tokio::test(start_paused = true)]
async fn the_config_goes_over_the_builder() {
    for (written, policy, inits) in [("ignore", StartPolicy::Fail, 1), ("Retry", StartPolicy::Ignore, 4)] {
        let config = Config::new().set("Store", "StartPolicy", written);
        let agent = builder(Store::failing(3), policy).config(config).start().await.unwrap();
        sleep(Duration::from_secs(100)).await;
        assert_eq!(agent.store.counts()[0], inits, "{written}");
        agent.close().await.unwrap();
    }
    let config = || Config::new().set("store", "start-policy", "fail");
    builder(Store::failing(1), StartPolicy::Ignore).config(config()).start().await.unwrap_err();
    // The builder's delays stay.
    let long = Backoff::new(Duration::from_secs(1000), Duration::from_secs(1000));
    let config = config().set("store", "start-policy", "retry");
    let agent = builder(Store::failing(1), StartPolicy::Retry(long)).config(config).start().await.unwrap();
    sleep(Duration::from_secs(400)).await;
    assert_eq!(agent.store.counts()[0], 1);
    agent.close().await.unwrap();

    #[derive(Flavor)]
    struct Lone {
        own_key: Dep<OwnKey>,
    }
    let config = Config::new().set("own-key", "start-policy", "ignore");
    let error = Agent::<Lone>::builder().config(config).start().await.unwrap_err();
    assert!(error.to_string().contains("it is no policy"), "{error}");
}
