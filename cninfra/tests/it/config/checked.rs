//! Sections with checks of their own.

use cninfra::{
    config::{Config, Duration, Invalid, Live, Secret},
    prelude::*,
    status::State,
};
use cninfra_testbed::Folder;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use tokio::time::timeout;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Range {
    min: u32,
    max: u32,
    inner: Inner,
    token: Secret,
    steps: Vec<Size>,
    mode: Mode,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Size {
    size: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    #[default]
    Free,
    Fixed(Size),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inner {
    read_time: Duration,
}

impl Range {
    fn check(&self) -> std::result::Result<(), Invalid> {
        let min = (self.min > self.max).then(|| Invalid::key("min", "is above `max`").help("swap them"));
        let time = (*self.inner.read_time > std::time::Duration::from_secs(60))
            .then(|| Invalid::key("inner.read_time", "is more than a minute"));
        let steps = self.steps.iter().enumerate().filter(|(_, step)| step.size > 9);
        let steps = steps.map(|(at, _)| Invalid::key(format!("steps[{at}].size"), "is more than 9"));
        let mode = matches!(&self.mode, Mode::Fixed(Size { size: 10.. }))
            .then(|| Invalid::key("mode.fixed.size", "is more than 9"));
        let token = (self.token.reveal() == "short").then(|| Invalid::key("token", "is too short"));
        Invalid::all(min.into_iter().chain(time).chain(steps).chain(mode).chain(token))
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Needy {
    endpoint: String,
}

fn has_endpoint(needy: &Needy) -> std::result::Result<(), Invalid> {
    if needy.endpoint.is_empty() { Err(Invalid::key("endpoint", "is needed")) } else { Ok(()) }
}

#[plugin(name = "ranger", no_lifecycle)]
pub struct Ranger {
    #[config(check = Range::check)]
    config: Live<Range>,
}

#[plugin(name = "needy")]
pub struct Needs {
    #[config(check = has_endpoint)]
    _config: Needy,
}

#[derive(Flavor)]
struct App {
    ranger: Dep<Ranger>,
    needy: Option<Dep<Needs>>,
}

fn config() -> Config {
    Config::new().set("needy", "endpoint", "x").set("agent", "config-poll-interval", "100ms")
}

async fn wrong(folder: &Folder, config: Config) -> Vec<String> {
    let started = Agent::<App>::builder().config(config).config_dir(folder.path()).start().await;
    let dir = format!("{}/", folder.path().display());
    let cause = |error: &cninfra::agent::PluginError| {
        let cninfra::agent::Cause::Config(error) = &error.cause else { panic!("{error:?}") };
        let help = error.help().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{error}{help}").replace(&dir, "")
    };
    match started {
        Ok(agent) => {
            agent.close().await.unwrap();
            Vec::new()
        }
        Err(error) => error.errors.iter().map(cause).collect(),
    }
}

#[tokio::test]
async fn what_a_section_finds_wrong_itself_is_told_with_its_place() {
    let folder = Folder::new();
    folder.write("ranger.conf", "max: 1\ninner:\n  ReadTime: 2m\nmin: 2");
    let time = "ranger.conf:3:13: key `ranger.inner.read_time` is more than a minute";
    assert_eq!(wrong(&folder, config()).await, [time, "ranger.conf:4:6: key `ranger.min` is above `max` | swap them"]);
    // A missing key is reported at the mapping that it belongs to.
    folder.write("ranger.conf", "min: 1");
    assert_eq!(wrong(&folder, config()).await, ["ranger.conf:1:6: key `ranger.min` is above `max` | swap them"]);
    // If a value cannot be read, that is the only mistake.
    folder.write("ranger.conf", "min: 2\nmax: x");
    let words = wrong(&folder, config()).await;
    assert!(words.len() == 1 && words[0].starts_with("ranger.conf:2:6: key `ranger.max` takes"), "{words:?}");
    folder.write("ranger.conf", "min: 1\nmax: 1");
    assert_eq!(wrong(&folder, config()).await, [""; 0]);
}

#[tokio::test]
async fn a_check_is_asked_where_only_keys_are_unknown() {
    let folder = Folder::new();
    folder.write("ranger.conf", "min: 2\nmax: 1\nfoo: 1\ninner: {bar: 1, read-time: 2m}");
    let words = wrong(&folder, config()).await;
    let of = |text: &str| words.iter().filter(|told| told.contains(text)).count();
    let told =
        ["`ranger.foo` is unknown", "`ranger.inner.bar` is unknown", "`ranger.min` is above", "more than a minute"];
    assert_eq!((words.len(), told.map(of)), (4, [1; 4]), "{words:?}");
    // A mistake whose text names the misspelled key is not reported.
    folder.write("ranger.conf", "min: 2\nmx: 3\ninner: {read-time: 2m}");
    let words = wrong(&folder, config()).await;
    assert!(words.len() == 2 && words[0].contains("did you mean `max`"), "{words:?}");
    assert!(words[1].contains("more than a minute"), "{words:?}");
}

#[tokio::test]
async fn a_check_is_asked_of_what_is_overridden() {
    let folder = Folder::new();
    let over = |program: &[(&str, &str)]| {
        program.iter().fold(config(), |config, (key, value)| config.set("ranger", key, value))
    };
    // Files override what the program sets.
    let time = "set by the program: key `ranger.inner.read_time` is more than a minute";
    let min = "set by the program: key `ranger.min` is above `max` | swap them";
    folder.write("ranger.conf", "inner: {read-time: 1s}\nmin: 1\nmax: 2");
    assert_eq!(wrong(&folder, over(&[("inner.read-time", "2m"), ("min", "3")])).await, [min, time]);
    // A value may fit beside another overridden one, or beside the one that overrides that.
    assert_eq!(wrong(&folder, over(&[("min", "3"), ("max", "4")])).await, [""; 0]);
    folder.write("ranger.conf", "min: 4\nmax: 5");
    assert_eq!(wrong(&folder, over(&[("min", "3")])).await, [""; 0]);
    // A value that is in force is reported once.
    folder.write("ranger.conf", "min: 4\nmax: 2");
    let words = wrong(&folder, over(&[("min", "3"), ("max", "5")])).await;
    let holds = "ranger.conf:1:6: key `ranger.min` is above `max` | swap them";
    assert_eq!(words, [holds]);
}

#[tokio::test]
async fn a_check_is_asked_of_what_is_overridden_with_all_that_it_is_in() {
    let folder = Folder::new();
    folder.write("ranger.conf", "steps: [{size: 1}, {size: 11}, {size: 2}]\nmode: free");
    let steps = config().set("ranger", "steps", "[{size: 10}, {}, {size: 9}]").set("ranger", "mode.fixed.size", 10);
    let found = wrong(&folder, steps).await;
    let expected = [
        "ranger.conf:1:27: key `ranger.steps[1].size` is more than 9",
        "set by the program: key `ranger.steps[0].size` is more than 9",
        "set by the program: key `ranger.mode.fixed.size` is more than 9",
    ];
    assert_eq!(found, expected);
    // A shorter list, and an empty one.
    folder.write("ranger.conf", "steps: []\nmode: {fixed: {size: 1}}");
    let found =
        wrong(&folder, config().set("ranger", "steps", "[{}, {size: 10}]").set("ranger", "mode.fixed.size", 10)).await;
    assert_eq!(found, ["set by the program: key `ranger.steps[1].size` is more than 9", expected[2]]);
}

#[tokio::test]
async fn a_check_is_asked_of_what_is_overridden_beside_the_file_of_a_secret() {
    let folder = Folder::new();
    folder.write("token", "short");
    folder.write("ranger.conf", "token: long\nmin: 1\nmax: 2");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let over = |name: &str| config().set("ranger", "token-file", file(name)).set("ranger", "min", 3);
    let token = "set by the program: key `ranger.token` is too short";
    assert_eq!(
        wrong(&folder, over("token")).await,
        ["set by the program: key `ranger.min` is above `max` | swap them", token]
    );
    // A missing file is no mistake if it is overridden. Then nothing can be said about the values beside it.
    assert_eq!(wrong(&folder, over("nosuch")).await, [""; 0]);
}

#[tokio::test]
async fn a_section_may_need_a_key() {
    let folder = Folder::new();
    assert_eq!(wrong(&folder, Config::new()).await, ["default: key `needy.endpoint` is needed"]);
    // Without any config.
    let started = Agent::<App>::start().await;
    assert!(started.is_err_and(|error| format!("{error:?}").contains("key `needy.endpoint` is needed")));
    // A plugin that is switched off needs no key.
    assert_eq!(wrong(&folder, Config::new().set("needy", "enabled", false)).await, [""; 0]);
}

#[tokio::test]
async fn what_a_section_finds_wrong_is_not_taken_in() {
    let folder = Folder::new();
    folder.write("ranger.conf", "min: 1\nmax: 2");
    let agent = Agent::<App>::builder().config(config()).config_dir(folder.path()).start().await.unwrap();
    let mut changes = agent.ranger.config.changes();
    folder.write("ranger.conf", "min: 3\nmax: 2");
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(agent.ranger.config.get().min, 1);
    folder.write("ranger.conf", "min: 3\nmax: 4");
    let next = timeout(std::time::Duration::from_secs(20), changes.next()).await.expect("in time").unwrap();
    assert_eq!((next.min, next.max), (3, 4));
    agent.close().await.unwrap();
}

#[tokio::test]
async fn the_agents_own_keys_are_checked() {
    let folder = Folder::new();
    let own = |key: &str, value: &str| config().set("agent", key, value);
    let at_once = "is less than any plugin takes: each would be over its limit at once | such as `15s`";
    for key in ["start-timeout", "stop-timeout", "plugin-start-timeout", "plugin-stop-timeout"] {
        let words = wrong(&folder, own(key, "0s")).await;
        assert_eq!(words, [format!("set by the program: key `agent.{key}` {at_once}")]);
    }
    let words = wrong(&folder, own("drain-delay", "2h")).await;
    let hour = "is more than an hour, in which the agent would go on although it is to stop";
    assert_eq!(words, [format!("set by the program: key `agent.drain-delay` {hour}")]);
    let words = wrong(&folder, own("config-poll-interval", "99ms")).await;
    let busy = "is less than 100ms: reading the files would keep a processor busy | such as `2s`, or `0` to look at them after SIGHUP only";
    assert_eq!(words, [format!("set by the program: key `agent.config-poll-interval` {busy}")]);
    for (section, key) in [("agent", "limits.init"), ("ranger", "limits.close")] {
        let words = wrong(&folder, config().set(section, key, "15ns")).await;
        let what = "15ns is less than any plugin takes: it would be over its limit at once";
        assert_eq!(words, [format!("set by the program: key `{section}.{key}`: {what}")]);
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Odd {
    number: u32,
}

impl Default for Odd {
    fn default() -> Self {
        assert!(!ENDLESS.get(), "no defaults");
        Odd { number: 0 }
    }
}

thread_local! {
    static ENDLESS: Cell<bool> = const { Cell::new(false) };
}

impl Odd {
    fn check(&self) -> std::result::Result<(), Invalid> {
        assert!(self.number != 13, "unlucky");
        Ok(())
    }
}

#[plugin(name = "odd", no_lifecycle)]
pub struct Oddity {
    #[config(check = Odd::check)]
    config: Live<Odd>,
}

#[derive(Flavor)]
pub struct Strange {
    odd: Dep<Oddity>,
}

#[tokio::test]
async fn a_check_that_panics_is_a_mistake() {
    let folder = Folder::new();
    let start = async || {
        let config = Config::new().set("agent", "config-poll-interval", "100ms");
        Agent::<Strange>::builder().config(config).config_dir(folder.path()).start().await
    };
    folder.write("odd.conf", "number: 13");
    let error = start().await.err().unwrap().to_string();
    assert!(error.contains("section `odd` cannot be checked: its check panicked: unlucky"), "{error}");
    ENDLESS.set(true);
    folder.write("odd.conf", "");
    let error = start().await.err().unwrap().to_string();
    assert!(error.contains("section `odd`: reading it panicked: no defaults"), "{error}");
    let error = Agent::<Strange>::start().await.err().unwrap().to_string();
    assert!(error.contains("section `odd`: making its defaults panicked: no defaults"), "{error}");
    ENDLESS.set(false);

    // The section still follows its file.
    folder.write("odd.conf", "number: 1");
    let agent = start().await.unwrap();
    let mut changes = agent.odd.config.changes();
    folder.write("odd.conf", "number: 13");
    while agent.status().state != State::Degraded {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    folder.write("odd.conf", "number: 2");
    let next = timeout(std::time::Duration::from_secs(20), changes.next()).await.unwrap().unwrap();
    assert_eq!(next.number, 2);
    agent.close().await.unwrap();
}
