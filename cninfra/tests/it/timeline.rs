//! The timeline of a start: how long each plugin took, and which steps all others waited for.

use crate::plug;
use cninfra::{
    Phase,
    agent::{Step, Timeline},
    prelude::*,
    testing::paused,
};
use std::time::Duration;
use tokio::time::sleep;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

plug!(Store {} sleep(millis(50)).await);
plug!(Fast {} sleep(millis(10)).await);
plug!(Cache { store: Dep<Store> } sleep(millis(20)).await);
plug!(Idle {});
#[plugin]
pub struct Server {
    cache: Dep<Cache>,
}
impl Lifecycle for Server {
    async fn after_init(&self, _: &Context) -> Result<()> {
        let _ = &self.cache;
        sleep(millis(5)).await;
        Ok(())
    }
}
#[derive(Flavor)]
pub struct App {
    idle: Dep<Idle>,
    fast: Dep<Fast>,
    store: Dep<Store>,
    cache: Dep<Cache>,
    server: Dep<Server>,
}

fn timeline() -> Timeline {
    paused(async {
        let agent = Agent::<App>::builder().record_events(true).start().await.unwrap();
        let events = agent.events().to_vec();
        // Steps after the start do not change it.
        let all = agent.close().await.unwrap();
        let timeline = Timeline::new(App::GRAPH, &all);
        assert_eq!(timeline.to_string(), Timeline::new(App::GRAPH, &events).to_string());
        timeline
    })
}

#[test]
fn the_critical_path_is_what_all_waited_for() {
    let timeline = timeline();
    let critical: Vec<_> = (timeline.steps().filter(|step| step.critical))
        .map(|Step { plugin, event, .. }| (*plugin, event.phase, event.started, event.took))
        .collect();
    let expected = [
        ("Store", Phase::Init, millis(0), millis(50)),
        ("Cache", Phase::Init, millis(50), millis(20)),
        ("Server", Phase::AfterInit, millis(70), millis(5)),
    ];
    assert_eq!(critical, expected);
    assert_eq!((timeline.took(), timeline.steps().count()), (millis(75), 15));
}

#[test]
fn its_text_is_a_table_in_start_order() {
    let expected = "timeline of 75.0ms, from the beginning of the start (* all others waited for it)\n    \
        Fast    init 10.0ms at 0.0ns\n    \
        Store   init* 50.0ms at 0.0ns\n    \
        Cache   init* 20.0ms at 50.0ms\n    \
        Server  after_init* 5.0ms at 70.0ms";
    assert_eq!(timeline().to_string(), expected);
}
