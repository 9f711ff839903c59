//! Main tasks, whose end stops the agent.

use crate::{owner::*, support::*};
use cninfra::{Task, prelude::*};
use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};

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

#[tokio::test(start_paused = true)]
async fn a_main_task_ends_between_drain_and_close_when_the_agent_stops() {
    #[derive(Default)]
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    /// Observes in `drain` and `close` whether its main task has ended. `drain` may tell the task to return.
    #[plugin]
    struct Works {
        tells: AtomicBool,
        told: Arc<Notify>,
        ended: Arc<AtomicBool>,
        task: Mutex<Option<Task<()>>>,
        seen: Mutex<Vec<(&'static str, bool)>>,
    }
    impl Works {
        fn see(&self, phase: &'static str) {
            self.seen.lock().unwrap().push((phase, self.ended.load(SeqCst)));
        }
    }
    impl Lifecycle for Works {
        async fn after_init(&self, cx: &Context) -> Result<()> {
            let (told, ended) = (self.told.clone(), Flag(self.ended.clone()));
            let task = cx.spawn_main("work", async move {
                told.notified().await;
                drop(ended);
                Ok(())
            });
            *self.task.lock().unwrap() = Some(task);
            Ok(())
        }
        async fn drain(&self, _: &Context) -> Result<()> {
            self.see("drain");
            let task = self.task.lock().unwrap().take().filter(|_| self.tells.load(SeqCst));
            if let Some(task) = task {
                self.told.notify_one();
                task.await?;
                self.see("drained");
            }
            Ok(())
        }
        async fn close(&self, _: &Context) -> Result<()> {
            self.see("close");
            Ok(())
        }
    }
    #[derive(Flavor)]
    struct Lone {
        works: Dep<Works>,
    }
    for tells in [false, true] {
        let agent = Agent::<Lone>::builder().record_events(true).start().await.unwrap();
        let works = agent.works.clone();
        works.tells.store(tells, SeqCst);
        agent.stop_handle().stop();
        let began = tokio::time::Instant::now();
        let events = lines(Lone::GRAPH, &soon(agent.run()).await.unwrap());
        assert!(began.elapsed().is_zero(), "it is waited for: {:?}", began.elapsed());
        assert!(!events.iter().any(|event| event.contains("left a task")), "{events:?}");
        let seen = works.seen.lock().unwrap().clone();
        let told = [("drained", true)].into_iter().filter(|_| tells);
        let expected: Vec<_> = [("drain", false)].into_iter().chain(told).chain([("close", true)]).collect();
        assert_eq!(seen, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_main_task_that_is_aborted_has_failed_unless_the_agent_stops() {
    /// Its main task is aborted after it was polled, before that, when it has ended well, or in `close`.
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
    // While it runs.
    let agent = started().await;
    agent.owner.cx.spawn_main("work", pending()).abort();
    let error = soon(agent.run()).await.unwrap_err();
    assert_eq!((error.run.len(), error.exit_code()), (1, 1));
}
