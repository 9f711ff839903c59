//! A trait without `#[interface]`, and without `Send` and `Sync`, in each place where an interface may stand.
//@ repeated because the struct asks for the interface, as the plugin's constant does, in the same words

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

#[plugin]
struct One {
    store: Dep<dyn Store>, //~ CN015
    reads: u32,
}
#[plugin]
struct Maybe {
    store: Option<Dep<dyn Store>>, //~ CN015
}
#[plugin]
struct All {
    stores: Vec<Dep<dyn Store>>, //~ CN012
}
#[plugin(deps = (dyn Store, One))] //~ CN015
struct Listed {
    store: Dep<dyn Store>,
}
impl Create for Listed {
    async fn create((store, _one): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { store })
    }
}
#[derive(Deps)]
struct Named {
    store: Dep<dyn Store>, //~ CN015
}
#[plugin(deps = Named)]
struct Whole {
    deps: Named,
}
impl Create for Whole {
    async fn create(deps: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Whole { deps })
    }
}
/// It depends on all of them, and nothing is said of it.
#[plugin]
struct Top {
    one: Dep<One>,
    listed: Dep<Listed>,
}

#[derive(Flavor)]
struct App {
    one: Dep<One>,
    maybe: Dep<Maybe>,
    all: Dep<All>,
    listed: Dep<Listed>,
    whole: Dep<Whole>,
    top: Dep<Top>,
    #[provides(dyn Store)] //~ CN015
    memory: Dep<Memory>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}
fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}
