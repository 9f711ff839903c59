//! Errors, panics and hangs: what has begun is closed, dependents first, and all errors are kept.

use crate::{plug, support::*};
use cninfra::{
    Phase,
    agent::{Cause, Limits},
    prelude::*,
};
use std::{future::pending, time::Duration};

plug!(Base {});
plug!(Slow { base: Dep<Base> } pending::<()>().await);
plug!(Panics { base: Dep<Base> } panic!("at {}", 7));
plug!(Fails { base: Dep<Base> } return Err(Error::msg("no").with_help("say yes")));
plug!(Fine { base: Dep<Base> });

#[plugin(deps = (Base))]
pub struct NotCreated;
impl Create for NotCreated {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Err(Error::msg("not made"))
    }
}

#[derive(Flavor)]
pub struct Hangs {
    slow: Dep<Slow>,
    fine: Dep<Fine>,
    base: Dep<Base>,
}

#[derive(Flavor)]
pub struct Two {
    fine: Dep<Fine>,
    panics: Dep<Panics>,
    fails: Dep<Fails>,
    base: Dep<Base>,
}

#[derive(Flavor)]
pub struct Unmade {
    fine: Dep<Fine>,
    not: Dep<NotCreated>,
    base: Dep<Base>,
}

fn limits() -> Limits {
    Limits::default().plugin_start(Duration::from_secs(3))
}

#[tokio::test(start_paused = true)]
async fn a_hang_ends_at_the_limit() {
    let builder = Agent::<Hangs>::builder().limits(limits()).record_events(true);
    let began = tokio::time::Instant::now();
    let error = builder.start().await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 3);
    assert!(error.to_string().contains("plugin `Slow` was not done with init within 3s"), "{error}");
    assert!(matches!(error.errors[0].cause, Cause::TimedOut(_)));
    let events = only(lines(Hangs::GRAPH, &error.events), &["init", "close"]);
    let expected = ["init Base", "init Fine", "init Slow timed out", "close Fine", "close Slow", "close Base"];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn all_errors_of_a_level_are_kept_and_what_had_begun_is_closed() {
    let error = Agent::<Two>::builder().record_events(true).start().await.unwrap_err();
    let found: Vec<_> = error.errors.iter().map(|e| (e.plugin, e.phase)).collect();
    assert_eq!(found, [("Panics", Phase::Init), ("Fails", Phase::Init)]);
    assert_eq!(error.errors[0].to_string(), "plugin `Panics` panicked in init: at 7");
    assert!(error.to_string().contains("failed in init: no (after") && error.to_string().contains("help: say yes"));
    let closed = only(lines(Two::GRAPH, &error.events), &["close"]);
    assert_eq!(closed, ["close Fails", "close Panics", "close Fine", "close Base"]);
    assert!(error.rollback.is_empty() && !error.interrupted());
}

#[tokio::test]
async fn what_is_created_beside_a_plugin_that_can_not_be_never_begins() {
    let error = Agent::<Unmade>::builder().record_events(true).start().await.unwrap_err();
    assert_eq!(error.errors[0].to_string(), "plugin `NotCreated` failed in create: not made");
    let events = lines(Unmade::GRAPH, &error.events);
    let expected = ["create Base", "init Base", "create Fine", "create NotCreated failed", "close Base"];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn a_stop_interrupts_a_start() {
    let builder = Agent::<Hangs>::builder().record_events(true);
    let stop = builder.stop_handle();
    let starting = tokio::spawn(builder.start());
    tokio::task::yield_now().await;
    stop.stop();
    let error = starting.await.unwrap().unwrap_err();
    assert!(error.interrupted() && error.rollback.is_empty());
    let events = only(lines(Hangs::GRAPH, &error.events), &["init", "close"]);
    let expected = ["init Base", "init Fine", "init Slow dropped", "close Fine", "close Slow", "close Base"];
    assert_eq!(events, expected);
}

#[plugin]
pub struct Unclosed {
    base: Dep<Base>,
}
impl Lifecycle for Unclosed {
    async fn close(&self, _: &Context) -> Result<()> {
        let _ = &self.base;
        panic!("stuck")
    }
}
#[derive(Flavor)]
pub struct Bad {
    unclosed: Dep<Unclosed>,
    base: Dep<Base>,
}

#[tokio::test]
async fn a_close_goes_on_after_a_panic() {
    let agent = Agent::<Bad>::builder().record_events(true).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    assert_eq!(error.errors.len(), 1);
    assert_eq!(error.errors[0].to_string(), "plugin `Unclosed` panicked in close: stuck");
    assert_eq!(only(lines(Bad::GRAPH, &error.events), &["close"]), ["close Unclosed panicked", "close Base"]);
}

#[plugin]
pub struct Undrained;
impl Lifecycle for Undrained {
    async fn drain(&self, _: &Context) -> Result<()> {
        pending().await
    }
    async fn close(&self, _: &Context) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
    }
}
#[derive(Flavor)]
pub struct Clogged {
    undrained: Dep<Undrained>,
}

