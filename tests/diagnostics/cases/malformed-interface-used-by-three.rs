use cninfra::prelude::*;

#[interface(multi)] //~ CN010
trait Store {
    fn get(&self) -> u8;
}
#[plugin]
struct Memory;
impl Store for Memory {
    fn get(&self) -> u8 {
        7
    }
}
#[plugin]
struct A {
    store: Dep<dyn Store>,
}
#[plugin]
struct B {
    store: Option<Dep<dyn Store>>,
}
#[plugin]
struct C {
    stores: Vec<Dep<dyn Store>>,
}

#[derive(Flavor)]
struct All {
    #[provides(dyn Store)]
    memory: Dep<Memory>,
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
