//! Errors that cannot be written, and panics and errors that panic again when they are dropped: everything is closed,
//! and reported as far as possible.

use cninfra::{Phase, agent::StartPolicy, prelude::*, testing::paused};
use std::{
    fmt,
    panic::panic_any,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    /// Its `Display` panics.
    Wordless,
    /// Its `Display` fails.
    Silent,
    /// The error panics when it is dropped.
    Sticky,
    /// A panic with a value that panics when it is dropped.
    Bomb,
}

const FAULTS: [(Fault, &str); 4] = [
    (Fault::Wordless, "etcd (its text cannot be written: that panicked: out of words)"),
    (Fault::Silent, "etcd (its text cannot be written)"),
    (Fault::Sticky, "etcd is gone"),
    (Fault::Bomb, "with a value that is not text"),
];

#[derive(Debug)]
struct Odd(Fault);
impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("etcd")?;
        match self.0 {
            Fault::Wordless => panic!("out of words"),
            Fault::Silent => Err(fmt::Error),
            Fault::Sticky | Fault::Bomb => f.write_str(" is gone"),
        }
    }
}
impl std::error::Error for Odd {}
impl Drop for Odd {
    fn drop(&mut self) {
        assert!(self.0 != Fault::Sticky, "sticky");
    }
}

struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("bomb");
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum When {
    In(Phase),
    Task,
    Main,
}

#[plugin]
#[derive(Default)]
struct Base {
    closed: Arc<AtomicU32>,
}
impl Lifecycle for Base {
    async fn close(&self, _: &Context) -> Result<()> {
        self.closed.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// A default that the flavor can create. Tests replace it by one with a plan.
#[plugin]
#[derive(Default)]
struct Faulty {
    plan: Option<(When, Fault)>,
}
impl Faulty {
    async fn reach(&self, when: When) -> Result<()> {
        match self.plan {
            Some((planned, fault)) if planned == when => fail(fault).await,
            _ => Ok(()),
        }
    }
}
async fn fail(fault: Fault) -> Result<()> {
    tokio::task::yield_now().await;
    match fault {
        Fault::Bomb => panic_any(Bomb),
        _ => Err(Odd(fault).into()),
    }
}
impl Lifecycle for Faulty {
    async fn init(&self, _: &Context) -> Result<()> {
        self.reach(When::In(Phase::Init)).await
    }
    async fn after_init(&self, cx: &Context) -> Result<()> {
        match self.plan {
            Some((When::Task, fault)) => drop(cx.spawn("work", fail(fault))),
            Some((When::Main, fault)) => drop(cx.spawn_main("work", fail(fault))),
            _ => {}
        }
        self.reach(When::In(Phase::AfterInit)).await
    }
    async fn drain(&self, _: &Context) -> Result<()> {
        self.reach(When::In(Phase::Drain)).await
    }
    async fn close(&self, _: &Context) -> Result<()> {
        self.reach(When::In(Phase::Close)).await
    }
}

#[derive(Flavor)]
struct Pair {
    faulty: Dep<Faulty>,
    base: Dep<Base>,
}

#[test]
fn what_can_not_be_told_or_dropped_keeps_nothing_from_closing() {
    let phases = [Phase::Init, Phase::AfterInit, Phase::Drain, Phase::Close].map(When::In);
    for when in phases.into_iter().chain([When::Task, When::Main]) {
        // The result of an ordinary task is not reported, so only a panic counts there.
        for (fault, told) in FAULTS.into_iter().filter(|(fault, _)| when != When::Task || *fault == Fault::Bomb) {
            let (base, plan) = (Base::default(), Some((when, fault)));
            let closed = base.closed.clone();
            let builder = Agent::<Pair>::builder().with_new(Faulty { plan });
            let (report, code) = paused(async {
                match builder.with_new(base).start().await {
                    Ok(agent) => agent.run_until_it_stops(when).await,
                    Err(error) => (error.to_string(), error.exit_code()),
                }
            });
            let what = format!("{fault:?} in {when:?}: {report}");
            assert!(report.contains(told) && report.contains("plugin `Faulty`"), "{what}");
            assert_eq!(code, if matches!(when, When::In(Phase::Drain | Phase::Close)) { 3 } else { 1 }, "{what}");
            assert_eq!(closed.load(SeqCst), 1, "{what}");
        }
    }
}

trait Ends {
    async fn run_until_it_stops(self, when: When) -> (String, u8);
}
impl Ends for Agent<Pair> {
    async fn run_until_it_stops(self, when: When) -> (String, u8) {
        // In the other cases the agent stops by itself.
        if matches!(when, When::In(_)) {
            self.stop_handle().stop();
        }
        let error = self.run().await.unwrap_err();
        (error.to_string(), error.exit_code())
    }
}

#[test]
fn a_plugin_that_is_down_says_what_it_can() {
    for (fault, told) in FAULTS.into_iter().filter(|(fault, _)| *fault != Fault::Bomb) {
        let faulty = Faulty { plan: Some((When::In(Phase::Init), fault)) };
        paused(async {
            let builder = Agent::<Pair>::builder().with_new(faulty).start_policy("faulty", StartPolicy::retry());
            let agent = builder.start().await.unwrap();
            let status = agent.status();
            let reason = status.plugins.iter().find(|plugin| plugin.name == "faulty").unwrap().reason.clone().unwrap();
            assert!(reason.contains(told), "{reason}");
            agent.close().await.unwrap();
        });
    }
}
