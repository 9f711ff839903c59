//! A small agent without a server, with paused time that advances only while the agent waits.

use cninfra::{
    agent::{Builder, StartPolicy},
    http::{
        Http,
        testing::{Client, InProcess},
    },
    prelude::*,
    status::State,
};
use cninfra_pages::Pages;
use cninfra_rest::Rest;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

#[plugin]
pub struct Store;

impl Lifecycle for Store {
    async fn init(&self, _: &Context) -> Result<()> {
        sleep(Duration::from_millis(20)).await;
        Ok(())
    }
}

#[plugin]
pub struct Cache;

impl Lifecycle for Cache {
    async fn init(&self, cx: &Context) -> Result<()> {
        sleep(Duration::from_micros(4_500)).await;
        cx.status().report_because(State::Error, "it is full");
        Ok(())
    }
}

#[plugin]
pub struct Api {
    store: Dep<Store>,
    cache: Option<Dep<Cache>>,
}

impl Lifecycle for Api {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (&self.store, &self.cache);
        Err(Error::msg("no licence"))
    }
}

#[plugin]
pub struct Last {
    api: Dep<Api>,
}

impl Lifecycle for Last {
    async fn after_init(&self, _: &Context) -> Result<()> {
        let _ = &self.api;
        sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

#[derive(Flavor)]
pub struct Small {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub pages: Dep<Pages>,
    store: Dep<Store>,
    cache: Option<Dep<Cache>>,
    api: Dep<Api>,
    last: Dep<Last>,
}

pub fn builder() -> (Builder<Small>, Arc<InProcess>) {
    let http = Arc::new(InProcess::default());
    let builder = Agent::<Small>::builder().label("node-1").record_events(true).bind::<dyn Http>(http.clone());
    (builder.start_policy("api", StartPolicy::Ignore), http)
}

pub async fn start() -> (Agent<Small>, Client) {
    let (builder, http) = builder();
    let agent = builder.start().await.unwrap();
    (agent, http.client())
}
