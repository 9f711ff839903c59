use cninfra::prelude::*;

const DASHES: &[Flag] = &[Flag::new("--port", "port").env("PORT").help("the port")];
const SPACE: &[Flag] = &[Flag::new("the port", "port").env("PORT").help("the port")];
const CASE: &[Flag] = &[
    Flag::new("host", "host").env("HOST").help("the host"),
    Flag::new("Port", "port").env("PORT").help("the port"),
];
const ENV: &[Flag] = &[Flag::new("port", "port").env("http-port").help("the port")];
const KEY: &[Flag] = &[Flag::new("port", "port..number").env("PORT").help("the port")];
const EMPTY: &[Flag] = &[Flag::new("", "port").env("PORT").help("the port")];

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Conf {
    port: u16,
}

#[plugin(flags = DASHES)] //~ CN030
struct Dashes {
    #[config]
    config: Conf,
}
#[plugin(flags = SPACE)] //~ CN030
struct Space {
    #[config]
    config: Conf,
}
#[plugin(flags = CASE)] //~ CN030
struct Case {
    #[config]
    config: Conf,
}
#[plugin(flags = ENV)] //~ CN030
struct Variable {
    #[config]
    config: Conf,
}
#[plugin(deps = (), config = Conf, flags = KEY)] //~ CN030
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}
#[plugin(no_lifecycle, flags = EMPTY)] //~ CN030
struct Generic<R> {
    #[config]
    config: Conf,
    role: std::marker::PhantomData<R>,
}
#[plugin(flags = Self::FLAGS)] //~ CN030
struct Own {
    #[config]
    config: Conf,
}
impl Own {
    const FLAGS: &[Flag] = DASHES;
}

#[derive(Flavor)]
struct App {
    dashes: Dep<Dashes>,
}
