//! Tasks when the agent stops: each ends with its plugin.

use crate::{owner::*, support::*};
use cninfra::{agent::Limits, prelude::*};
use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn a_plugin_that_leaves_tasks_behind_is_named() {
    let agent = started().await;
    let held = Arc::new(());
    let (with, without) = (held.clone(), held.clone());
    agent.owner.cx.spawn("forgotten", async move {
        let _held = with;
        pending::<()>().await
    });
    // This plugin has no `close` in which it could end its task.
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
    /// Observes in its `close` whether the task of the plugin above still runs.
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
    /// Its `close` takes a moment.
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
    /// Lets the task return when the test ends, whether it passes or not.
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
    // The minimum of a few runs, so that other load on the machine is not measured.
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
    // If each spawn went through all running tasks, it would take hundreds of times as long.
    assert!(last < 30 * first, "{first:?}, then {last:?}");
    soon(agent.close()).await.unwrap();
}

#[tokio::test]
async fn a_task_runs_on_the_agents_runtime_wherever_it_is_spawned() {
    let agent = started().await;
    let cx = agent.owner.cx.clone();
    // A thread without a runtime.
    let task = std::thread::spawn(move || {
        cx.spawn("remote", async { tokio::runtime::Handle::current().metrics().num_workers() })
    });
    assert_eq!(soon(task.join().unwrap()).await.unwrap(), tokio::runtime::Handle::current().metrics().num_workers());
    soon(agent.close()).await.unwrap();
}
