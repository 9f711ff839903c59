//! Tests of the JSON responses, to the last key.

use crate::small::{builder, start};
use cninfra::{
    http::{Http, testing::InProcess},
    prelude::*,
    status::State,
    testing::paused,
};
use cninfra_pages::Pages;
use cninfra_rest::Rest;
use serde_json::{Value, json};
use std::sync::Arc;

/// Removes the times, whose values are not known here, and checks that they are in RFC 3339, in UTC, with microseconds.
fn without_moments(mut value: Value) -> Value {
    fn take(value: &mut Value) {
        match value {
            Value::Object(keys) => {
                for (key, value) in keys {
                    if ["started", "since", "phase_since", "updated"].contains(&key.as_str()) {
                        let text = value.as_str().unwrap();
                        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
                        assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{text}");
                        *value = "then".into();
                    } else {
                        take(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(take),
            _ => {}
        }
    }
    take(&mut value);
    value
}

fn told(path: &'static str) -> Value {
    paused(async move {
        let (agent, client) = start().await;
        let answer = client.get(path).await;
        assert!(answer.text().ends_with("}\n"), "it ends its line");
        agent.close().await.unwrap();
        without_moments(answer.json())
    })
}

const DOWN: &str = "plugin `Api` failed in init: no licence; ignored";

#[test]
fn the_graph_is_that_which_is_printed_with_states() {
    let module = "it::small";
    let expected = json!({ "flavor": "Small", "state": "degraded", "plugins": [
        { "name": "Rest", "plugin": "Rest", "instance": "http", "module": "cninfra_rest::plugin", "flavor": "Small", "field": "rest", "level": 0, "optional": false,
          "provides": ["dyn Http"], "needs": [], "needs_optionally": [], "state": "ok", "reason": null, "down": null, "init_us": null },
        { "name": "Store", "plugin": "Store", "instance": "store", "module": module, "flavor": "Small", "field": "store", "level": 0, "optional": false,
          "provides": [], "needs": [], "needs_optionally": [], "state": "ok", "reason": null, "down": null, "init_us": 20_000 },
        { "name": "Cache", "plugin": "Cache", "instance": "cache", "module": module, "flavor": "Small", "field": "cache", "level": 0, "optional": true,
          "provides": [], "needs": [], "needs_optionally": [], "state": "error", "reason": "it is full", "down": null, "init_us": 5_000 },
        { "name": "Pages", "plugin": "Pages", "instance": "pages", "module": "cninfra_pages::plugin", "flavor": "Small", "field": "pages", "level": 1, "optional": false,
          "provides": [], "needs": ["Rest"], "needs_optionally": [], "state": "ok", "reason": null, "down": null, "init_us": 0 },
        { "name": "Api", "plugin": "Api", "instance": "api", "module": module, "flavor": "Small", "field": "api", "level": 1, "optional": false,
          "provides": [], "needs": ["Store", "Cache"], "needs_optionally": ["Cache"],
          "state": "degraded", "reason": DOWN, "down": "failed", "init_us": 0 },
        { "name": "Last", "plugin": "Last", "instance": "last", "module": module, "flavor": "Small", "field": "last", "level": 2, "optional": false,
          "provides": [], "needs": ["Api"], "needs_optionally": [], "state": "ok", "reason": null, "down": null, "init_us": 0 },
    ]});
    assert_eq!(told("/agent/graph"), expected);
}

#[test]
fn the_status_has_reasons_and_since_when() {
    let plugin = |(name, plugin), state, reason: Option<&str>, down: Option<&str>, optional| {
        json!({ "name": name, "plugin": plugin, "instance": name, "state": state, "reason": reason, "down": down, "broken": false, "optional": optional,
            "non_fatal": false, "since": "then", "updated": "then" })
    };
    let expected = json!({
        "agent": "node-1", "version": env!("CARGO_PKG_VERSION"), "state": "degraded", "phase": "ok", "ready": true, "live": true,
        "started": "then", "phase_since": "then", "updated": "then",
        "plugins": [
            plugin(("http", "Rest"), "ok", None, None, false),
            plugin(("store", "Store"), "ok", None, None, false),
            plugin(("cache", "Cache"), "error", Some("it is full"), None, true),
            plugin(("pages", "Pages"), "ok", None, None, false),
            plugin(("api", "Api"), "degraded", Some(DOWN), Some("failed"), false),
            plugin(("last", "Last"), "ok", None, None, false),
        ],
    });
    assert_eq!(told("/agent/status"), expected);
}

/// As the plugin of the probes does.
#[plugin]
struct Tolerant;

impl Lifecycle for Tolerant {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.status().non_fatal(&["sick"]);
        Ok(())
    }
}

#[plugin]
struct Sick;

impl Lifecycle for Sick {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.status().report_because(State::Error, "it is ill");
        Ok(())
    }
}

#[derive(Flavor)]
struct Tolerated {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    pages: Dep<Pages>,
    tolerant: Dep<Tolerant>,
    sick: Dep<Sick>,
}

#[test]
fn what_the_probes_do_not_count_is_shown_as_that() {
    paused(async {
        let http = Arc::new(InProcess::default());
        let agent = Agent::<Tolerated>::builder().bind::<dyn Http>(http.clone()).start().await.unwrap();
        let status = http.client().get("/agent/status").await.json::<Value>();
        assert_eq!((&status["state"], &status["ready"]), (&"ok".into(), &true.into()), "{status}");
        let sick = status["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "sick").unwrap();
        assert_eq!(
            (&sick["state"], &sick["optional"], &sick["non_fatal"]),
            (&"error".into(), &false.into(), &true.into())
        );
        let page = http.client().get("/agent/status?format=html").await.text().to_string();
        assert_eq!(page.matches("non-fatal for the probes").count(), 1, "{page}");
        agent.close().await.unwrap();
    });
}

#[test]
fn the_timeline_has_every_step_in_microseconds() {
    let told = told("/agent/timeline");
    let head = json!({ "agent": "node-1", "flavor": "Small", "started": "then", "complete": true, "took_us": 21_000 });
    for (key, value) in head.as_object().unwrap() {
        assert_eq!(told[key], *value, "{key}");
    }
    assert_eq!(told.as_object().unwrap().len(), head.as_object().unwrap().len() + 3);
    assert_eq!((&told["running"], &told["later"]), (&json!([]), &json!([])));
    let steps = told["steps"].as_array().unwrap();
    let step = |plugin: &str,
                instance: &str,
                level: u16,
                phase: &str,
                start: u64,
                took: u64,
                outcome: &str,
                critical: bool| {
        json!({ "plugin": plugin, "instance": instance, "level": level, "phase": phase, "start_us": start, "took_us": took,
            "outcome": outcome, "critical": critical })
    };
    let long: Vec<&Value> = steps.iter().filter(|step| step["took_us"] != 0 || step["outcome"] != "done").collect();
    let expected = [
        step("Cache", "cache", 0, "init", 0, 5_000, "done", false),
        step("Store", "store", 0, "init", 0, 20_000, "done", true),
        step("Api", "api", 1, "init", 20_000, 0, "failed", false),
        step("Last", "last", 2, "after_init", 20_000, 1_000, "done", true),
    ];
    assert_eq!(long, expected.iter().collect::<Vec<_>>());
    // All six were created. The server is replaced, and does not run. One has failed, and has no `after_init`.
    let count = |phase: &str| steps.iter().filter(|step| step["phase"] == phase).count();
    assert_eq!((count("create"), count("init"), count("after_init")), (6, 5, 4));
}

#[test]
fn a_start_that_is_not_recorded_has_no_steps_and_says_why() {
    paused(async {
        let (builder, http) = builder();
        let agent = builder.record_events(false).start().await.unwrap();
        let answer = without_moments(http.client().get("/agent/timeline").await.json());
        let expected = json!({ "agent": "node-1", "flavor": "Small", "started": "then", "complete": true, "took_us": 0, "steps": [],
            "running": [], "later": [] });
        assert_eq!(answer, expected);
        let page = http.client().get("/agent/timeline?format=html").await;
        assert!(page.text().contains("Nothing was recorded"), "{}", page.text());
        agent.close().await.unwrap();
    });
}
