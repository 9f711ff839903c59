use cninfra::prelude::*;

struct Settings;
#[plugin]
struct A;

#[derive(Flavor)]
struct All {
    a: Dep<A>,
    settings: Dep<Settings>, //~ CN006
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
