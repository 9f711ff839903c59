use cninfra::prelude::*;
use std::marker::PhantomData;

#[derive(Qualifier)]
#[qualifier(name = "Not Good")] //~ CN021
struct Role;

#[plugin(no_lifecycle)]
struct Store<R> {
    role: PhantomData<R>,
}
#[plugin]
struct A {
    store: Dep<Store<Role>>,
}

#[derive(Flavor)]
struct All {
    a: Dep<A>,
    store: Dep<Store<Role>>,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
