//! An argument that is misspelled, or has another word of the same meaning: what is meant is known, and nothing that
//! follows from its absence is reported.
use cninfra::prelude::*;

#[plugin(nam = "store")] //~ CN010
struct Store;
#[plugin(dependencies = (Store))] //~ CN010
struct Api {
    store: Dep<Store>,
}
impl Create for Api {
    async fn create((store,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Api { store })
    }
}
#[plugin(dep = (Store), requires = (Store), deps = (Store))] //~ CN010 CN010
struct Both;
impl Create for Both {
    async fn create((_,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Both)
    }
}
#[plugin(dep = (Store), requires = (Store))] //~ CN010 CN010
struct Neither;
#[plugin(nolifecycle)] //~ CN010
struct Generic<T>(std::marker::PhantomData<T>);
#[plugin(nam = "a", name = "b")] //~ CN010
struct Twice;
#[plugin(conf(Store))] //~ CN010
struct Listed;

#[interface(multi)] //~ CN010
trait Routes {}
#[plugin]
struct Server {
    routes: Vec<Dep<dyn Routes>>,
}

#[derive(Flavor)]
#[flavor(partial)] //~ CN010
struct Part {
    api: Dep<Api>,
}
#[derive(Flavor)]
#[flavor(opn)] //~ CN010
struct Other {
    api: Dep<Api>,
}

#[derive(Qualifier)]
#[qualifier(rename = "")] //~ CN010
struct Main;
