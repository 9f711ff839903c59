//! A derive takes some types for std's by their names, where no other could be meant. If one is another, that is told, with what to write.

use cninfra::prelude::*;

#[interface]
trait Store {}
#[plugin]
struct Memory;
impl Store for Memory {}

type Vec<T> = Dep<T>;

#[derive(Deps)]
struct Needs {
    memory: Dep<Memory>,
    store: Vec<dyn Store>, //~ CN036
}
/// Written so it is right.
#[derive(Deps)]
struct Right {
    memory: Dep<Memory>,
    store: self::Vec<dyn Store>,
}
#[plugin(deps = Needs)]
struct Reader {
    memory: Dep<Memory>,
}
impl Create for Reader {
    async fn create(needs: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Reader { memory: needs.memory })
    }
}
#[plugin(deps = Right)]
struct Writer {
    store: Dep<dyn Store>,
}
impl Create for Writer {
    async fn create(right: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Writer { store: right.store })
    }
}

#[derive(Flavor)]
struct App {
    #[provides(dyn Store)]
    memory: Dep<Memory>,
    reader: Dep<Reader>,
    writer: Dep<Writer>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}
