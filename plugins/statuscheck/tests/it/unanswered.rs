//! Tests with a store that executes requests, but whose responses are lost.

use super::{Demo, until};
use cninfra::{
    config::Config,
    keyval::{
        At, Capabilities, Entry, KeyRange, KeyVal, KvError, Page, PageRequest, Put, Reason, Result as KvResult, Store,
        Txn, TxnOutcome, Watch, WatchOptions, Written,
    },
    prelude::*,
    status::State,
};
use cninfra_embedded::EmbeddedStore;
use cninfra_statuscheck::{PluginRecord, StatusCheck};
use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

const DEMO: &str = "/vnf-agent/rest1/check/status/v1/plugin/demo";

#[plugin]
struct Mute {
    store: OnceLock<EmbeddedStore>,
    is_mute: AtomicBool,
}

impl Mute {
    fn store(&self) -> &EmbeddedStore {
        self.store.get().unwrap()
    }

    async fn published(&self) -> Option<PluginRecord> {
        let entry = Store::get(self.store(), DEMO.into(), At::Latest).await.unwrap()?;
        Some(serde_json::from_slice(&entry.value).unwrap())
    }
}

impl Lifecycle for Mute {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = self.store.set(EmbeddedStore::in_memory().await?);
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        Ok(self.store().close().await?)
    }
}

impl Store for Mute {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    async fn get(&self, key: bytes::Bytes, at: At) -> KvResult<Option<Entry>> {
        Store::get(self.store(), key, at).await
    }

    async fn page(&self, request: PageRequest) -> KvResult<Page> {
        Store::page(self.store(), request).await
    }

    async fn commit(&self, txn: Txn) -> KvResult<TxnOutcome> {
        Store::commit(self.store(), txn).await
    }

    async fn put(&self, put: Put) -> KvResult<Written> {
        let written = Store::put(self.store(), put).await?;
        match self.is_mute.load(Ordering::Relaxed) {
            true => Err(KvError::new("put", Reason::Unavailable)),
            false => Ok(written),
        }
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> KvResult<Watch> {
        Store::watch(self.store(), ranges, options).await
    }
}

#[derive(Flavor)]
struct Unanswered {
    #[provides(dyn KeyVal)]
    store: Dep<Mute>,
    status_check: Dep<StatusCheck>,
    demo: Dep<Demo>,
}

#[tokio::test]
async fn a_state_that_is_back_is_published_where_the_one_between_may_have_been() {
    let config = Config::new().set("agent", "microservice-label", "rest1").set("statuscheck", "publish-interval", "0");
    let agent = Agent::<Unanswered>::builder().config(config).start().await.unwrap();
    let is = async |state: u8| agent.store.published().await.is_some_and(|record| record.state == state);
    until("it is not published as well", async || is(1).await).await;
    agent.store.is_mute.store(true, Ordering::Relaxed);
    agent.demo.cx.status().report_because(State::Error, "demo failed");
    until("the error is not written", async || is(2).await).await;
    agent.demo.cx.status().report(State::Ok);
    agent.store.is_mute.store(false, Ordering::Relaxed);
    until("what is so now is not published", async || is(1).await).await;
    agent.close().await.unwrap();
}
