use cninfra::prelude::*;

struct Settings;
#[plugin]
struct A {
    settings: Dep<Settings>, //~ CN006
}

#[derive(Flavor)]
struct All {
    a: Dep<A>,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
