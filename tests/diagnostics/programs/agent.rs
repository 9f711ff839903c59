// A right program with a bit of everything. `tests/incremental.rs` makes one mistake in it at a time.

use cninfra::prelude::*;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

mod parts {
    use cninfra::prelude::*;

    #[interface]
    pub trait Store {
        fn get(&self) -> u32;
    }
    #[interface(many)]
    pub trait Routes {
        fn count(&self) -> u32;
    }
    #[plugin]
    pub struct Memory;
    impl Store for Memory {
        fn get(&self) -> u32 {
            1
        }
    }
    impl Routes for Memory {
        fn count(&self) -> u32 {
            1
        }
    }
    #[plugin]
    pub struct Clock {
        now: u64,
    }
    #[derive(Flavor)]
    pub struct Rpc {
        #[provides(dyn Store, dyn Routes)]
        pub memory: Dep<Memory>,
        pub clock: Dep<Clock>,
    }
}
use parts::{Clock, Memory, Routes, Rpc, Store};

pub struct NoPlugin;

#[derive(Qualifier)]
pub struct Backup;

#[derive(Serialize, Deserialize, Default)]
pub struct GreeterConfig {
    name: String,
}

#[plugin]
pub struct Greeter {
    store: Dep<dyn Store>,
    clock: Dep<Clock>,
    routes: Vec<Dep<dyn Routes>>,
    cache: Option<Dep<Cache>>,
    #[config]
    config: GreeterConfig,
}
impl Lifecycle for Greeter {
    async fn init(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}

#[plugin]
pub struct Cache {
    hits: u64,
    owner: std::sync::Weak<u64>,
}
impl Routes for Cache {
    fn count(&self) -> u32 {
        2
    }
}

#[derive(Default)]
pub struct NotShared(std::cell::Cell<u64>);

#[plugin(deps = (Clock, dyn Store))]
#[derive(Default)]
pub struct Listed {
    count: u32,
}
impl Create for Listed {
    async fn create((_clock, store): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { count: store.get() })
    }
}

#[plugin(no_lifecycle)]
pub struct Role<R> {
    role: PhantomData<R>,
    clock: Dep<Clock>,
}

#[derive(Flavor)]
#[flavor(open)]
pub struct Half {
    pub backup: Dep<Role<Backup>>,
}

#[derive(Flavor)]
pub struct Generic<R> {
    pub role: Dep<Role<R>>,
    pub rpc: Rpc,
}
cninfra::check_flavor!(Generic<Backup>);

#[derive(Flavor)]
pub struct App {
    pub rpc: Rpc,
    pub greeter: Dep<Greeter>,
    #[provides(dyn Routes)]
    pub cache: Dep<Cache>,
    pub listed: Dep<Listed>,
    pub half: Half,
}

#[derive(Flavor)]
pub struct Small {
    #[provides(dyn Store)]
    pub memory: Dep<Memory>,
}

pub async fn start() -> std::result::Result<(), cninfra::agent::StartError> {
    drop(Agent::<App>::start().await?);
    drop(Agent::<App>::builder().with(Listed::default()).start().await?);
    drop(Agent::<Small>::start().await?);
    drop(Agent::<Generic<Backup>>::start().await?);
    Ok(())
}
