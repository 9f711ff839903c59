//! Tasks whose end is the end of the agent.

use crate::{owner::*, support::*};
use cninfra::{Task, prelude::*};
use std::{
    future::pending,
    sync::{Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};
use tokio::time::sleep;

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
