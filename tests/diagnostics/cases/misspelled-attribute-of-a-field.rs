use cninfra::prelude::*;

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct GreeterConfig {
    name: String,
}

#[plugin]
struct Greeter {
    #[confg] //~ CN010
    config: GreeterConfig,
    #[Context] //~ CN010
    log: Logger,
    #[defaults(5)] //~ CN010
    times: u32,
}
