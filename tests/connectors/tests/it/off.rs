//! Tests in which no store is configured and no server runs.

use crate::support::{Full, until};
use cninfra::{
    agent::StartPolicy,
    config::Config,
    keyval::{Applied, Kv, Reason, WatchOptions},
    prelude::*,
    status::State,
    testing::{Conformance, http_addr, loopback},
};
use std::{
    io,
    sync::{Arc, Mutex},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_starts_without_any_config_and_any_server() {
    let agent = Agent::<Full>::builder().config(loopback()).start().await.unwrap();
    for plugin in ["etcd", "redis", "configured-store", "statuscheck"] {
        let why = until(&agent, plugin, State::Disabled).await;
        assert!(["statuscheck", "redis"].contains(&plugin) || why.contains("etcd.conf"), "{plugin}: {why}");
    }
    // A plugin that is not configured does not make the agent unready.
    assert_eq!(cninfra_testbed::request(http_addr(&agent), "GET", "/readiness").status, 200);
    let kv = Kv::of_all(&agent.phonebook.store);
    for error in [
        kv.put("k", "v").await.unwrap_err(),
        kv.get("k").await.unwrap_err(),
        kv.list("").all().await.unwrap_err(),
        kv.watch([""], WatchOptions::default()).await.unwrap_err(),
    ] {
        assert_eq!((error.reason(), error.applied()), (&Reason::NOT_CONFIGURED, Applied::No));
        let help = error.help().unwrap();
        assert!(help.contains("etcd.conf") && help.contains("redis.conf"), "{help}");
    }
    agent.close().await.unwrap();
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    Conformance::of("configured-store", || Agent::<Full>::builder().config(loopback())).check();
}

/// The log of what runs on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_says_which_store_an_agent_has() {
    let logged = |config: Config| {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let builder = Agent::<Full>::builder().config(config);
                let policy = StartPolicy::Ignore;
                let agent = builder.start_policy("etcd", policy).start_policy("redis", policy).start().await.unwrap();
                agent.close().await.unwrap();
            });
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains("the store of this agent"));
        let said = |line: &str| Some(line.split("this agent is ").nth(1)?.split(" agent=").next()?.to_string());
        lines.filter_map(said).collect::<Vec<_>>()
    };
    // If there were only one subscriber, `tracing` would cache whether it wants a record.
    let _other = tracing::Dispatch::new(tracing_subscriber::registry());
    let redis = || loopback().set("redis", "endpoint", "127.0.0.1:1").set("redis", "read-timeout", "100ms");
    let both = redis().set("etcd", "endpoints", "127.0.0.1:1").set("etcd", "operation-timeout", "100ms");
    let none: [&str; 0] = [];
    assert_eq!(logged(loopback()), none);
    assert_eq!(logged(redis()), ["redis at 127.0.0.1:1"]);
    assert_eq!(logged(both), ["etcd at http://127.0.0.1:1, and not redis at 127.0.0.1:1"]);
}
