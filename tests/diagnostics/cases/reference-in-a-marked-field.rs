use cninfra::prelude::*;

struct NoPlugin;
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Settings {
    port: u16,
}
const PORT: &[Flag] = &[Flag::new("port", "port")];

#[plugin(flags = PORT)]
struct A {
    #[context]
    cx: &'static Context, //~ CN027
    #[config]
    settings: &'static Settings, //~ CN026
    other: Dep<NoPlugin>, //~ CN006
}
#[plugin]
struct B {
    #[config]
    text: &'static str, //~ CN026
    #[default("right")]
    right: &'static str,
}
#[derive(Flavor)]
struct App {
    a: Dep<A>,
    b: Dep<B>,
}
