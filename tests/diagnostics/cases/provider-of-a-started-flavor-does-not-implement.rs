use cninfra::prelude::*;
use fixture_connectors::KvStore;

#[plugin]
struct Memory;
#[plugin]
struct App {
    store: Dep<dyn KvStore>,
}

#[derive(Flavor)]
struct All {
    #[provides(dyn KvStore)] //~ CN011
    memory: Dep<Memory>,
    app: Dep<App>,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}
