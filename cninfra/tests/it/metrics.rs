//! What an agent and its plugins count.

use cninfra::{
    metrics::{Counter, Family, Format},
    prelude::*,
    status::State,
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

/// Wants the name of another plugin's metric.
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
    // two agents share nothing
    let other = Agent::<Devices>::start().await.unwrap();
    assert!(!other.metrics().expose(Format::Text).text.contains("switch"));
    other.close().await.unwrap();
    let metrics = agent.metrics();
    agent.close().await.unwrap();
    // and what outlives its agent tells what is left
    assert!(metrics.expose(Format::OpenMetrics).text.ends_with("# EOF\n"));
}