#[tokio::test(start_paused = true)]
async fn a_hang_in_drain_leaves_time_to_close() {
    let agent = Agent::<Clogged>::builder().record_events(true).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    let found: Vec<_> = error.errors.iter().map(|e| (e.plugin, e.phase)).collect();
    assert_eq!(found, [("Undrained", Phase::Drain)]);
    let stopped = only(lines(Clogged::GRAPH, &error.events), &["drain", "close"]);
    assert_eq!(stopped, ["drain Undrained timed out", "close Undrained"]);
}

#[tokio::test]
async fn a_limit_may_be_as_long_as_can_be() {
    let most = Duration::MAX;
    let limits = Limits::default().start(most).plugin_start(most).stop(most).plugin_stop(most);
    Agent::<Bad>::builder().limits(limits).start().await.unwrap().close().await.unwrap_err();
}

/// A task that is left behind ends with its plugin.
mod tasks {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    #[plugin]
    pub struct Careless {
        ended: Arc<AtomicBool>,
    }
    struct Guard(Arc<AtomicBool>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    impl Lifecycle for Careless {
        async fn init(&self, cx: &Context) -> Result<()> {
            let guard = Guard(self.ended.clone());
            cx.spawn("forever", async move {
                let _guard = guard;
                pending::<()>().await
            });
            Ok(())
        }
    }
    #[derive(Flavor)]
    pub struct Lone {
        careless: Dep<Careless>,
    }

    #[tokio::test]
    async fn a_task_that_is_left_behind_is_ended() {
        let agent = Agent::<Lone>::start().await.unwrap();
        let ended = agent.careless.ended.clone();
        assert!(!ended.load(SeqCst));
        agent.close().await.unwrap();
        assert!(ended.load(SeqCst));
    }

    /// Observes in its `drain` and its `close` whether its task has ended.
    #[plugin]
    pub struct Careful {
        ended: Arc<AtomicBool>,
        seen: Arc<std::sync::Mutex<Vec<(&'static str, bool)>>>,
    }
    impl Careful {
        fn see(&self, phase: &'static str) {
            self.seen.lock().unwrap().push((phase, self.ended.load(SeqCst)));
        }
    }
    impl Lifecycle for Careful {
        async fn init(&self, cx: &Context) -> Result<()> {
            let guard = Guard(self.ended.clone());
            cx.spawn_until_close("forever", async move {
                let _guard = guard;
                pending::<()>().await
            });
            Ok(())
        }
        async fn drain(&self, _: &Context) -> Result<()> {
            tokio::task::yield_now().await;
            self.see("drain");
            Ok(())
        }
        async fn close(&self, cx: &Context) -> Result<()> {
            self.see("close");
            let late = cx.spawn_until_close("late", async {});
            assert!(late.await.is_err(), "none begins any more");
            Ok(())
        }
    }
    #[derive(Flavor)]
    pub struct Swept {
        careful: Dep<Careful>,
    }

    #[tokio::test]
    async fn a_task_until_close_ends_after_drain_and_before_close() {
        let agent = Agent::<Swept>::builder().record_events(true).start().await.unwrap();
        let seen = agent.careful.seen.clone();
        let events = agent.close().await.unwrap();
        assert_eq!(*seen.lock().unwrap(), [("drain", false), ("close", true)]);
        assert!(events.iter().all(|event| event.outcome == cninfra::agent::Outcome::Done), "{events:?}");
    }

    #[tokio::test]
    async fn an_agent_that_is_dropped_takes_its_tasks_with_it() {
        let agent = Agent::<Lone>::start().await.unwrap();
        let ended = agent.careless.ended.clone();
        drop(agent);
        let seen = async {
            while !ended.load(SeqCst) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap();
    }
}
