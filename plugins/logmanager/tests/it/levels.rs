//! Tests of log levels over HTTP, which are compatible with the predecessor where that had them.

use cninfra::{
    config::Config,
    http::Http,
    logging::{Level, LogSettings},
    prelude::*,
};
use cninfra_logmanager::LogManager;
use cninfra_rest::Rest;
use cninfra_testbed::Answer;
use serde_json::{Value, json};
use std::net::SocketAddr;

#[plugin(no_lifecycle)]
pub struct Etcd {
    #[context]
    log: Logger,
}

#[derive(Flavor)]
pub struct Managed {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub logs: Dep<LogManager>,
    pub etcd: Dep<Etcd>,
}

/// An agent without a server.
#[derive(Flavor)]
pub struct Silent {
    pub logs: Dep<LogManager>,
}

pub fn config() -> Config {
    Config::new().set("http", "endpoint", "127.0.0.1:0")
}

async fn start() -> (Agent<Managed>, SocketAddr) {
    let levels = LogSettings::new().level("http", Level::Warn).unwrap();
    let agent = Agent::<Managed>::builder().config(config()).log_settings(&levels).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    (agent, addr)
}

async fn request(addr: SocketAddr, method: &'static str, path: &'static str) -> Answer {
    tokio::task::spawn_blocking(move || cninfra_testbed::request(addr, method, path)).await.unwrap()
}

