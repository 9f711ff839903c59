//! An agent of forty plugins, with long and short names, and in every possible state.

use cninfra::{agent::StartPolicy, config::Config, http::Http, prelude::*, status::State};
use cninfra_pages::Pages;
use cninfra_rest::Rest;
use std::{net::SocketAddr, time::Duration};

/// A plugin that takes this many microseconds to start, in `init` and in `after_init`.
macro_rules! plugins {
    ($($name:ident { $($field:ident: $dep:ty),* } $init:literal $after:literal;)*) => {$(
        #[plugin]
        pub struct $name { $($field: $dep),* }

        impl Lifecycle for $name {
            async fn init(&self, _: &Context) -> Result<()> {
                $(let _ = &self.$field;)*
                take($init).await;
                Ok(())
            }

            async fn after_init(&self, _: &Context) -> Result<()> {
                take($after).await;
                Ok(())
            }
        }
    )*};
}

async fn take(micros: u64) {
    if micros > 0 {
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

plugins! {
    Io {} 0 0;
    Clock {} 300 0;
    Etcd {} 42_000 0;
    Redis {} 11_000 0;
    Kafka {} 63_000 2_000;
    Cassandra {} 85_000 0;
    VeryLongNamedTelemetryAndDiagnosticsCollector {} 5_000 0;
    SqlMigrationsOfTheOrderManagementDatabase {} 31_000 0;
    Vault {} 17_000 0;
    GeoIp {} 2_000 0;
    KvStore { etcd: Dep<Etcd> } 3_000 0;
    Cache { redis: Dep<Redis>, clock: Dep<Clock> } 1_000 0;
    EventBusWithReplayAndDeduplication { kafka: Dep<Kafka>, clock: Dep<Clock>, io: Dep<Io> } 9_000 500;
    Repo { cassandra: Dep<Cassandra>, migrations: Dep<SqlMigrationsOfTheOrderManagementDatabase> } 4_000 0;
    Secrets { vault: Dep<Vault>, etcd: Option<Dep<Etcd>> } 2_500 0;
    Tracing { collector: Dep<VeryLongNamedTelemetryAndDiagnosticsCollector> } 0 0;
    Locator { geo: Option<Dep<GeoIp>>, cache: Option<Dep<Redis>> } 700 0;
    Sessions { cache: Dep<Cache>, secrets: Dep<Secrets> } 6_000 0;
    AuthenticationAndAuthorizationGateway { sessions: Dep<Sessions>, vault: Dep<Vault> } 8_000 1_000;
    Orders { repo: Dep<Repo>, bus: Dep<EventBusWithReplayAndDeduplication> } 12_000 3_000;
    Users { repo: Dep<Repo>, cache: Dep<Cache> } 5_500 0;
    Billing { orders: Dep<Orders>, users: Dep<Users>, secrets: Dep<Secrets> } 7_000 0;
    Invoices { billing: Dep<Billing>, bus: Dep<EventBusWithReplayAndDeduplication> } 2_200 0;
    Search { repo: Dep<Repo>, kv: Dep<KvStore> } 15_000 0;
    Recommendations { search: Dep<Search>, users: Dep<Users>, geo: Option<Dep<GeoIp>> } 6_100 0;
    ShippingCostEstimator { locator: Dep<Locator>, orders: Dep<Orders> } 1_100 0;
    A { kv: Dep<KvStore> } 400 0;
    B { a: Dep<A> } 400 0;
    C { b: Dep<B>, etcd: Dep<Etcd> } 400 0;
    D { c: Dep<C>, clock: Dep<Clock> } 400 0;
    Audit { http: Dep<dyn Http>, bus: Dep<EventBusWithReplayAndDeduplication> } 900 0;
    Api { http: Dep<dyn Http>, auth: Dep<AuthenticationAndAuthorizationGateway>, orders: Dep<Orders>, users: Dep<Users> } 3_300 200;
    AdminConsoleBackendForFrontends { http: Dep<dyn Http>, auth: Dep<AuthenticationAndAuthorizationGateway>, audit: Dep<Audit> } 2_700 0;
    Webhooks { http: Dep<dyn Http>, bus: Dep<EventBusWithReplayAndDeduplication>, d: Dep<D> } 1_900 0;
}

/// Its name is markup unless it is escaped.
#[derive(Qualifier)]
#[allow(non_camel_case_types, reason = "it looks like a tag")]
pub struct script;

#[plugin]
pub struct Store<Q> {
    role: std::marker::PhantomData<Q>,
}

impl<Q: Send + Sync> Lifecycle for Store<Q> {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.status().report_because(State::Degraded, REASON);
        Ok(())
    }
}

pub const REASON: &str = "</title><script>document.title = 'hit'</script>\"'&";

/// It never starts, and is retried.
#[plugin]
pub struct Flaky;

impl Lifecycle for Flaky {
    async fn init(&self, _: &Context) -> Result<()> {
        Err(Error::msg("no route to 10.0.0.7:2379"))
    }
}

/// It never starts, which is ignored.
#[plugin]
pub struct Extra {
    kv: Dep<KvStore>,
}

impl Lifecycle for Extra {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = &self.kv;
        Err(Error::msg("no licence"))
    }
}

#[plugin]
pub struct Beta {
    orders: Dep<Orders>,
}

impl Lifecycle for Beta {
    async fn init(&self, cx: &Context) -> Result<()> {
        let _ = &self.orders;
        cx.status().report_because(State::Error, "the queue is full: 4096 of 4096");
        Ok(())
    }
}

#[derive(Flavor)]
pub struct Forty {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub pages: Option<Dep<Pages>>,
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    d: Dep<D>,
    io: Dep<Io>,
    clock: Dep<Clock>,
    etcd: Dep<Etcd>,
    redis: Dep<Redis>,
    kafka: Dep<Kafka>,
    cassandra: Dep<Cassandra>,
    collector: Dep<VeryLongNamedTelemetryAndDiagnosticsCollector>,
    migrations: Dep<SqlMigrationsOfTheOrderManagementDatabase>,
    vault: Dep<Vault>,
    geo_ip: Option<Dep<GeoIp>>,
    kv: Dep<KvStore>,
    cache: Dep<Cache>,
    bus: Dep<EventBusWithReplayAndDeduplication>,
    repo: Dep<Repo>,
    secrets: Dep<Secrets>,
    tracing: Dep<Tracing>,
    locator: Dep<Locator>,
    sessions: Dep<Sessions>,
    auth: Dep<AuthenticationAndAuthorizationGateway>,
    orders: Dep<Orders>,
    users: Dep<Users>,
    billing: Dep<Billing>,
    invoices: Dep<Invoices>,
    search: Dep<Search>,
    recommendations: Dep<Recommendations>,
    shipping: Dep<ShippingCostEstimator>,
    audit: Dep<Audit>,
    api: Dep<Api>,
    admin: Dep<AdminConsoleBackendForFrontends>,
    webhooks: Dep<Webhooks>,
    store: Dep<Store<script>>,
    flaky: Dep<Flaky>,
    extra: Dep<Extra>,
    beta: Option<Dep<Beta>>,
}

const _: () = assert!(Forty::GRAPH.len() == 40);

/// Starts the agent. Returns it with its address.
pub async fn start() -> (Agent<Forty>, SocketAddr) {
    let config = Config::new().set("http", "endpoint", "127.0.0.1:0").set("geo-ip", "enabled", false);
    let agent = Agent::<Forty>::builder().config(config).record_events(true);
    let agent = agent.start_policy("flaky", StartPolicy::retry()).start_policy("extra", StartPolicy::Ignore);
    let agent = agent.start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    (agent, addr)
}
