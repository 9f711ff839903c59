//! Levels by name and pattern, from the start on and at run time.

use cninfra::{
    config::Config,
    logging::{Level, LogSettings, Loggers, Source},
    prelude::*,
    testing::paused,
};
use cninfra_testbed::Folder;
use std::time::Duration;

#[plugin]
pub struct Etcd {
    #[context]
    log: Logger,
}

impl Lifecycle for Etcd {
    async fn init(&self, cx: &Context) -> Result<()> {
        // The level is in force in the plugin's own `init` already.
        assert_eq!((self.log.name(), self.log.level()), ("etcd", cx.log().level()));
        Ok(())
    }
}

#[plugin(no_lifecycle)]
pub struct Http {
    #[context]
    log: Logger,
    #[context]
    cx: Context,
}

#[derive(Flavor)]
pub struct Two {
    etcd: Dep<Etcd>,
    http: Dep<Http>,
}

fn settings() -> LogSettings {
    LogSettings::new().default_level(Level::Warn).level("etcd*", Level::Debug).unwrap()
}

fn levels(loggers: &Loggers) -> Vec<(String, Level)> {
    loggers.list().into_iter().map(|logger| (logger.name, logger.level)).collect()
}

#[test]
fn a_plugin_has_the_level_that_its_name_was_given() {
    paused(async {
        let agent = Agent::<Two>::builder().label("one").log_settings(&settings()).start().await.unwrap();
        let expected = [("agent", Level::Warn), ("etcd", Level::Debug), ("http", Level::Warn)];
        let expected = expected.map(|(name, level)| (name.to_string(), level));
        assert_eq!(levels(&agent.loggers()), expected, "the agent and all plugins are listed");
        assert_eq!((agent.etcd.log.agent(), agent.etcd.log.level()), ("one", Level::Debug));
        let origin = agent.loggers().level("etcd").origin;
        assert_eq!((origin.source, origin.rule.as_deref()), (Source::Program, Some("etcd*")));
        assert_eq!(agent.loggers().level("http").origin.rule, None);
        agent.close().await.unwrap();
    });
}

/// The origins of a logger's level and of the default level.
fn said(loggers: &Loggers) -> [(Source, Option<String>); 2] {
    ["http", "default"].map(|name| {
        let origin = loggers.level(name).origin;
        (origin.source, origin.place.map(|place| place.rsplit('/').next().unwrap().to_string()))
    })
}

#[test]
fn it_is_told_where_a_level_was_said() {
    let folder = Folder::new();
    folder.write("logs.conf", "default-level: warn\nloggers:\n- {name: http, level: debug}");
    paused(async {
        let agent = Agent::<Two>::builder().config_dir(folder.path()).start().await.unwrap();
        let place = |place: &str| (Source::Config, Some(place.to_string()));
        assert_eq!(said(&agent.loggers()), [place("logs.conf:3:16"), place("logs.conf:1:1")]);
        let rules = agent.loggers().rules();
        assert!(rules[0].place.as_deref().unwrap().ends_with("logs.conf:1:1"), "{rules:?}");
        agent.loggers().set("http", Level::Info).unwrap();
        assert_eq!(said(&agent.loggers())[0], (Source::Runtime, None));
        agent.close().await.unwrap();
        let agent = Agent::<Two>::builder().log_settings(&settings()).start().await.unwrap();
        assert_eq!(said(&agent.loggers()), [(Source::Program, None), (Source::Program, None)]);
        agent.close().await.unwrap();
    });
}

#[test]
fn a_level_is_set_and_reset_while_the_agent_runs() {
    paused(async {
        let agent = Agent::<Two>::builder().log_settings(&settings()).start().await.unwrap();
        // As a plugin does that serves levels.
        let loggers = agent.http.cx.loggers();
        loggers.set("http", Level::Trace).unwrap();
        assert!(agent.http.log.is_enabled(Level::Trace), "who holds it already sees it");
        assert_eq!(loggers.level("http").origin.source, Source::Runtime);
        loggers.set("*", Level::Error).unwrap();
        assert_eq!((agent.http.log.level(), agent.etcd.log.level()), (Level::Trace, Level::Error), "the closest holds");
        assert!(loggers.reset("http").unwrap() && !loggers.reset("http").unwrap());
        assert_eq!(agent.http.log.level(), Level::Error);
        loggers.set("default", Level::Trace).unwrap();
        loggers.reset_all();
        assert_eq!(
            (agent.http.log.level(), agent.etcd.log.level()),
            (Level::Warn, Level::Debug),
            "as in the beginning"
        );
        assert_eq!(loggers.level("default").level, Level::Warn);
        for wrong in ["", "a b"] {
            let error = loggers.set(wrong, Level::Info).unwrap_err();
            assert!(error.to_string().contains("not a name or pattern") && error.help().is_some());
            assert!(loggers.reset(wrong).is_err());
        }
        agent.close().await.unwrap();
    });
}

