//! Nothing is configured, and no server runs.

use crate::support::{Full, until};
use cninfra::{
    keyval::{Applied, Kv, Reason, WatchOptions},
    prelude::*,
    status::State,
    testing::{Conformance, http_addr, loopback},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_starts_without_any_config_and_any_server() {
    let agent = Agent::<Full>::builder().config(loopback()).start().await.unwrap();
    for plugin in ["etcd", "redis", "configured-store", "statuscheck"] {
        until(&agent, plugin, State::Disabled).await;
    }
    // what is off is no reason not to be ready
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
