//! Live sections, which follow their files.

use cninfra::{
    agent::Outcome,
    config::{Changes, Config, Live, Secret},
    logging::{Level, LogSettings},
    prelude::*,
    status::{AgentStatus, State},
    testing::Conformance,
};
use cninfra_testbed::Folder;
use serde::{Deserialize, Deserializer, Serialize};
use std::{
    cell::{Cell, RefCell},
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::time::{sleep, timeout};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pair {
    pub(super) a: u32,
    /// Always twice `a`, unless a file is wrong.
    b: u32,
    #[serde(deserialize_with = "not_thirteen")]
    luck: u32,
    password: Secret,
}

fn not_thirteen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    assert!(number != 13, "unlucky");
    Ok(number)
}

#[plugin(name = "follower")]
pub struct Follower {
    #[config]
    pub(super) config: Live<Pair>,
    #[context]
    pub(super) cx: Context,
}

#[plugin(name = "fixed")]
pub struct Fixed {
    #[config]
    config: Pair,
}

#[derive(Flavor)]
pub(super) struct App {
    pub(super) follower: Dep<Follower>,
    fixed: Dep<Fixed>,
}

pub(super) async fn start(dir: &Path) -> Agent<App> {
    let config = Config::new().set("agent", "config-poll-interval", "100ms");
    Agent::<App>::builder().config(config).config_dir(dir).start().await.unwrap()
}

