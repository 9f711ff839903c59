//! The metrics of an agent and its plugins.

use cninfra::{
    agent::StartPolicy,
    metrics::{Collector, Counter, Family, Format, Metrics, prometheus_client::encoding::DescriptorEncoder},
    prelude::*,
    status::State,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

#[plugin]
pub struct Poller {
    #[context]
    cx: Context,
    polls: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Lifecycle for Poller {
    async fn init(&self, cx: &Context) -> Result<()> {
        assert_eq!(cx.start_events(), [], "the start is not done");
        cx.metrics().register("poller_polls", "Polls of all devices", self.polls.clone())
    }
}

/// Tries to register a metric with the name of another plugin's.
#[plugin]
pub struct Second {
    first: Dep<Poller>,
}

impl Lifecycle for Second {
    async fn init(&self, cx: &Context) -> Result<()> {
        let error = cx.metrics().register("poller_polls", "..", Counter::<u64>::default()).unwrap_err();
        assert_eq!(error.to_string(), "metric `poller_polls` of `second` is registered already, by `poller`");
        assert!(!cx.metrics().unregister("poller_polls"), "it is another plugin's");
        cx.metrics().register("second_polls", "..", Counter::<u64>::default())
    }
}

#[derive(Flavor)]
pub struct Devices {
    poller: Dep<Poller>,
    second: Dep<Second>,
}

#[tokio::test]
async fn are_told_of_plugins_agent_and_process() {
    let agent = Agent::<Devices>::builder().label("a1").record_events(true).start().await.unwrap();
    agent.poller.polls.get_or_create(&[("kind", "switch")]).inc_by(2);
    agent.poller.cx.status().report(State::Degraded);
    let told = agent.metrics().expose(Format::Text);
    assert_eq!(told.left_out, [""; 0]);
    for line in [
        "# TYPE poller_polls_total counter",
        "poller_polls_total{kind=\"switch\"} 2",
        "second_polls_total 0",
        "agent_ready 1",
        "agent_build{flavor=\"Devices\",label=\"a1\",version=\"0.1.0\"} 1",
        "plugin_state{plugin=\"poller\",state=\"degraded\"} 1",
        "plugin_state{plugin=\"poller\",state=\"ok\"} 0",
        "plugin_state{plugin=\"second\",state=\"ok\"} 1",
    ] {
        assert!(told.text.lines().any(|told| told == line), "{line} is not in {}", told.text);
    }
    for start in
        ["plugin_start_seconds{phase=\"init\",plugin=\"poller\"} ", "agent_uptime_seconds ", "process_open_fds "]
    {
        let line = told.text.lines().find(|line| line.starts_with(start));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        assert!(value.is_some_and(|value| value >= 0.0), "{start} is not in {}", told.text);
    }
    // Two agents share nothing.
    let other = Agent::<Devices>::start().await.unwrap();
    assert!(!other.metrics().expose(Format::Text).text.contains("switch"));
    other.close().await.unwrap();
    let metrics = agent.metrics();
    agent.close().await.unwrap();
    // Metrics that outlive their agent can still be exposed.
    assert!(metrics.expose(Format::OpenMetrics).text.ends_with("# EOF\n"));
}

/// Registers its metric, and then fails at the first attempt.
#[plugin]
pub struct Unlucky {
    polls: Counter,
    inits: AtomicU32,
}

impl Lifecycle for Unlucky {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.metrics().register("unlucky_polls", "Polls", self.polls.clone())?;
        self.polls.inc();
        match self.inits.fetch_add(1, SeqCst) {
            0 => Err(Error::msg("connection refused")),
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_registers_its_metrics_again() {
    #[derive(Flavor)]
    struct Lone {
        unlucky: Dep<Unlucky>,
    }
    let agent = Agent::<Lone>::builder().start_policy("unlucky", StartPolicy::retry()).start().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((agent.status().state, agent.unlucky.inits.load(SeqCst)), (State::Ok, 2));
    assert!(agent.metrics().expose(Format::Text).text.contains("\nunlucky_polls_total 2\n"));
    agent.close().await.unwrap();
}

#[test]
fn what_is_registered_twice_is_told() {
    let metrics = Metrics::new("poller");
    let counter: Counter = Counter::default();
    metrics.register("poller_polls", "Polls", counter.clone()).unwrap();
    let error = metrics.register("poller_polls", "Polls", Counter::<u64>::default()).unwrap_err();
    assert_eq!(error.to_string(), "metric `poller_polls` is registered already, by `poller` itself");
    assert!(error.help().is_some_and(|help| help.contains("`unregister` it before")));
    counter.inc();
    assert!(metrics.expose(Format::Text).text.contains("poller_polls_total 1\n"), "the first one stays");
    assert!(metrics.unregister("poller_polls"));
    metrics.register("poller_polls", "Polls", Counter::<u64>::default()).unwrap();
}

/// A collector that holds the context of its plugin, and another plugin.
struct Holds(Context, Dep<Below>);
impl fmt::Debug for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holds({} of {})", self.1.gone.load(SeqCst), self.0.name())
    }
}
impl Collector for Holds {
    fn encode(&self, _: DescriptorEncoder<'_>) -> fmt::Result {
        Ok(())
    }
}

#[plugin(no_lifecycle)]
pub struct Below {
    gone: Arc<AtomicBool>,
}
impl Drop for Below {
    fn drop(&mut self) {
        self.gone.store(true, SeqCst);
    }
}

#[plugin]
pub struct Above {
    below: Dep<Below>,
}
impl Lifecycle for Above {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.metrics().register_collector("above", Holds(cx.clone(), self.below.clone()))
    }
}

#[tokio::test]
async fn what_collectors_hold_goes_with_the_agent() {
    #[derive(Flavor)]
    struct Two {
        above: Dep<Above>,
        below: Dep<Below>,
    }
    for closes in [true, false] {
        let agent = Agent::<Two>::start().await.unwrap();
        let gone = agent.below.gone.clone();
        match closes {
            true => drop(agent.close().await.unwrap()),
            false => drop(agent),
        }
        assert!(gone.load(SeqCst), "{closes}");
    }
}