#[test]
fn loggers_that_appear_later_have_the_level_too() {
    paused(async {
        let agent = Agent::<Two>::builder().log_settings(&settings()).start().await.unwrap();
        let loggers = agent.loggers();
        loggers.set("http.access", Level::Error).unwrap();
        assert!(!loggers.contains("http.access"));
        assert_eq!(loggers.level("http.access").level, Level::Error, "also of one that is not there");
        let access = agent.http.log.child("access");
        assert!(loggers.contains("http.access") && access.level() == Level::Error);
        let child = agent.etcd.log.child("watch").child("one");
        assert_eq!((child.name(), child.level()), ("etcd.watch.one", Level::Debug));
        let (same, listed) = (agent.http.log.child("access"), loggers.list().len());
        loggers.set("http.access", Level::Trace).unwrap();
        assert_eq!((same.level(), access.level()), (Level::Trace, Level::Trace), "one name, one level");
        drop((same, access, child));
        assert_eq!((listed, loggers.list().len()), (5, 3), "nobody holds them any more");
        agent.close().await.unwrap();
    });
}

#[test]
fn a_child_follows_its_parent_unless_it_has_a_level() {
    let loggers = Loggers::new("app", LogSettings::new());
    let (parent, child) = (loggers.get("store"), loggers.get("store").child("disk"));
    loggers.set("store", Level::Debug).unwrap();
    assert_eq!((parent.level(), child.level()), (Level::Debug, Level::Debug));
    assert_eq!(loggers.level("store.disk").origin.inherited_from.as_deref(), Some("store"));
    loggers.set("store.disk", Level::Error).unwrap();
    loggers.set("store", Level::Trace).unwrap();
    assert_eq!((parent.level(), child.level()), (Level::Trace, Level::Error));
    assert_eq!(child.child("a b/\n").name(), "store.disk.a_b__");
}

#[test]
fn a_level_for_a_while_ends() {
    paused(async {
        let agent = Agent::<Two>::builder().log_settings(&settings()).start().await.unwrap();
        let (loggers, second) = (agent.loggers(), Duration::from_secs(1));
        let level = || agent.etcd.log.level();
        loggers.set("etcd", Level::Error).unwrap();
        loggers.set_for("etcd", Level::Trace, 10 * second).unwrap();
        loggers.set_for("http", Level::Trace, 5 * second).unwrap();
        let rule =
            loggers.rules().into_iter().find(|rule| rule.source == Source::Temporary && rule.name == "etcd").unwrap();
        assert_eq!(rule.ends_in, Some(10 * second));
        tokio::time::sleep(6 * second).await;
        assert_eq!((level(), agent.http.log.level()), (Level::Trace, Level::Warn), "each ends by itself");
        tokio::time::sleep(5 * second).await;
        assert_eq!(level(), Level::Error, "what was set before");
        // Of two temporary levels the later one wins, and a permanent level ends it.
        loggers.set_for("etcd", Level::Trace, 2 * second).unwrap();
        loggers.set_for("etcd", Level::Info, 20 * second).unwrap();
        tokio::time::sleep(3 * second).await;
        assert_eq!(level(), Level::Info);
        loggers.set("etcd", Level::Warn).unwrap();
        assert_eq!(level(), Level::Warn);
        loggers.set_for("etcd", Level::Trace, 20 * second).unwrap();
        assert!(loggers.reset("etcd").unwrap());
        assert_eq!(level(), Level::Debug);
        loggers.set_for("etcd", Level::Trace, Duration::MAX).unwrap();
        tokio::time::sleep(3600 * second).await;
        assert_eq!(level(), Level::Trace, "for ever");
        loggers.set_for("*", Level::Error, 100 * second).unwrap();
        agent.close().await.unwrap();
        assert!(!loggers.rules().iter().any(|rule| rule.source == Source::Temporary), "it ends with the agent");
        tokio::task::yield_now().await;
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    });
    let outside = Loggers::new("app", LogSettings::new()).set_for("a", Level::Info, Duration::from_secs(1));
    assert!(outside.unwrap_err().to_string().contains("outside of a tokio runtime"));
}

