use cninfra::prelude::*;

struct Settings;

#[plugin]
struct A {
    settings: Dep<Settings>, //~ CN006
    #[context]
    name: String, //~ CN027
    socket: Settings, //~ CN013
}
#[plugin(deps = ())]
struct B; //~ CN009

#[derive(Flavor)]
struct All {
    a: Dep<A>,
    b: Dep<B>,
    settings: Settings, //~ CN007
    #[provides(dyn fixture_connectors::KvStore)] //~ CN011
    c: Dep<B>,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