/// Waits for this state of the follower.
async fn state(agent: &Agent<App>, wanted: State) -> AgentStatus {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let status = agent.follower.cx.status().agent();
        if status.plugins.iter().any(|plugin| plugin.name == "follower" && plugin.state == wanted) {
            return status;
        }
        assert!(Instant::now() < until, "{status:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn next(changes: &mut cninfra::config::Changes<Pair>) -> Arc<Pair> {
    timeout(Duration::from_secs(20), changes.next()).await.expect("a change in time").expect("the agent is there")
}

#[tokio::test]
async fn a_change_is_seen_by_all_who_look() {
    let folder = Folder::new();
    folder.write("follower.conf", "a: 1\nb: 2");
    let agent = start(folder.path()).await;
    let config = agent.follower.config.clone();
    assert_eq!((config.get().a, config.get().b), (1, 2));
    let mut changes = config.changes();
    folder.write("follower.conf", "A: 2\nb: 4");
    let seen = next(&mut changes).await;
    assert_eq!((seen.a, seen.b), (2, 4));
    assert!(Arc::ptr_eq(&seen, &config.get()) && Arc::ptr_eq(&seen, &agent.follower.config.get()));
    // Another text with the same values is no change.
    folder.write("follower.conf", "# said in another way\nA: 2\nb: 4\n");
    // The change of this other file is taken over together with it, or later.
    folder.write("logs.conf", "default-level: debug");
    let taken = async {
        while agent.loggers().level("default").level != Level::Debug {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taken).await.unwrap();
    assert!(Arc::ptr_eq(&seen, &config.get()));
    // A file that was not there before.
    folder.write("agent.yaml", "follower: {password: x}");
    assert_eq!(next(&mut changes).await.password.reveal(), "x");
    let ended = tokio::spawn(async move { changes.next().await.is_none() });
    agent.close().await.unwrap();
    assert!(timeout(Duration::from_secs(5), ended).await.expect("in time").unwrap(), "the agent has stopped");
}

thread_local! {
    /// The changes that a plugin has passed on before its start failed.
    static GIVEN: Cell<Option<Changes<Pair>>> = const { Cell::new(None) };
}

/// Follows its section as the documentation describes.
#[plugin]
struct Following {
    #[config]
    config: Live<Pair>,
}

impl Lifecycle for Following {
    async fn init(&self, cx: &Context) -> Result<()> {
        let (log, mut changes) = (cx.log(), self.config.changes());
        cx.spawn("follow the config", async move {
            while let Some(config) = changes.next().await {
                log.info(format_args!("it is {} from now on", config.a));
            }
        });
        GIVEN.set(Some(self.config.changes()));
        if self.config.get().a == 7 { Err(Error::msg("seven is out").with_help("take eight")) } else { Ok(()) }
    }
}

#[derive(Flavor)]
struct Lone {
    following: Dep<Following>,
}

#[test]
fn a_task_that_follows_ends_by_itself() {
    Conformance::of("following", Agent::<Lone>::builder).blocks_after(Duration::from_secs(5)).check();
}

#[tokio::test]
async fn following_ends_with_the_agent_however_that_ends() {
    for end in ["close", "drop", "failed start"] {
        let a = if end == "failed start" { 7 } else { 1 };
        let started = Agent::<Lone>::builder().config(Config::new().set("following", "a", a)).start().await;
        match (started, end) {
            (Ok(agent), "close") => drop(agent.close().await.unwrap()),
            (Ok(agent), "drop") => drop(agent),
            (started, _) => assert!(started.is_err()),
        }
        let next = timeout(Duration::from_secs(5), GIVEN.take().unwrap().next()).await;
        assert!(matches!(next, Ok(None)), "{end}");
    }
}

#[tokio::test]
async fn the_swap_of_a_link_is_seen() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    for (version, text) in [("..v1", "a: 1\nb: 2"), ("..v2", "a: 2\nb: 4")] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("follower.conf"), text).unwrap();
    }
    symlink("..v1", at("..data")).unwrap();
    symlink("..data/follower.conf", at("follower.conf")).unwrap();
    let agent = start(folder.path()).await;
    let mut changes = agent.follower.config.changes();
    // As Kubernetes updates a mounted volume.
    symlink("..v2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    assert_eq!(next(&mut changes).await.b, 4);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn an_invalid_file_changes_nothing_and_is_reported() {
    let folder = Folder::new();
    folder.write("follower.conf", "a: 1\nb: 2");
    folder.write("fixed.conf", "a: 1");
    let agent = start(folder.path()).await;
    let config = agent.follower.config.clone();
    let before = config.get();
    // In any file, and for any kind of mistake.
    for (name, wrong, right, part) in [
        ("follower.conf", "a: 5\nb: x", "a: 1\nb: 2", "follower.conf:2:4: key `follower.b` takes a whole number"),
        ("follower.conf", "a: [", "a: 1\nb: 2", "follower.conf:2:1: it is not valid YAML"),
        ("fixed.conf", "c: 5", "a: 1", "fixed.conf:1:1: key `fixed.c` is unknown"),
        ("agent.yaml", "nosuch: {}", "", "agent.yaml:1:1: there is no section `nosuch`"),
    ] {
        let wrote = SystemTime::now();
        folder.write(name, wrong);
        let status = state(&agent, State::Degraded).await;
        let follower = status.plugins.iter().find(|plugin| plugin.name == "follower").unwrap();
        let reason = follower.reason.as_deref().unwrap();
        assert!(reason.starts_with("its new config is not valid: ") && reason.contains(part), "{reason}");
        assert!(status.is_ready() && follower.since >= wrote, "it works on, degraded since then: {follower:?}");
        folder.write(name, right);
        state(&agent, State::Ok).await;
        assert!(Arc::ptr_eq(&before, &config.get()), "{name}: {wrong}");
    }
    fs::remove_file(folder.path().join("follower.conf")).unwrap();
    let status = state(&agent, State::Degraded).await;
    assert!(
        format!("{status:?}").contains("follower.conf: the file is gone: its previous values stay in force"),
        "{status:?}"
    );
    assert!(Arc::ptr_eq(&before, &config.get()));
    folder.write("follower.conf", "a: 3\nb: 6");
    state(&agent, State::Ok).await;
    assert_eq!(config.get().a, 3);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_section_that_does_not_follow_stays() {
    let folder = Folder::new();
    folder.write("fixed.conf", "a: 1");
    let agent = start(folder.path()).await;
    let mut changes = agent.follower.config.changes();
    folder.write("fixed.conf", "a: 2");
    folder.write("follower.conf", "a: 2");
    assert_eq!((next(&mut changes).await.a, agent.fixed.config.a), (2, 1));
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_new_secret_is_seen() {
    let folder = Folder::new();
    folder.write("secret", "old\n");
    folder.write("follower.conf", "password-file: secret");
    let agent = start(folder.path()).await;
    let mut changes = agent.follower.config.changes();
    assert_eq!(agent.follower.config.get().password.reveal(), "old");
    folder.write("secret", "new\n");
    assert_eq!(next(&mut changes).await.password.reveal(), "new");
    agent.close().await.unwrap();
}

#[tokio::test]
async fn the_levels_of_loggers_follow_their_file() {
    let folder = Folder::new();
    folder.write("logs.conf", "default-level: warn\nloggers: [{name: fixed, level: debug}]");
    let config = Config::new().set("agent", "config-poll-interval", "100ms").set("logs", "levels", "other=error");
    let levels = LogSettings::new().level("follower", Level::Error).unwrap();
    let builder = Agent::<App>::builder().config(config).config_dir(folder.path()).log_settings(&levels);
    let agent = builder.start().await.unwrap();
    let loggers = agent.loggers();
    let level = |name: &str| loggers.level(name).level;
    let until = async |name: &str, wanted: Level| {
        let begun = Instant::now();
        while level(name) != wanted {
            assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {loggers:?}");
            sleep(Duration::from_millis(5)).await;
        }
    };
    loggers.set("probe", Level::Trace).unwrap();
    assert_eq!((level("fixed"), level("default"), level("probe")), (Level::Debug, Level::Warn, Level::Trace));
    // A level that the file no longer sets is removed. A level from another source stays.
    folder.write("logs.conf", "default-level: error\nloggers: [{name: 'f*', level: info}, {name: probe, level: warn}]");
    until("default", Level::Error).await;
    assert_eq!((level("fixed"), level("follower"), level("probe")), (Level::Info, Level::Info, Level::Trace));
    assert_eq!(level("other"), Level::Error);
    assert!(loggers.level("fixed").origin.place.unwrap().ends_with("logs.conf:2:24"));
    loggers.reset("probe").unwrap();
    assert_eq!(level("probe"), Level::Warn);
    // A file is refused as a whole, or taken over as a whole.
    folder.write("logs.conf", "default-level: trace\nhooks: {syslog: {}}");
    state(&agent, State::Degraded).await;
    assert_eq!(level("default"), Level::Error);
    folder.write("logs.conf", "");
    until("default", Level::Info).await;
    assert_eq!(level("follower"), Level::Error, "what the program said is there again");
    agent.close().await.unwrap();
}

/// Replaces a file again and again, with a wrong one every tenth time: the value in force is always one of the right
/// ones. (A file that is written in place is taken over when it has not changed for two looks. That is tested beside
/// the code, where no busy machine comes between two writes.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_wrong_ever_holds_in_a_storm() {
    let folder = Folder::new();
    folder.write("follower.conf", "a: 1\nb: 2");
    let agent = start(folder.path()).await;
    let config = agent.follower.config.clone();
    let (path, beside) = (folder.path().join("follower.conf"), folder.path().join("follower.new"));
    let writer = tokio::task::spawn_blocking(move || {
        for n in (1..=1000_u32).chain([2001]) {
            let b = if n % 10 == 0 { "none".to_string() } else { (2 * n).to_string() };
            fs::write(&beside, format!("a: {n}\nb: {b}\n")).unwrap();
            fs::rename(&beside, &path).unwrap();
            // Now and then long enough for the file to be taken over.
            std::thread::sleep(Duration::from_millis(if n % 100 == 1 { 300 } else { 1 }));
        }
    });
    let (mut looks, mut values) = (0, std::collections::BTreeSet::new());
    let until = Instant::now() + Duration::from_secs(60);
    while config.get().a != 2001 {
        let now = config.get();
        assert!(now.a > 0 && now.b == 2 * now.a && now.a % 10 != 0, "{now:?}");
        looks += 1;
        values.insert(now.a);
        assert!(Instant::now() < until, "{now:?}");
        sleep(Duration::from_millis(1)).await;
    }
    writer.await.unwrap();
    assert!(looks > 100 && values.len() > 3, "{looks} {values:?}");
    agent.close().await.unwrap();
}

/// Follows its section in a task, as the documentation describes.
#[plugin]
pub struct Talker {
    #[config]
    config: Live<Pair>,
}

impl Lifecycle for Talker {
    async fn init(&self, cx: &Context) -> Result<()> {
        let mut changes = self.config.changes();
        cx.spawn("follow the config", async move { while changes.next().await.is_some() {} });
        Ok(())
    }
}

#[derive(Flavor)]
struct Talk {
    talker: Dep<Talker>,
}

#[tokio::test]
async fn who_follows_to_the_end_is_not_left_behind() {
    let agent = Agent::<Talk>::builder().record_events(true).start().await.unwrap();
    let events = agent.close().await.unwrap();
    assert!(!events.is_empty() && events.iter().all(|event| event.outcome == Outcome::Done), "{events:?}");
    // A receiver of changes that is kept does not block the close.
    let agent = Agent::<Talk>::start().await.unwrap();
    let kept = agent.talker.config.changes();
    timeout(Duration::from_secs(5), agent.close()).await.unwrap().unwrap();
    drop(kept);
}

#[tokio::test]
async fn without_an_agent_it_is_a_value() {
    let live = Live::new(Pair { a: 1, ..Pair::default() });
    let mut changes = live.changes();
    live.set(Pair { a: 2, ..Pair::default() });
    assert_eq!((changes.next().await.unwrap().a, live.get().a), (2, 2));
    assert!(timeout(Duration::from_millis(20), changes.next()).await.is_err(), "seen once");
}

#[tokio::test]
async fn two_agents_of_one_config_do_not_share_their_sections() {
    let (here, there) = (Folder::new(), Folder::new());
    let config = Config::new().set("agent", "config-poll-interval", "100ms");
    let make = |folder: &Folder| Agent::<App>::builder().config(config.clone()).config_dir(folder.path());
    let (one, other) = (make(&here).start().await.unwrap(), make(&there).start().await.unwrap());
    let mut changes = one.follower.config.changes();
    here.write("follower.conf", "a: 9");
    assert_eq!(next(&mut changes).await.a, 9);
    assert_eq!(other.follower.config.get().a, 0);
    one.close().await.unwrap();
    there.write("follower.conf", "a: 8");
    assert_eq!(next(&mut other.follower.config.changes()).await.a, 8, "it still follows its own");
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_type_that_panics_where_it_is_read_again_is_refused_and_following_goes_on() {
    let folder = Folder::new();
    folder.write("follower.conf", "a: 1\nb: 2");
    let agent = start(folder.path()).await;
    folder.write("follower.conf", "a: 2\nb: 4\nluck: 13");
    let status = state(&agent, State::Degraded).await;
    let reason = status.plugins.iter().find_map(|plugin| plugin.reason.clone()).unwrap();
    assert!(reason.contains("follower.conf:3:7: key `follower.luck`: reading it panicked: unlucky"), "{reason}");
    assert_eq!(agent.follower.config.get().a, 1);
    folder.write("follower.conf", "a: 3\nb: 6");
    state(&agent, State::Ok).await;
    assert_eq!(agent.follower.config.get().a, 3);
    agent.close().await.unwrap();
}

thread_local! {
    static SECRET: RefCell<PathBuf> = RefCell::default();
}

/// The file of its secret changes during its `init`.
#[plugin]
struct Rotated {
    #[config]
    config: Live<Pair>,
}
impl Lifecycle for Rotated {
    async fn init(&self, _: &Context) -> Result<()> {
        assert_eq!(self.config.get().password.reveal(), "old");
        SECRET.with_borrow(|file| fs::write(file, "new\n"))?;
        Ok(())
    }
}
#[derive(Flavor)]
struct Rotates {
    rotated: Dep<Rotated>,
}

#[tokio::test]
async fn a_secret_that_changes_while_the_agent_starts_is_seen() {
    let folder = Folder::new();
    folder.write("secret", "old\n");
    folder.write("rotated.conf", "password-file: secret");
    SECRET.set(folder.path().join("secret"));
    let config = Config::new().set("agent", "config-poll-interval", "100ms");
    let agent = Agent::<Rotates>::builder().config(config).config_dir(folder.path()).start().await.unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while agent.rotated.config.get().password.reveal() != "new" {
        assert!(Instant::now() < until, "it is not seen");
        sleep(Duration::from_millis(5)).await;
    }
    agent.close().await.unwrap();
}
