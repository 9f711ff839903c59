//! rustc's to tell, once where it is written.
//@ lines: 15 because rustc shows the struct, and how to write the argument
//@ repeated because rustc tells of it in each item that it is written in: cargo and rust-analyzer show what is word for word the same once

use cninfra::prelude::*;
use std::marker::PhantomData;

#[derive(Default)]
struct Own;
#[derive(Qualifier)]
struct Backup;
#[plugin]
struct Cache;
#[plugin(no_lifecycle)]
struct Store<T> {
    of: PhantomData<T>,
}

#[plugin]
struct Reader {
    maybe: Option<u8, u8>,                //~ E0107
    all: Vec<Own<u8>>,                    //~ E0107
    own: Own<u8>,                         //~ E0107
    cache: Dep<Cache<Backup>>,            //~ E0107
    missing: Dep<Store>,                  //~ E0107
    several: Dep<Store<Backup, Backup>>,  //~ E0107
}
#[derive(Deps)]
struct Needs {
    several: Dep<Store<Backup, Backup>>, //~ E0107
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
    needing: Dep<Needing>,
    several: Dep<Store<Backup, Backup>>, //~ E0107
}
async fn start() {
    drop(Agent::<App>::start().await);
}
