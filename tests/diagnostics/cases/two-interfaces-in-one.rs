//! `dyn A + B`, which no object is: told once, also where the type is written again in what is generated.

use cninfra::prelude::*;

#[interface]
trait Store {
    fn get(&self) -> u32;
}
#[interface]
trait Watch {
    fn watch(&self);
}

#[plugin]
struct Reader {
    both: Dep<dyn Store + Watch>,         //~ CN010
    maybe: Option<Dep<dyn Store + Watch>>, //~ CN010
}

#[plugin(deps = (dyn Store + Watch, Option<Reader>))] //~ CN010
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

/// rustc tells of the struct, once.
#[derive(Deps)]
struct Needs {
    both: Dep<dyn Store + Watch>, //~ E0225
}

#[plugin]
struct Memory;

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
    listed: Dep<Listed>,
    #[provides(dyn Store + Watch)] //~ CN010
    memory: Dep<Memory>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}
