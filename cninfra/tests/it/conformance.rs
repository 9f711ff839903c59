//! The conformance kit finds each way in which a plugin can violate its contract, and accepts a plugin that keeps it.

use cninfra::{
    agent::Builder,
    config::Config,
    prelude::*,
    status::State,
    testing::{Conformance, Steps, Violation, paused},
};
use serde::{Deserialize, Serialize};
use std::{
    future::pending,
    sync::Mutex,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};
use tokio::time::sleep;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sin {
    #[default]
    None,
    SpawnsUntilClose,
    LeavesTask,
    DetachesTask,
    FailsToCloseTwice,
    PanicsWhenClosedUninitialised,
    FailsToCloseDropped,
    NotAgain,
    NotAgainAfterAnError,
    Blocks,
    BlocksInATask,
    Outlives,
    StaysInInit,
    GivesNoReason,
    TellsSecretInLog,
    FailsWell,
    TellsSecretInError,
    TellsNoCause,
    ShoutsInErrors,
    DoesNotStart,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct SinnerConfig {
    sin: Sin,
    password: String,
}

#[plugin]
struct Sinner {
    #[config]
    config: SinnerConfig,
    begun: AtomicU32,
    done: AtomicU32,
    closed: AtomicU32,
    task: Mutex<Option<cninfra::Task<()>>>,
}

impl Lifecycle for Sinner {
    async fn init(&self, cx: &Context) -> Result<()> {
        let begun = self.begun.fetch_add(1, SeqCst);
        let password = &self.config.password;
        match self.config.sin {
            Sin::SpawnsUntilClose => drop(cx.spawn_until_close("work", pending::<()>())),
            Sin::LeavesTask => drop(cx.spawn("left", pending::<()>())),
            Sin::DetachesTask => drop(tokio::spawn(pending::<()>())),
            Sin::Blocks => std::thread::sleep(Duration::from_millis(60)),
            Sin::BlocksInATask => {
                cx.spawn("slow", async { std::thread::sleep(Duration::from_millis(60)) });
                sleep(Duration::from_millis(1)).await;
            }
            Sin::Outlives => drop(tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(1200)))),
            Sin::NotAgain if begun > 0 => return Err(Error::msg("called before").with_help("call it once")),
            Sin::NotAgainAfterAnError if self.done.load(SeqCst) > 0 => {
                return Err(Error::msg("bound already").with_help("bind once"));
            }
            Sin::StaysInInit => cx.status().report(State::Init),
            Sin::GivesNoReason => cx.status().report(State::Degraded),
            Sin::TellsSecretInLog => cx.log().debug(format_args!("connect with {password}")),
            Sin::FailsWell => return Err(Error::msg("connection refused").context("etcd:2379")),
            Sin::TellsSecretInError => {
                return Err(Error::msg(format_args!("wrong password {password}")).context("etcd"));
            }
            Sin::TellsNoCause | Sin::DoesNotStart => return Err(Error::msg("it does not work")),
            Sin::ShoutsInErrors => return Err(Error::msg("It does not work.").with_help("mend it")),
            _ => {
                // A task that the plugin owns, and two await points.
                let before = self.task.lock().unwrap().replace(cx.spawn("work", pending::<()>()));
                if let Some(before) = before {
                    before.abort();
                }
                sleep(Duration::from_millis(1)).await;
                sleep(Duration::from_millis(1)).await;
            }
        }
        self.done.fetch_add(1, SeqCst);
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        let (begun, done) = (self.begun.load(SeqCst), self.done.load(SeqCst));
        let closed = self.closed.fetch_add(1, SeqCst);
        let task = self.task.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
        match self.config.sin {
            Sin::FailsToCloseTwice if closed > 0 => Err(Error::msg("closed already")),
            Sin::PanicsWhenClosedUninitialised if begun == 0 => panic!("not initialised"),
            Sin::FailsToCloseDropped if begun > done => Err(Error::msg("half initialised")),
            _ => Ok(()),
        }
    }
}

