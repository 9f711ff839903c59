use cninfra::prelude::*;

#[interface]
trait Store {
    async fn get(&self, key: &str) -> Option<String>; //~ CN023
    async fn len(&self) -> u32 { //~ CN023
        0
    }
    fn name(&self) -> &'static str;
}
#[plugin]
struct Memory;
impl Store for Memory {
    async fn get(&self, _: &str) -> Option<String> {
        None
    }
    fn name(&self) -> &'static str {
        "memory"
    }
}
#[plugin]
struct App {
    store: Dep<dyn Store>,
}

#[derive(Flavor)]
struct All {
    #[provides(dyn Store)]
    memory: Dep<Memory>,
    app: Dep<App>,
}

async fn go() {
    if let Ok(agent) = Agent::<All>::start().await {
        agent.app.store.get("alice").await;
    }
}
