//! Tests of what an agent reports about its store.

use cninfra::{
    keyval::{KeyRange, KeyVal, Kv, SerdeJson, TypedUpdate, WatchOptions},
    prelude::*,
    testing::{http_addr, loopback},
};
use cninfra_embedded::EmbeddedKv;
use cninfra_flavors::Rpc;
use cninfra_testbed::{Promtool, request, request_with, require};

#[plugin]
struct Phonebook {
    store: Dep<dyn KeyVal>,
}

impl Lifecycle for Phonebook {}

#[derive(Flavor)]
struct Kept {
    rpc: Rpc,
    #[provides(dyn KeyVal)]
    store: Dep<EmbeddedKv>,
    phonebook: Dep<Phonebook>,
}

async fn start() -> Agent<Kept> {
    let config = loopback().set("embedded", "in-memory", true);
    let agent = Agent::<Kept>::builder().config(config).start().await.unwrap();
    let contacts = Kv::of_all(&agent.phonebook.store).scoped("contacts/").typed::<u32, _>(SerdeJson);
    let mut watch = contacts.watch([""], WatchOptions::default()).await.unwrap();
    contacts.put("alice", &1).await.unwrap();
    contacts.put("bob", &2).await.unwrap();
    contacts.bytes().get("carol").await.unwrap();
    contacts.bytes().list_range(KeyRange::all()).all().await.unwrap();
    Kv::of_all(&agent.phonebook.store).get("").await.unwrap_err();
    while !matches!(watch.next().await.unwrap(), TypedUpdate::Put(..)) {}
    agent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_calls_and_watches_are_on_the_page_of_metrics() {
    let agent = start().await;
    let addr = http_addr(&agent);
    let mut watch = Kv::of_all(&agent.phonebook.store).watch([""], WatchOptions::default()).await.unwrap();
    let _ = watch.next().await;
    let told = request(addr, "GET", "/metrics").body;
    for line in [
        "keyval_up{plugin=\"embedded\"} 1",
        "keyval_reconnects_total{plugin=\"embedded\"} 0",
        "keyval_watches{plugin=\"embedded\"} 1",
        "keyval_requests_total{plugin=\"embedded\",operation=\"transaction\",outcome=\"ok\"} 2",
        "keyval_requests_total{plugin=\"embedded\",operation=\"get\",outcome=\"ok\"} 1",
        "keyval_requests_total{plugin=\"embedded\",operation=\"get\",outcome=\"invalid\"} 1",
        "keyval_requests_total{plugin=\"embedded\",operation=\"list\",outcome=\"ok\"} 1",
        "keyval_requests_total{plugin=\"embedded\",operation=\"watch\",outcome=\"ok\"} 2",
        "keyval_request_duration_seconds_count{plugin=\"embedded\",operation=\"get\"} 2",
        "keyval_watch_snapshots_total{plugin=\"embedded\",cause=\"start\"} 2",
    ] {
        assert!(told.lines().any(|told| told == line), "{line} is not in {told}");
    }
    let open = request_with(addr, "GET", "/metrics", "Accept: application/openmetrics-text").body;
    assert!(open.contains("\n# UNIT keyval_request_duration_seconds seconds\n"), "{open}");
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_is_content_with_them() {
    require!(Promtool);
    let agent = start().await;
    let told = request(http_addr(&agent), "GET", "/metrics").body;
    assert!(told.contains("\nkeyval_requests_total{"), "{told}");
    assert_eq!(Promtool::check(&told), Ok(()), "{told}");
    agent.close().await.unwrap();
}

#[cfg(feature = "etcd")]
mod away {
    use super::*;
    use cninfra::{
        agent::StartPolicy,
        http::{Http, Path, Routes, axum::extract::State},
    };
    use cninfra_etcd::Etcd;

    #[plugin]
    struct Directory {
        http: Dep<dyn Http>,
        store: Dep<dyn KeyVal>,
    }

    impl Lifecycle for Directory {
        async fn init(&self, cx: &Context) -> Result<()> {
            self.http.register(cx, Routes::new().get("/names/{name}", name).with_state(self.store.clone()))
        }
    }

    async fn name(State(store): State<Dep<dyn KeyVal>>, Path(name): Path<String>) -> Result<String> {
        let found = Kv::of_all(&store).get(name.trim_end_matches('-')).await.context("the name")?;
        Ok(format!("{found:?}"))
    }

    #[derive(Flavor)]
    struct Named {
        rpc: Rpc,
        #[provides(dyn KeyVal)]
        store: Dep<Etcd>,
        directory: Dep<Directory>,
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_handler_whose_store_is_away_is_to_be_asked_again() {
        let config = loopback().set("etcd", "endpoints", "127.0.0.1:1").set("etcd", "insecure-transport", true);
        let config = config.set("etcd", "operation-timeout", "200ms");
        let builder = Agent::<Named>::builder().config(config).start_policy("etcd", StartPolicy::Ignore);
        let agent = builder.start().await.unwrap();
        let addr = http_addr(&agent);
        let away = request(addr, "GET", "/names/alice");
        let found = (away.status, away.header("retry-after"), away.body.as_str());
        assert_eq!(found, (503, Some("1"), r#"{"error":"service unavailable"}"#));
        // An empty key is a mistake of the handler.
        let wrong = request(addr, "GET", "/names/-");
        let found = (wrong.status, wrong.header("retry-after"), wrong.body.as_str());
        assert_eq!(found, (500, None, r#"{"error":"internal server error"}"#));
        agent.close().await.unwrap();
    }
}
