//! A trait without `#[interface]`, whose objects are not shared, as the state of handlers.
//@ repeated because the struct asks for the interface, as the plugin's constant does, in the same words
use cninfra::http::{Http, Routes, axum::extract::State};
use cninfra::prelude::*;

trait Store {
    fn get(&self) -> u32;
}
#[plugin]
struct Memory;
impl Store for Memory {
    fn get(&self) -> u32 {
        1
    }
}

async fn show(State(store): State<Dep<dyn Store>>) -> String {
    store.get().to_string()
}

#[plugin]
struct Web {
    http: Dep<dyn Http>,
    store: Dep<dyn Store>, //~ CN015
}
impl Lifecycle for Web {
    async fn init(&self, cx: &Context) -> Result<()> {
        let routes = Routes::new()
            .get("/", show) //~ CN035
            .with_state(self.store.clone());
        self.http.register(cx, routes)
    }
}

#[derive(Flavor)]
struct App {
    web: Dep<Web>,
    #[provides(dyn Store)] //~ CN015
    memory: Dep<Memory>,
}
fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}
