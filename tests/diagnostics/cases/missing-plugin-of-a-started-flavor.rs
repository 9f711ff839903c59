use cninfra::prelude::*;

#[plugin]
struct A {
    journal: Dep<fixture_base::Journal>,
}

#[derive(Flavor)]
struct All {
    a: Dep<A>, //~ CN001
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
