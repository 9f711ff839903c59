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