#[derive(Flavor)]
struct Lone {
    sinner: Dep<Sinner>,
}

fn builder(sin: Sin) -> Builder<Lone> {
    let config = Config::new().set("sinner", "sin", sin).set("sinner", "password", "hunter2");
    Agent::<Lone>::builder().config(config)
}

fn kit(sin: Sin) -> Conformance<Lone> {
    Conformance::of("sinner", move || builder(sin)).secret("hunter2").blocks_after(Duration::from_millis(50))
}

/// The numbers of the violated points, each once, and all messages.
fn points(violations: &[Violation]) -> (Vec<u8>, String) {
    let mut points: Vec<_> = violations.iter().map(|violation| violation.point).collect();
    points.sort_unstable();
    points.dedup();
    (points, violations.iter().map(|violation| format!("{violation}\n")).collect())
}

#[test]
fn a_plugin_that_keeps_its_contract_passes() {
    kit(Sin::None).blocks_after(Duration::from_secs(5)).fails("nobody listens", || builder(Sin::FailsWell)).check();
}

#[test]
fn a_task_that_ends_with_its_plugin_keeps_the_contract() {
    let violations = kit(Sin::SpawnsUntilClose).violations();
    let violations: Vec<_> = violations.iter().filter(|violation| violation.point != 3).collect();
    assert!(violations.is_empty(), "{violations:?}");
}

#[test]
fn each_violation_is_found() {
    for (sin, point, said) in [
        (
            Sin::LeavesTask,
            1,
            "a task of it still ran when it had closed: `left`: spawn it by `spawn_until_close`, or abort and await it",
        ),
        (
            Sin::DetachesTask,
            1,
            "1 task still runs that the agent does not know: spawn them by `Context::spawn_until_close`, and not by `tokio::spawn`",
        ),
        (Sin::FailsToCloseTwice, 2, "after a second close: plugin `Sinner` failed in close: closed already"),
        (Sin::PanicsWhenClosedUninitialised, 2, "dropped at wait 0: plugin `Sinner` panicked in close"),
        (Sin::FailsToCloseDropped, 2, "dropped at wait 2: plugin `Sinner` failed in close: half init"),
        (Sin::NotAgain, 2, "called again, it does not start"),
        (Sin::NotAgainAfterAnError, 2, "called again, it does not come up"),
        (Sin::Blocks, 3, "a call in init kept its thread for"),
        (Sin::BlocksInATask, 3, "a call of task `slow` kept its thread for"),
        (Sin::Outlives, 1, "what was given to `spawn_blocking` still runs 1s after the close"),
        (Sin::StaysInInit, 4, "its state is still `Init`"),
        (Sin::GivesNoReason, 4, "its state is Degraded, without a reason"),
        (Sin::TellsSecretInLog, 7, "a secret is told"),
        (Sin::DoesNotStart, 0, "the agent does not start"),
    ] {
        let violations = kit(sin).violations();
        let (points, all) = points(&violations);
        assert!(all.contains(said) && !all.contains("hunter2"), "{sin:?}: {all}");
        // On a busy machine any call may look slow.
        let points: Vec<_> = points.into_iter().filter(|found| *found != 3 || point == 3).collect();
        assert_eq!(points, [point], "{sin:?}: {all}");
    }
}

#[test]
fn errors_are_looked_at() {
    for (sin, said) in [
        (Sin::TellsSecretInError, "a secret is told"),
        (Sin::TellsNoCause, "neither a cause nor a mend"),
        (Sin::ShoutsInErrors, "in lower case, without a full stop"),
        (Sin::None, "it does not fail"),
    ] {
        let kit = kit(Sin::None).blocks_after(Duration::from_secs(5)).fails("nobody listens", move || builder(sin));
        let (points, all) = points(&kit.violations());
        assert!(points == [7] && all.contains(said), "{sin:?}: {all}");
    }
}

