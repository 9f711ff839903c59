use cninfra::prelude::*;

#[plugin]
struct P {
    journal: Dep<fixture_base::Journal>,
}

#[derive(Flavor)]
#[flavor(close)] //~ CN010
struct Inner {
    p: Dep<P>,
}

#[derive(Flavor)]
struct A {
    local: fixture_base::Local,
    inner: Inner,
}
#[derive(Flavor)]
struct B {
    inner: Inner,
}
#[derive(Flavor)]
struct C {
    b: B,
}

async fn go() {
    let _ = Agent::<A>::start().await;
    let _ = Agent::<C>::start().await;
    let _ = Agent::<Inner>::start().await;
}
