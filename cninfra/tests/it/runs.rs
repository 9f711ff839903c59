//! What stops a running agent, and how it stops.

use crate::{owner::*, support::*};
use cninfra::{
    Phase, Task,
    agent::Cause,
    config::Config,
    prelude::*,
    status::{AgentStatus, State},
};
use std::{
    future::pending,
    sync::{Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};
use tokio::time::Instant;

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
async fn a_plugin_stops_the_agent() {
    let agent = started().await;
    agent.owner.cx.stop_handle().stop();
    soon(agent.run()).await.unwrap();
}

/// Records the agent's status and the time when it is drained.
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
        // The config overrides the builder.
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
            // The delay is not part of the five seconds of a stop.
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

/// Its tasks fail or panic while the start is rolled back.
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
