//! What the plugin is made of is not compared with what stands for the reference.
use cninfra::prelude::*;

#[plugin]
struct Store;
impl Store {
    fn size(&self) -> usize {
        1
    }
}

#[plugin(deps = (Store))]
struct Api {
    store: &Store, //~ CN010
    others: Dep<&Store>, //~ CN010
    last: Option<&Store>, //~ CN010
    named: &'a Store, //~ CN014
}
impl Create for Api {
    async fn create((store,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Api { store: &store, others: store.clone(), last: Some(&store), named: &store })
    }
}
impl Lifecycle for Api {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.log().info(format_args!("{} {}", self.store.size(), self.others.size()));
        Ok(())
    }
}

#[derive(Flavor)]
struct App {
    store: Dep<Store>,
    api: Dep<Api>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}
