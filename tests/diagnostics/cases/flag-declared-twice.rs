use cninfra::prelude::*;

const A: &[Flag] = &[Flag { name: "port", env: "A_PORT", key: "port", help: "the port" }];
const B: &[Flag] = &[Flag { name: "port", env: "B_PORT", key: "port", help: "the port" }];
const C: &[Flag] = &[Flag { name: "version", env: "C_VERSION", key: "version", help: "the version" }];

#[plugin(flags = A)]
struct PluginA;
#[plugin(flags = B)]
struct PluginB;
#[plugin(flags = C)]
struct PluginC;

#[derive(Flavor)]
struct Two { //~ CN025
    a: Dep<PluginA>,
    b: Dep<PluginB>,
}
#[derive(Flavor)]
struct Agents { //~ CN025
    c: Dep<PluginC>,
}
