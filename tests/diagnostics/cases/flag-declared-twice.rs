use cninfra::prelude::*;

const A: &[Flag] = &[Flag::new("port", "port").env("A_PORT").help("the port")];
const B: &[Flag] = &[Flag::new("port", "port").env("B_PORT").help("the port")];
const C: &[Flag] = &[Flag::new("version", "version").env("C_VERSION").help("the version")];
const D: &[Flag] = &[Flag::new("label", "label").env("MICROSERVICE_LABEL").help("the label")];

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Conf {
    port: u16,
    version: String,
    label: String,
}

#[plugin(flags = A)]
struct PluginA {
    #[config]
    config: Conf,
}
#[plugin(flags = B)]
struct PluginB {
    #[config]
    config: Conf,
}
#[plugin(flags = C)]
struct PluginC {
    #[config]
    config: Conf,
}
#[plugin(flags = D)]
struct PluginD {
    #[config]
    config: Conf,
}

#[derive(Flavor)]
struct Two { //~ CN025
    a: Dep<PluginA>,
    b: Dep<PluginB>,
}
#[derive(Flavor)]
struct Agents { //~ CN025
    c: Dep<PluginC>,
}
#[derive(Flavor)]
struct Variables { //~ CN025
    d: Dep<PluginD>,
}

const E: &[Flag] = &[Flag::new("port", "port"), Flag::new("listen", "port"), Flag::new("port", "listen")];
#[plugin(flags = E)]
struct PluginE {
    #[config]
    config: Conf,
}
#[derive(Flavor)]
struct Itself { //~ CN025
    e: Dep<PluginE>,
}
