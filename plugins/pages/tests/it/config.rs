//! Tests of the config page: the value in force for each key, its origin, and what is masked.

use cninfra::{
    config::{Config, Live, Secret},
    http::{
        Http,
        testing::{Client, InProcess},
    },
    metrics::Format,
    prelude::*,
};
use cninfra_pages::Pages;
use cninfra_rest::Rest;
use cninfra_testbed::{DEADLINE, Folder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    user: String,
    retries: u8,
    password: Secret,
    pin: Secret<u32>,
    tokens: Vec<Secret>,
    by_host: BTreeMap<String, Secret>,
    login: Login,
    logins: Vec<Login>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Login {
    #[default]
    None,
    Key(Secret),
    Basic {
        user: String,
        pass: Secret,
    },
}

#[plugin(no_lifecycle)]
pub struct Following {
    #[config]
    pub config: Live<AccessConfig>,
}

#[plugin(no_lifecycle)]
pub struct Fixed {
    #[config]
    _config: AccessConfig,
}

#[derive(Flavor)]
struct App {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    pages: Dep<Pages>,
    following: Dep<Following>,
    fixed: Option<Dep<Fixed>>,
}

const SECRET: &str = "hunter2";
/// The beginning of all secret numbers: longer than the fractional part of a time's seconds, so that it cannot occur by
/// chance.
const PIN: &str = "4711471";
const ALL: &str = "user: bob\nretries: 3\npassword: hunter2\npin: 4711471147\ntokens: [hunter2, hunter2]\nby-host: {a.b: hunter2}\n\
    login: {Key: hunter2}\nlogins: [None, {Basic: {user: eve, pass: hunter2}}]\n";

async fn start(folder: &Folder) -> (Agent<App>, Client) {
    let http = Arc::new(InProcess::default());
    let config = Config::new().set("agent", "config-poll-interval", "100ms").set("fixed", "user", "eve");
    let builder = Agent::<App>::builder().config(config).config_dir(folder.path()).bind::<dyn Http>(http.clone());
    (builder.start().await.unwrap(), http.client())
}

async fn section(client: &Client, name: &str) -> Value {
    let all: Value = client.get("/agent/config").await.json();
    all["sections"].as_array().unwrap().iter().find(|section| section["name"] == name).unwrap().clone()
}

async fn assert_nothing_leaks(client: &Client) {
    for path in ["config", "status", "graph", "timeline"] {
        for form in ["html", "json"] {
            let answer = client.get(&format!("/agent/{path}?format={form}")).await;
            assert_eq!(answer.status, 200, "{path} {form}");
            assert!(!answer.text().contains(SECRET) && !answer.text().contains(PIN), "{path}: {}", answer.text());
        }
    }
}

/// Requests the section until the condition holds.
async fn wait_for(client: &Client, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let section = section(client, name).await;
        if is_it(&section) {
            return section;
        }
        assert!(began.elapsed() < DEADLINE, "{section}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_has_its_origin_and_secrets_are_masked_wherever_they_are() {
    let folder = Folder::new();
    folder.write("following.conf", &ALL.replace("4711471147", "47114711"));
    let (agent, client) = start(&folder).await;
    let file = format!("{}/following.conf", folder.path().display());
    let value = |key: &str, value: Value, line: u32, secret: bool| json!({ "key": key, "value": value, "origin": format!("{file}:{line}:1"), "secret": secret });
    let mut told = section(&client, "following").await;
    let by_host = told["values"].as_array_mut().unwrap().remove(7);
    let limits = json!({ "create": "15s", "init": "15s", "after-init": "15s", "drain": "2s500ms", "close": "2s500ms" });
    let limits = json!({ "key": "limits", "value": limits, "origin": "default", "secret": false });
    let expected = json!({ "name": "following", "outdated": false, "values": [
        json!({ "key": "start-policy", "value": "fail", "origin": "default", "secret": false }),
        limits.clone(),
        value("user", "bob".into(), 1, false),
        value("retries", 3.into(), 2, false),
        value("password", "***".into(), 3, true),
        value("pin", "***".into(), 4, true),
        value("tokens", json!(["***", "***"]), 5, true),
        value("login", json!({ "Key": "***" }), 7, true),
        value("logins", json!(["None", { "Basic": { "user": "eve", "pass": "***" } }]), 8, true),
    ]});
    assert_eq!(told, expected);
    let expected =
        json!({ "key": "by-host.\"a.b\"", "value": "***", "origin": format!("{file}:6:11"), "secret": true });
    assert_eq!(by_host, expected);
    let fixed = section(&client, "fixed").await;
    let first: Vec<&Value> = fixed["values"].as_array().unwrap().iter().take(5).collect();
    let values = [
        json!({ "key": "enabled", "value": true, "origin": "default", "secret": false }),
        json!({ "key": "start-policy", "value": "fail", "origin": "default", "secret": false }),
        limits,
        json!({ "key": "user", "value": "eve", "origin": "set by the program", "secret": false }),
        json!({ "key": "retries", "value": 0, "origin": "default", "secret": false }),
    ];
    assert_eq!(first, values.iter().collect::<Vec<_>>());
    let page = client.get("/agent/config?format=html").await;
    for part in [
        format!("<tr><td><code>user</code></td><td class=\"text\"><code>bob</code></td><td class=\"text\">{file}:1:1</td></tr>"),
        "<code>***</code> <span class=\"dim\">a secret</span>".to_string(),
        "<tr class=\"default\"><td><code>retries</code></td><td class=\"text\"><code>0</code></td><td class=\"text\">default</td></tr>".to_string(),
    ] {
        assert!(page.text().contains(&part), "{part}: {}", page.text());
    }
    assert_nothing_leaks(&client).await;
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn they_follow_the_files_and_tell_what_a_new_start_would_see() {
    let folder = Folder::new();
    folder.write("following.conf", "user: bob");
    folder.write("fixed.conf", "retries: 1\npassword: hunter2");
    let (agent, client) = start(&folder).await;
    let retries =
        |section: &Value| section["values"].as_array().unwrap().iter().find(|v| v["key"] == "retries").cloned();
    folder.write("following.conf", "user: bob\nretries: 7");
    let followed = wait_for(&client, "following", |section| retries(section).unwrap()["value"] == 7).await;
    assert!(retries(&followed).unwrap()["origin"].as_str().unwrap().ends_with("following.conf:2:1"), "{followed}");
    assert_eq!((&followed["outdated"], agent.following.config.get().retries), (&json!(false), 7));
    // A section that does not follow its file keeps the values that the plugin was created with.
    folder.write("fixed.conf", "retries: 2\npassword: hunter22");
    let fixed = wait_for(&client, "fixed", |section| section["outdated"] == true).await;
    assert_eq!(retries(&fixed).unwrap()["value"], 1);
    let page = client.get("/agent/config?format=html").await;
    assert_eq!(page.text().matches("a new start of the agent will see it").count(), 1, "{}", page.text());
    folder.write("fixed.conf", "retries: 1\npassword: hunter2");
    wait_for(&client, "fixed", |section| section["outdated"] == false).await;
    assert_nothing_leaks(&client).await;
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_without_the_secret() {
    let folder = Folder::new();
    folder.write("following.conf", "user: bob");
    let (agent, client) = start(&folder).await;
    folder.write("following.conf", "user: eve\npin: hunter2");
    let began = Instant::now();
    let status: Value = loop {
        let status: Value = client.get("/agent/status").await.json();
        if status["state"] == "degraded" {
            break status;
        }
        assert!(began.elapsed() < DEADLINE, "{status}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let following = status["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "following").unwrap();
    let reason = following["reason"].as_str().unwrap();
    assert!(reason.contains("following.conf:2:6: key `following.pin`"), "{reason}");
    // The valid values are still in force.
    assert_eq!(section(&client, "following").await["values"][2]["value"], "bob");
    assert_nothing_leaks(&client).await;
    agent.close().await.unwrap();
}

/// Also for sections that follow no file, and so do not change a plugin's state: the next start would fail with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_files_by_now_is_told_until_it_is_mended() {
    let folder = Folder::new();
    folder.write("fixed.conf", "retries: 1");
    let (agent, client) = start(&folder).await;
    let mistakes = async || client.get("/agent/config").await.json::<Value>()["mistakes"].clone();
    let until = async |is_it: &dyn Fn(&Value) -> bool| {
        let began = Instant::now();
        loop {
            let told = mistakes().await;
            if is_it(&told) {
                return told;
            }
            assert!(began.elapsed() < DEADLINE, "{told}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let valid = || {
        let text = agent.metrics().expose(Format::Text).text;
        text.lines().find_map(|line| line.strip_prefix("agent_config_valid ").map(str::to_string))
    };
    assert_eq!((mistakes().await, valid().as_deref()), (json!([]), Some("1")));
    folder.write("fixed.conf", "retries: 1\npin: hunter2\nusre: eve");
    let told = until(&|told| told != &json!([])).await;
    let told: Vec<_> = told.as_array().unwrap().iter().map(|mistake| mistake.as_str().unwrap()).collect();
    let has = |at: usize, part: &str| told[at].contains(part);
    assert!(told.len() == 2 && has(0, "fixed.conf:2:6: key `fixed.pin`") && has(1, "did you mean `user`?"), "{told:?}");
    assert_eq!(valid().as_deref(), Some("0"));
    let page = client.get("/agent/config?format=html").await;
    assert!(page.text().contains("are not valid") && page.text().contains("fixed.conf:3:1: "), "{}", page.text());
    assert_nothing_leaks(&client).await;
    folder.write("fixed.conf", "retries: 1");
    until(&|told| told == &json!([])).await;
    assert_eq!(valid().as_deref(), Some("1"));
    // Or it is fixed by a new valid text.
    folder.write("fixed.conf", "retries: x");
    until(&|told| told != &json!([])).await;
    folder.write("fixed.conf", "retries: 2");
    until(&|told| told == &json!([])).await;
    agent.close().await.unwrap();
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OddConfig {
    #[serde(serialize_with = "panics")]
    value: u8,
}

fn panics<S: serde::Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
    panic!("it cannot be written")
}

#[plugin(no_lifecycle)]
pub struct Odd {
    #[config]
    _config: OddConfig,
}

#[derive(Flavor)]
struct OddApp {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    pages: Dep<Pages>,
    odd: Dep<Odd>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_section_that_panics_takes_nothing_else_along() {
    let http = Arc::new(InProcess::default());
    let agent = Agent::<OddApp>::builder().bind::<dyn Http>(http.clone()).start().await.unwrap();
    for _ in 0..3 {
        let call = async { http.client().get("/agent/config").await };
        let answer = tokio::time::timeout(DEADLINE, call).await.expect("its turn");
        assert_eq!(answer.status, 200);
        let odd = section(&http.client(), "odd").await;
        let keys: Vec<_> = odd["values"].as_array().unwrap().iter().map(|value| value["key"].clone()).collect();
        assert_eq!(keys, ["start-policy", "limits"], "its own is not shown");
        assert_eq!(section(&http.client(), "agent").await["values"][0]["value"], "vpp1");
    }
    assert_eq!(http.client().get("/agent/graph?format=html").await.status, 200);
    agent.close().await.unwrap();
}