async fn json(addr: SocketAddr, method: &'static str, path: &'static str) -> (u16, Value) {
    let answer = request(addr, method, path).await;
    assert_eq!(answer.header("content-type"), Some("application/json"), "{path}: {}", answer.body);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn loggers_are_listed() {
    let (agent, addr) = start().await;
    let answer = request(addr, "GET", "/log/list").await;
    // Indented by two spaces, as in the predecessor.
    assert!(answer.body.starts_with("[\n  {\n    \"logger\": \"agent\",\n    \"level\": \"info\""), "{}", answer.body);
    let list: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
    let levels: Vec<_> =
        list.iter().map(|of| (of["logger"].as_str().unwrap(), of["level"].as_str().unwrap())).collect();
    assert_eq!(levels, [("agent", "info"), ("etcd", "info"), ("http", "warn"), ("log-manager", "info")]);
    assert_eq!(list[2]["rule"], "http");
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_are_set_and_taken_back() {
    let (agent, addr) = start().await;
    for (path, level) in [
        ("/log/etcd/debug", "debug"),
        ("/log/etcd/WARN", "warn"),
        ("/log/etcd/Warning", "warn"),
        ("/log/etcd/trace", "trace"),
        ("/log/etcd/fatal", "error"),
    ] {
        let (status, body) = json(addr, "PUT", path).await;
        assert_eq!((status, &body["logger"], &body["level"]), (200, &json!("etcd"), &json!(level)), "{path}");
        assert_eq!(agent.etcd.log.level().as_str(), level);
    }
    let (status, body) = json(addr, "DELETE", "/log/etcd").await;
    assert_eq!((status, &body["level"]), (200, &json!("info")));
    assert_eq!(agent.etcd.log.level(), Level::Info);
    // For a logger that does not exist yet, and for all that a pattern matches.
    assert_eq!(json(addr, "PUT", "/log/etcd.watch/debug").await.0, 200);
    assert_eq!(agent.etcd.log.child("watch").level(), Level::Debug);
    assert_eq!(json(addr, "PUT", "/log/et*/error").await.0, 200);
    assert_eq!((agent.etcd.log.level(), agent.etcd.log.child("lease").level()), (Level::Error, Level::Error));
    let (status, list) = json(addr, "DELETE", "/log").await;
    assert_eq!((status, list.as_array().map(Vec::is_empty)), (200, Some(false)));
    assert_eq!(agent.etcd.log.level(), Level::Info);
    let (_, body) = json(addr, "GET", "/log/http").await;
    assert_eq!(body["level"], "warn", "what the program says holds again");
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_for_loggers_that_are_not_there_yet_is_listed() {
    let (agent, addr) = start().await;
    let listed = async || -> Vec<(String, bool)> {
        let (_, list) = json(addr, "GET", "/log/list").await;
        let of = |of: &Value| (of["logger"].as_str().unwrap().to_string(), of["remembered"] == json!(true));
        list.as_array().unwrap().iter().map(of).collect()
    };
    let there = listed().await;
    assert!(there.iter().all(|(_, remembered)| !remembered), "{there:?}");
    for (path, remembered) in [("/log/kafka/debug", true), ("/log/ka*/warn", true), ("/log/et*/debug", false)] {
        let (status, body) = json(addr, "PUT", path).await;
        assert_eq!((status, body["remembered"] == json!(true)), (200, remembered), "{body}");
    }
    let later = ["ka*", "kafka"].map(|name| (name.to_string(), true));
    assert_eq!(listed().await, [there.clone(), later.to_vec()].concat());
    // When the logger exists, it is listed like all others. The pattern still applies to none, since the name overrides
    // it.
    let kafka = agent.loggers().get("kafka");
    assert_eq!(kafka.level(), Level::Debug);
    let now = listed().await;
    assert!(now.contains(&("kafka".to_string(), false)) && now.contains(&("ka*".to_string(), true)), "{now:?}");
    assert_eq!(json(addr, "DELETE", "/log/ka*").await.0, 200);
    assert!(listed().await.iter().all(|(_, remembered)| !remembered));
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_for_a_while() {
    let (agent, addr) = start().await;
    let (status, body) = json(addr, "PUT", "/log/etcd/debug?for=1h").await;
    assert_eq!((status, &body["ends_in"]), (200, &json!(3600)));
    let (_, body) = json(addr, "GET", "/log/etcd").await;
    assert!((3590..=3600).contains(&body["ends_in"].as_u64().unwrap()), "{body}");
    let (status, body) = json(addr, "PUT", "/log/etcd/debug?for=876600h").await;
    assert_eq!((status, &body["ends_in"]), (200, &json!(3_155_760_000_u64)));
    assert_eq!(json(addr, "PUT", "/log/etcd/trace?for=20ms").await.0, 200);
    let deadline = std::time::Instant::now() + cninfra_testbed::DEADLINE;
    while agent.etcd.log.level() == Level::Trace {
        assert!(std::time::Instant::now() < deadline, "it does not end");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_nearly_a_loggers_is_hinted_at() {
    let (agent, addr) = start().await;
    for (name, meant) in [
        ("ectd", Some("etcd")),
        ("etdc.watch", Some("etcd")),
        ("log-manger", Some("log-manager")),
        ("etcd", None),
        ("etcd.watch", None),
        ("ect*", None),
        ("default", None),
        ("store", None),
    ] {
        let path = format!("/log/{name}/debug").leak();
        let (status, body) = json(addr, "PUT", path).await;
        let hint = meant.map(|meant| format!("no logger has that name; did you mean `{meant}`?"));
        assert_eq!((status, &body["level"], body["hint"].as_str()), (200, &json!("debug"), hint.as_deref()), "{name}");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_predecessors_name_of_the_agents_logger_is_hinted_at() {
    let (agent, addr) = start().await;
    let (status, body) = json(addr, "PUT", "/log/defaultLogger/debug").await;
    assert_eq!((status, &body["remembered"]), (200, &json!(true)), "{body}");
    let hint = "no logger has that name; the agent's own, which had it in cn-infra, is `agent`";
    assert_eq!(body["hint"], hint);
    assert_eq!(json(addr, "GET", "/log/agent").await.1["level"], "info");
    // A plugin may have that name nevertheless.
    let own = agent.loggers().get("defaultLogger");
    let (_, body) = json(addr, "GET", "/log/defaultLogger").await;
    assert_eq!((own.level(), &body["hint"]), (Level::Debug, &Value::Null));
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logger_may_be_called_list() {
    let (agent, addr) = start().await;
    let list = agent.loggers().get("list");
    let (status, body) = json(addr, "PUT", "/log/list/debug").await;
    assert_eq!((status, &body["logger"], list.level()), (200, &json!("list"), Level::Debug));
    let (_, all) = json(addr, "GET", "/log/list").await;
    assert!(all.as_array().unwrap().iter().any(|of| of["logger"] == "list" && of["level"] == "debug"), "{all}");
    let (status, body) = json(addr, "DELETE", "/log/list").await;
    assert_eq!((status, &body["logger"], &body["level"]), (200, &json!("list"), &json!("info")));
    assert_eq!(list.level(), Level::Info);
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told() {
    let (agent, addr) = start().await;
    for (method, path, status, error) in [
        ("PUT", "/log/etcd/loud", 400, "`loud` is not a level: write trace, debug, info, warn or error"),
        ("PUT", "/log/a%20b/debug", 400, "`a b` is not a name or pattern of loggers"),
        ("DELETE", "/log/a%20b", 400, "`a b` is not a name or pattern of loggers"),
        ("PUT", "/log/etcd/debug?for=5", 400, "`5` has no unit: write `5s` for seconds, `5ms` for milliseconds"),
        (
            "PUT",
            "/log/etcd/debug?for=0",
            400,
            "`for=0` sets nothing: write a time such as `for=10m`, or leave it out to set the level until the agent stops",
        ),
        (
            "PUT",
            "/log/etcd/debug?for=0ms",
            400,
            "`for=0ms` sets nothing: write a time such as `for=10m`, or leave it out to set the level until the agent stops",
        ),
        (
            "PUT",
            "/log/etcd/debug?for=876601h",
            400,
            "`for=876601h` is more than 876600h, the longest while: leave it out to set the level until the agent stops",
        ),
        (
            "PUT",
            "/log/etcd/debug?for=18446744073709551615s",
            400,
            "`for=18446744073709551615s` is more than 876600h, the longest while: leave it out to set the level until the agent stops",
        ),
        (
            "PUT",
            "/log/etcd/debug?form=5s",
            400,
            "Failed to deserialize query string: form: unknown field `form`, expected `for`",
        ),
        ("GET", "/log/etcd/info", 405, "method not allowed"),
        ("POST", "/log/etcd/info", 405, "method not allowed"),
        ("PUT", "/log/list", 405, "method not allowed"),
        ("GET", "/log/list/", 404, "not found"),
    ] {
        assert_eq!(json(addr, method, path).await, (status, json!({ "error": error })), "{method} {path}");
    }
    assert_eq!(agent.etcd.log.level(), Level::Info);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn it_does_without_a_server() {
    let agent = Agent::<Silent>::start().await.unwrap();
    agent.close().await.unwrap();
}
