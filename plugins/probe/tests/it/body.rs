//! Tests that the body is that of the predecessor.

use crate::codes::{Probed, config, request};
use cninfra::{BuildInfo, prelude::*, status::State};
use cninfra_probe::Body;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// The predecessor's (1.7.0) response to `/readiness` with a plugin in error; `/liveness` was the same, without
/// `interface_stats`.
const RECORDED: &str = r#"{"build_version":"v9.8.7","build_date":"2026-11-23T00:00:00Z","state":2,"start_time":1795454953,"last_change":1795454970,"last_update":1795454970,"interface_stats":{},"commit_hash":"abcdef0","plugins":[{"name":"demo","state":2,"error":"demo failed"},{"name":"etcd","state":1}],"PluginStatus":{"demo":{"state":2,"last_change":1795454970,"last_update":1795454970,"error":"demo failed"},"etcd":{"state":1,"last_change":1795454958,"last_update":1795454963}},"NonFatalPlugins":null}"#;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_are_those_of_the_predecessor() {
    let before = now();
    let build = BuildInfo::new("v9.8.7").commit("abcdef0").date("2026-11-23T00:00:00Z");
    let agent = Agent::<Probed>::builder().config(config()).build_info(build).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    agent.store.cx.status().report_because(State::Error, "demo failed");
    let answer = request(addr, "GET", "/readiness").await;
    let (ours, theirs): (Value, Value) =
        (serde_json::from_str(&answer.body).unwrap(), serde_json::from_str(RECORDED).unwrap());

    let same_type = |ours: &Value, theirs: &Value| std::mem::discriminant(ours) == std::mem::discriminant(theirs);
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "all fields, and no others");
    for (name, value) in ours.as_object().unwrap() {
        if name == "NonFatalPlugins" {
            continue; // As there, it is a list if it is not empty.
        }
        assert!(same_type(value, &theirs[name]), "{name}: {value} where the predecessor has {}", theirs[name]);
    }
    for name in ["state", "start_time", "last_change", "last_update", "plugins"] {
        assert!(ours.get(name).is_some(), "{name} in {ours}");
    }
    for name in ["build_version", "build_date", "commit_hash"] {
        assert_eq!(ours[name], theirs[name], "{name}");
    }
    let (start, _) = RECORDED.split_once("1795454953").unwrap();
    assert!(answer.body.starts_with(start), "in the same order: {}", answer.body);
    assert!(!answer.body.replace("demo failed", "").contains([' ', '\n']), "compact: {}", answer.body);

    let plugins = ours["plugins"].as_array().unwrap();
    let names: Vec<_> = plugins.iter().map(|plugin| plugin["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["http", "store", "spare", "probe", "watcher"]);
    let of_store = Value::to_string(&plugins[1]);
    assert_eq!(serde_json::from_str::<Value>(&of_store).unwrap()["error"], theirs["plugins"][0]["error"]);
    assert_eq!((plugins[1]["state"].as_u64(), plugins[0]["state"].as_u64()), (Some(2), Some(1)));
    assert_eq!(plugins[0], serde_json::json!({"name": "http", "state": 1}), "as the predecessor had it");
    let of_store = &ours["PluginStatus"]["store"];
    for (name, value) in theirs["PluginStatus"]["demo"].as_object().unwrap() {
        assert!(same_type(&of_store[name], value), "{name}: {of_store}");
    }
    assert_eq!((&of_store["state"], &of_store["error"]), (&2.into(), &"demo failed".into()));
    assert_eq!(ours["NonFatalPlugins"], serde_json::json!(["spare"]), "the optional ones");

    for name in ["start_time", "last_change", "last_update"] {
        let time = ours[name].as_u64().unwrap();
        assert!((before..=now()).contains(&time), "{name}: {time}");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_degraded_is_told_with_its_reason() {
    let agent = Agent::<Probed>::builder().config(config()).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    agent.store.cx.status().report_because(State::Degraded, "one of three nodes is lost");
    let body: Value = serde_json::from_str(&request(addr, "GET", "/readiness").await.body).unwrap();
    assert_eq!(body["state"], 1);
    for plugin in [&body["plugins"][1], &body["PluginStatus"]["store"]] {
        assert_eq!((&plugin["state"], &plugin["status"]), (&1.into(), &"degraded".into()), "{plugin}");
        assert_eq!(plugin["reason"], "one of three nodes is lost");
        assert!(plugin.get("error").is_none(), "{plugin}");
    }
    let stores = |body: &Value| body["PluginStatus"]["store"].clone();
    let first = stores(&body);
    // Reporting the same state again is an update, but no change.
    let until = SystemTime::now() + std::time::Duration::from_millis(1100);
    while SystemTime::now() < until {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    agent.store.cx.status().report_because(State::Degraded, "one of three nodes is lost");
    let body: Value = serde_json::from_str(&request(addr, "GET", "/readiness").await.body).unwrap();
    let second = stores(&body);
    assert_eq!(first["last_change"], second["last_change"]);
    assert!(first["last_update"].as_u64() < second["last_update"].as_u64(), "{first} {second}");
    agent.close().await.unwrap();
}

#[tokio::test]
async fn what_is_not_known_of_the_build_is_left_out() {
    let agent = Agent::<Probed>::builder().config(config()).start().await.unwrap();
    assert_eq!(agent.store.cx.build_info(), agent.build_info());
    let body = |build| serde_json::to_value(Body::new(&agent.status(), build)).unwrap();
    let body = body(BuildInfo::new("1"));
    assert!(body["build_version"] == "1" && body.get("build_date").is_none() && body.get("commit_hash").is_none());
    agent.close().await.unwrap();
}
