//! Tests of the timeline while the agent runs: in later attempts and in the stop. (For the start see `start`.)

use cninfra::{
    agent::{Backoff, StartPolicy},
    http::{Http, testing::InProcess},
    prelude::*,
    testing::paused,
};
use cninfra_pages::Pages;
use cninfra_rest::Rest;
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::sleep;

/// A plugin whose third attempt succeeds.
#[plugin]
struct Flaky {
    attempts: AtomicU32,
}

impl Lifecycle for Flaky {
    async fn init(&self, _: &Context) -> Result<()> {
        sleep(Duration::from_millis(10)).await;
        if self.attempts.fetch_add(1, SeqCst) < 2 { Err(Error::msg("not yet")) } else { Ok(()) }
    }
}

#[plugin]
struct Slow {
    flaky: Dep<Flaky>,
}

impl Lifecycle for Slow {
    async fn drain(&self, _: &Context) -> Result<()> {
        let _ = &self.flaky;
        sleep(Duration::from_millis(500)).await;
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        sleep(Duration::from_millis(300)).await;
        Ok(())
    }
}

#[plugin]
struct Quick;

impl Lifecycle for Quick {
    async fn drain(&self, _: &Context) -> Result<()> {
        sleep(Duration::from_millis(20)).await;
        Err(Error::msg("not drained"))
    }
}

#[derive(Flavor)]
struct Going {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    pages: Dep<Pages>,
    flaky: Dep<Flaky>,
    slow: Dep<Slow>,
    quick: Dep<Quick>,
}

fn steps(told: &Value, key: &str) -> Vec<String> {
    let step = |step: &Value| {
        let outcome = step.get("outcome").and_then(Value::as_str).unwrap_or("goes on");
        format!("{} {} {outcome}", step["instance"].as_str().unwrap(), step["phase"].as_str().unwrap())
    };
    let is_told = |step: &&Value| step["took_us"] != 0 || step["outcome"] != "done";
    told[key].as_array().unwrap().iter().filter(is_told).map(step).collect()
}

#[test]
fn later_attempts_and_the_stop_are_told() {
    paused(async {
        let http = Arc::new(InProcess::default());
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
        let builder = Agent::<Going>::builder().record_events(true).bind::<dyn Http>(http.clone());
        let agent = builder.start_policy("flaky", StartPolicy::Retry(backoff)).start().await.unwrap();
        let client = http.client();
        let told = async || client.get("/agent/timeline").await.json::<Value>();
        let page = async || client.get("/agent/timeline?format=html").await.text().to_string();
        assert_eq!(steps(&told().await, "later"), [""; 0]);
        assert!(!page().await.contains("After the start"));
        // The agent has started, and retries.
        let mut seen_running = false;
        while steps(&told().await, "later").len() < 2 {
            let running = steps(&told().await, "running");
            if !running.is_empty() {
                assert_eq!(running, ["flaky init goes on"]);
                assert!(page().await.contains("goes on"), "{}", page().await);
                seen_running = true;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert!(seen_running);
        assert_eq!(steps(&told().await, "later"), ["flaky init failed", "flaky init done"]);
        // The drain of one plugin has ended, that of the other one has not.
        let closing = tokio::spawn(agent.close());
        sleep(Duration::from_millis(100)).await;
        let told_then = told().await;
        assert_eq!(steps(&told_then, "later")[2..], ["quick drain failed"]);
        assert_eq!(steps(&told_then, "running"), ["slow drain goes on"]);
        let page_then = page().await;
        for part in [
            "<h2>After the start</h2>",
            "<td><code>quick</code></td><td>drain</td>",
            "<strong class=\"bad\">failed</strong>",
            "100.0ms <strong class=\"busy\">goes on</strong>",
        ] {
            assert!(page_then.contains(part), "{part}: {page_then}");
        }
        sleep(Duration::from_millis(500)).await;
        let told_then = told().await;
        assert_eq!(steps(&told_then, "later")[3..], ["slow drain done"]);
        assert_eq!(steps(&told_then, "running"), ["slow close goes on"]);
        closing.await.unwrap().unwrap_err();
        let after = told().await;
        assert_eq!(
            (steps(&after, "later")[4..].join(", "), steps(&after, "running").len()),
            ("slow close done".into(), 0)
        );
    });
}
