use cninfra::prelude::*;

#[plugin]
struct A;
#[plugin]
struct B;

#[derive(Flavor)]
struct All {
    a: Dep<A>,
    b: B, //~ CN007
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