#[test]
fn a_config_section_that_takes_anything_is_found() {
    #[derive(Serialize, Deserialize, Default)]
    #[serde(default)]
    struct Lax {
        endpoint: String,
        // Accepts all other keys, so that no key is unknown.
        #[serde(flatten)]
        rest: std::collections::BTreeMap<String, u8>,
    }
    #[plugin]
    struct Careless {
        #[config]
        config: Lax,
    }
    #[derive(Flavor)]
    struct Alone {
        careless: Dep<Careless>,
    }
    let (points, all) = points(&Conformance::of("careless", Agent::<Alone>::builder).violations());
    assert!(points == [8] && all.contains("takes a key that it does not know"), "{all}");
}

#[test]
fn a_flag_on_a_key_that_is_not_there_is_found() {
    const FLAGS: &[Flag] = &[
        Flag::new("target", "taregt"),
        Flag::new("deep", "inner.dept"),
        Flag::new("good", "inner.depth"),
        Flag::new("time-to-start", "limits.init"),
    ];
    #[derive(Serialize, Deserialize, Default)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        depth: u8,
    }
    #[derive(Serialize, Deserialize, Default)]
    #[serde(default, deny_unknown_fields)]
    struct Outer {
        target: String,
        inner: Inner,
    }
    #[plugin(flags = FLAGS)]
    struct Poller {
        #[config]
        config: Outer,
    }
    #[derive(Flavor)]
    struct Alone {
        poller: Dep<Poller>,
    }
    let violations = Conformance::of("poller", Agent::<Alone>::builder).violations();
    let told: Vec<_> = violations.iter().map(ToString::to_string).collect();
    let expected = [
        "contract 8: flag --target: it is declared for key `poller.taregt`, which is unknown",
        "contract 8: flag --deep: it is declared for key `poller.inner.dept`, which is unknown",
    ];
    assert_eq!(told, expected);
}

#[test]
#[should_panic(expected = "plugin `sinner` does not keep its contract:\n  - contract 4: ")]
fn check_panics_with_what_it_found() {
    kit(Sin::StaysInInit).blocks_after(Duration::from_secs(5)).check();
}

#[test]
fn steps_are_compared() {
    let steps = paused(async {
        let agent = builder(Sin::None).record_events(true).start().await.unwrap();
        Steps::new(Lone::GRAPH, &agent.close().await.unwrap())
    });
    assert_eq!(steps.all().len(), 5);
    assert_eq!((steps.of("close"), steps.of("Sinner").len()), (vec!["close Sinner"], 5));
    steps.in_order(&["create Sinner", "init Sinner", "drain Sinner", "close Sinner"]);
    for wrong in [&["close Sinner", "init Sinner"][..], &["init Saint"]] {
        assert!(std::panic::catch_unwind(|| steps.in_order(wrong)).is_err());
    }
}

/// Fails if a task or a metric of an earlier attempt still exists.
#[plugin]
struct Counts {
    tasks: std::sync::Arc<()>,
}
impl Lifecycle for Counts {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.metrics().register("counts_polls", "Polls", cninfra::metrics::Gauge::<i64>::default())?;
        if std::sync::Arc::strong_count(&self.tasks) > 1 {
            return Err(Error::msg("a task of the attempt before goes on"));
        }
        let task = self.tasks.clone();
        cx.spawn_until_close("poll", async move {
            let _task = task;
            pending::<()>().await
        });
        sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

#[derive(Flavor)]
struct Counting {
    counts: Dep<Counts>,
}

#[test]
fn a_plugin_that_registers_a_metric_and_awaits_then_keeps_the_contract() {
    assert_eq!(Conformance::of("counts", Agent::<Counting>::builder).violations(), []);
}

#[test]
#[should_panic(expected = "flavor `Lone` has no plugin `siner`: did you mean `sinner`? its plugins are sinner")]
fn a_plugin_that_is_not_there_is_told_with_those_that_are() {
    Conformance::of("siner", || builder(Sin::None)).check();
}
