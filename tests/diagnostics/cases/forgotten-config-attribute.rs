use cninfra::prelude::*;

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct HttpConfig {
    port: u16,
}
#[derive(Default)]
struct PoolOptions {
    size: u16,
}

#[plugin]
struct Http {
    config: HttpConfig, //~ CN031
    pool: PoolOptions,
}
#[plugin]
struct Short {
    conf: HttpConfig, //~ CN031
}
#[plugin]
struct Follower {
    greeting: cninfra::config::Live<HttpConfig>, //~ CN031
}
#[plugin]
struct Perhaps {
    http: Option<HttpConfig>, //~ CN031
    pool: Option<PoolOptions>,
}
mod own {
    #[derive(Default)]
    pub struct Live<T>(pub T);
}
#[plugin]
struct Lively {
    level: own::Live<HttpConfig>,
}
/// Both have what they need.
#[plugin]
struct Server {
    #[config]
    config: HttpConfig,
    last: HttpConfig,
}
#[plugin]
struct Client {
    #[default(HttpConfig { port: 80 })]
    config: HttpConfig,
}

#[derive(Flavor)]
struct App {
    http: Dep<Http>,
}