#[test]
fn a_level_for_a_while_ends_at_the_latest_with_the_runtime_where_it_was_set() {
    let second = Duration::from_secs(1);
    let loggers = Loggers::new("app", LogSettings::new());
    let log = loggers.get("etcd");
    for turn in 0..2 {
        // In the first turn, the task that ends the level is dropped before it has run.
        paused(async {
            loggers.set_for("etcd", Level::Debug, 100 * second).unwrap();
            tokio::time::sleep(turn * second).await;
            assert_eq!(log.level(), Level::Debug);
        });
        assert_eq!((log.level(), loggers.rules().len()), (Level::Info, 0), "{turn}");
    }
    // The task runs on the agent's runtime, not on the one where the level is set.
    paused(async {
        let agent = Agent::<Two>::start().await.unwrap();
        let loggers = agent.loggers();
        let elsewhere = loggers.clone();
        let set = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { elsewhere.set_for("etcd", Level::Debug, Duration::from_millis(500)) })
        };
        std::thread::spawn(set).join().unwrap().unwrap();
        assert_eq!(agent.etcd.log.level(), Level::Debug);
        tokio::time::sleep(second).await;
        assert_eq!(agent.etcd.log.level(), Level::Info);
        agent.close().await.unwrap();
    });
}

#[test]
fn levels_for_a_while_that_are_set_at_once_all_end() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let soon = Duration::from_millis(1);
    let all: Vec<_> = (0..200)
        .map(|_| {
            let loggers = Loggers::new("app", LogSettings::new());
            let (log, barrier) = (loggers.get("a"), std::sync::Barrier::new(2));
            std::thread::scope(|scope| {
                for (name, time) in [("a", soon), ("b", Duration::from_secs(3600))] {
                    let (loggers, barrier, runtime) = (&loggers, &barrier, &runtime);
                    scope.spawn(move || {
                        let _inside = runtime.enter();
                        barrier.wait();
                        loggers.set_for(name, Level::Debug, time).unwrap();
                    });
                }
            });
            (loggers, log)
        })
        .collect();
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while all.iter().any(|(_, log)| log.level() == Level::Debug) {
        assert!(std::time::Instant::now() < until, "some do not end");
        std::thread::sleep(soon);
    }
    assert!(all.iter().all(|(loggers, _)| loggers.level("b").level == Level::Debug));
}

#[test]
fn too_many_levels_are_a_mistake_of_the_config_and_no_less_all_hold() {
    let named = |many: usize| -> Vec<_> {
        let entry =
            |at: usize| std::collections::BTreeMap::from([("name", format!("l{at}")), ("level", "debug".into())]);
        (0..many).map(entry).collect()
    };
    let line = |many: usize| (0..many).map(|at| format!("l{at}=debug,")).collect::<String>();
    let start =
        |config: Config| async move { Agent::<Two>::builder().config(config).log_settings(&full()).start().await };
    paused(async {
        for config in
            [Config::new().set("logs", "loggers", named(1001)), Config::new().set("logs", "levels", line(1001))]
        {
            let error = start(config).await.unwrap_err();
            let text = error.to_string();
            assert!(error.is_config() && text.contains("too many") && text.contains("`etcd*`"), "{text}");
        }
        let config = Config::new().set("logs", "loggers", named(1000)).set("logs", "levels", line(1000));
        let agent = start(config).await.unwrap();
        let loggers = agent.loggers();
        assert_eq!((loggers.level("l999").level, loggers.level("p999").level), (Level::Debug, Level::Warn));
        assert_eq!(loggers.level("default").level, Level::Error);
        agent.close().await.unwrap();
    });
}

/// As many levels as a program may set, and a default level.
fn full() -> LogSettings {
    let all = (0..1000).fold(LogSettings::new(), |all, at| all.level(&format!("p{at}"), Level::Warn).unwrap());
    assert!(all.clone().level("p1000", Level::Warn).is_err());
    all.default_level(Level::Error)
}

#[test]
fn two_agents_have_nothing_in_common() {
    paused(async {
        let one = Agent::<Two>::builder().label("one").start().await.unwrap();
        let two = Agent::<Two>::builder().label("two").start().await.unwrap();
        one.loggers().set("etcd", Level::Error).unwrap();
        one.loggers().set("default", Level::Trace).unwrap();
        assert_eq!((two.etcd.log.level(), two.http.log.level()), (Level::Info, Level::Info));
        assert_eq!((one.etcd.log.agent(), two.etcd.log.agent()), ("one", "two"));
        one.close().await.unwrap();
        two.close().await.unwrap();
    });
}

#[test]
fn levels_are_set_while_others_log() {
    let loggers = Loggers::new("app", LogSettings::new());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let loggers = loggers.clone();
            scope.spawn(move || {
                for turn in 0..500 {
                    let log = loggers.get("shared").child(&format!("{}", turn % 50));
                    loggers.set(&format!("shared.{thread}"), Level::ALL[turn % 5]).unwrap();
                    log.info("x");
                    assert!(!loggers.list().is_empty());
                }
            });
        }
    });
    loggers.set("shared*", Level::Error).unwrap();
    loggers.reset_all();
    assert_eq!(loggers.get("shared.3").level(), Level::Info);
}
