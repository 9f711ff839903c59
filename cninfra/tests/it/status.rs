//! The status of plugins: their reports and their probes.

mod probes;

use cninfra::{
    logging::{Format, Output},
    prelude::*,
    status::{AgentStatus, State, StatusChanges},
    testing::paused,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

#[plugin]
pub struct Store {
    #[context]
    cx: Context,
    /// The number of probes that are running right now.
    asked: Arc<AtomicU32>,
}

impl Lifecycle for Store {
    async fn close(&self, _: &Context) -> Result<()> {
        assert_eq!(self.asked.load(SeqCst), 0, "no probe runs beside `close`");
        Ok(())
    }
}

#[plugin(no_lifecycle)]
pub struct Cache {
    #[context]
    cx: Context,
}

#[plugin(no_lifecycle)]
pub struct Spare {
    #[context]
    cx: Context,
}

#[derive(Flavor)]
pub struct Three {
    store: Dep<Store>,
    cache: Dep<Cache>,
    spare: Option<Dep<Spare>>,
}

async fn start() -> Agent<Three> {
    Agent::<Three>::start().await.unwrap()
}

fn of(status: &AgentStatus, name: &str) -> (State, String) {
    let plugin = status.plugins.iter().find(|plugin| plugin.name == name).unwrap();
    (plugin.state, plugin.reason.clone().unwrap_or_default())
}

fn ok() -> (State, String) {
    (State::Ok, String::new())
}

#[test]
fn the_worst_of_those_that_are_needed_holds_in_any_order() {
    paused(async {
        let agent = start().await;
        let (store, cache, spare) =
            (agent.store.cx.status(), agent.cache.cx.status(), &agent.spare.as_ref().unwrap().cx);
        store.report_because(State::Error, "gone");
        cache.report(State::Init);
        cache.report(State::Ok);
        assert_eq!(agent.status().state, State::Error, "another one's `ok` hides nothing");
        store.report_because(State::Degraded, "slow");
        assert_eq!((agent.status().state, agent.status().is_ready()), (State::Degraded, true));
        spare.status().report_because(State::Error, "nobody needs it");
        cache.report_because(State::Disabled, "no endpoint");
        assert_eq!((agent.status().state, agent.status().is_ready()), (State::Degraded, true));
        assert_eq!(of(&agent.status(), "cache"), (State::Disabled, "no endpoint".into()));
        store.report(State::Ok);
        assert_eq!(agent.status().state, State::Ok);
        agent.close().await.unwrap();
    });
}

/// The change that is waiting in `changes`. There is at most one, since changes do not queue up.
async fn waiting(changes: &mut StatusChanges) -> Option<AgentStatus> {
    timeout(Duration::ZERO, changes.next()).await.ok().flatten()
}

#[test]
fn changes_are_watched() {
    paused(async {
        let agent = start().await;
        let (mut changes, store) = (agent.status_changes(), agent.store.cx.clone());
        assert_eq!(waiting(&mut changes).await, None);
        store.status().report_because(State::Error, "gone");
        assert_eq!(of(&waiting(&mut changes).await.unwrap(), "store"), (State::Error, "gone".into()));
        let since = agent.status().plugins[0].since;
        store.status().report_because(State::Error, "gone");
        assert_eq!(waiting(&mut changes).await, None, "the same again is no change");
        store.status().report_because(State::Error, "still gone");
        assert_eq!(of(&waiting(&mut changes).await.unwrap(), "store").1, "still gone");
        assert_eq!(agent.status().plugins[0].since, since, "another reason is no other state");
        // A slow watcher blocks nobody, and sees the latest state.
        for state in [State::Ok, State::Error].repeat(5_000) {
            store.status().report(state);
        }
        store.status().report(State::Ok);
        assert_eq!(of(&changes.next().await.unwrap(), "store"), ok());
        assert_eq!(waiting(&mut changes).await, None);
        // Plugins can watch as well, until the agent has stopped.
        let mut of_plugin = agent.cache.cx.status_changes();
        let watching = tokio::spawn(async move {
            let mut phases = Vec::new();
            while let Some(status) = of_plugin.next().await {
                phases.push(status.phase);
            }
            phases
        });
        tokio::task::yield_now().await;
        agent.close().await.unwrap();
        assert_eq!(timeout(SECOND, watching).await.unwrap().unwrap(), [State::Stopped]);
        assert_eq!(changes.next().await.map(|status| status.phase), Some(State::Stopped));
        assert_eq!(timeout(SECOND, changes.next()).await, Ok(None));
    });
}

#[test]
fn a_start_is_watched_too() {
    paused(async {
        #[plugin]
        struct Early {
            seen: Arc<Mutex<Vec<State>>>,
        }
        impl Lifecycle for Early {
            async fn init(&self, cx: &Context) -> Result<()> {
                let (mut changes, seen) = (cx.status_changes(), self.seen.clone());
                cx.spawn("watch", async move {
                    while let Some(status) = changes.next().await {
                        seen.lock().unwrap().push(status.state);
                    }
                });
                cx.status().report(State::Ok);
                assert_eq!(cx.status().agent().state, State::Init, "the agent still starts");
                sleep(SECOND).await;
                Ok(())
            }
        }
        #[derive(Flavor)]
        struct Lone {
            early: Dep<Early>,
        }
        let agent = Agent::<Lone>::start().await.unwrap();
        let seen = agent.early.seen.clone();
        sleep(SECOND).await;
        agent.close().await.unwrap();
        // A plugin's own report is a change, too. The plugin's task is ended before the agent has closed.
        assert_eq!(*seen.lock().unwrap(), [State::Init, State::Ok, State::Stopped]);
    });
}

#[test]
fn changes_of_state_are_logged_once() {
    let (written, ()) = {
        let written = crate::logging::Written::default();
        let output = Output::to(written.clone()).format(Format::Json);
        let run = || {
            paused(async {
                let agent = start().await;
                let status = agent.store.cx.status();
                status.report(State::Ok);
                for _ in 0..3 {
                    status.report_because(State::Error, "gone");
                }
                status.report_broken("for good");
                status.report_broken("for good");
                status.report(State::Ok);
                agent.close().await.unwrap();
            });
        };
        (written, crate::logging::during(output, run))
    };
    let records = crate::logging::objects(&written.text());
    let records: Vec<_> = records.iter().filter(|record| record["logger"] == "store").collect();
    let states: Vec<_> = records
        .iter()
        .map(|record| format!("{} {} {} {}", record["level"], record["msg"], record["state"], record["reason"]))
        .collect();
    let expected = [
        r#""warn" "its state has changed" "error" "gone""#,
        r#""error" "is broken: only a new start mends it" "error" "for good""#,
        r#""info" "its state has changed" "ok" null"#,
    ];
    assert_eq!(states, expected);
    // The location is that of the report.
    let is_here = |record: &&serde_json::Value| record["loc"].as_str().unwrap().starts_with("it/status.rs:");
    assert!(records.iter().all(is_here), "{records:?}");
}

/// Reports its state while the agent starts, and waits.
#[plugin]
struct Early {
    #[context]
    cx: Context,
}
impl Lifecycle for Early {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.status().report_because(State::Degraded, "half of it");
        assert_eq!(of(&cx.status().agent(), "early"), (State::Init, "half of it".to_string()));
        cx.status().report_because(State::Error, "no disk");
        assert_eq!(of(&cx.status().agent(), "early"), (State::Error, "no disk".to_string()));
        assert!(cx.status().agent().is_live() && cx.status().agent().state == State::Error);
        cx.status().report_broken("no memory");
        assert!(!cx.status().agent().is_live() && !cx.status().agent().is_ready());
        cx.status().report(State::Ok);
        assert_eq!(of(&cx.status().agent(), "early"), (State::Init, String::new()));
        Ok(())
    }
    async fn close(&self, cx: &Context) -> Result<()> {
        assert_eq!(of(&cx.status().agent(), "early").0, State::Stopped);
        cx.status().report_broken("for good");
        assert!(!cx.status().agent().is_live());
        Ok(())
    }
}
#[derive(Flavor)]
struct Hasty {
    early: Dep<Early>,
}

#[test]
fn what_is_reported_while_the_agent_starts_is_seen_then() {
    paused(async {
        let agent = Agent::<Hasty>::start().await.unwrap();
        assert_eq!(of(&agent.status(), "early"), ok());
        agent.close().await.unwrap();
    });
}
