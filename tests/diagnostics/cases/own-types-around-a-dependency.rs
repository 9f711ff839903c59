//! A type of one's own that is called `Option` or `Vec` is no way to ask for a plugin: that is told, and what it holds can be said.

use cninfra::prelude::*;

#[interface(many)]
trait Store {
    fn get(&self) -> u32;
}
#[plugin]
struct Cache;
#[derive(Qualifier)]
struct Backup;

mod own {
    pub struct Option<T>(pub std::vec::Vec<T>);
    pub struct Vec<T>(T);
    pub type Maybe<T> = std::option::Option<T>;
}
use own::Option;

#[plugin]
struct Reader {
    cache: Option<Dep<Cache>>,         //~ CN010
    stores: own::Vec<Dep<dyn Store>>,  //~ CN010
    right: std::option::Option<Dep<Cache>>,
    right_too: std::vec::Vec<Dep<dyn Store>>,
    #[dep]
    another: own::Maybe<Dep<Cache>>,
    #[default(Option(Default::default()))]
    said: Option<Dep<Cache>>,
}
#[plugin(no_lifecycle)]
struct Generic<T> {
    of: Option<Dep<T>>, //~ CN010
}
#[derive(Deps)]
struct Needs {
    cache: Option<Dep<Cache>>, //~ CN010
}
#[plugin(deps = Needs)]
struct Needing;
impl Create for Needing {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Needing)
    }
}

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
    generic: Dep<Generic<Backup>>,
    needing: Dep<Needing>,
    cache: Dep<Cache>,
}
#[derive(Flavor)]
struct Switched {
    cache: Option<Dep<Cache>>, //~ CN010
    other: std::option::Option<Dep<Needing>>,
}
async fn start() {
    drop(Agent::<App>::start().await);
    drop(Agent::<Switched>::start().await);
}
