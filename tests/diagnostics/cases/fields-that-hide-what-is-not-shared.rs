//! A type of one's own that hides what is not shared: told on the field, and not again of the plugin's futures, nor of those of plugins that use it.
use cninfra::prelude::*;
use std::{
    cell::Cell,
    sync::{Mutex, OnceLock, Weak},
};

#[derive(Default)]
struct Hidden(Cell<u8>);

async fn other() {}

#[plugin]
#[derive(Default)]
struct Counter {
    hits: Hidden, //~ CN029
}
impl Counter {
    fn hit(&self) {
        self.hits.0.set(1);
    }
}
impl Lifecycle for Counter {
    async fn init(&self, _: &Context) -> Result<()> {
        self.hit();
        Ok(())
    }
    async fn close(&self, _: &Context) -> Result<()> {
        other().await;
        self.hit();
        Ok(())
    }
}

#[plugin]
struct User {
    counter: Dep<Counter>,
}
impl Lifecycle for User {
    async fn init(&self, _: &Context) -> Result<()> {
        other().await;
        self.counter.hit();
        Ok(())
    }
}

#[plugin(deps = (Counter))]
struct Listed {
    counter: Dep<Counter>,
    hits: Hidden, //~ CN029
}
impl Create for Listed {
    async fn create((counter,): Self::Deps, _: &Context) -> Result<Self> {
        other().await;
        Ok(Listed { counter, hits: Hidden::default() })
    }
}

#[plugin]
struct Unnamed(Hidden); //~ CN029

/// Nothing is wrong with what leads back to the plugin.
type Back = OnceLock<Weak<Owner>>;
#[derive(Default)]
struct Backs(Mutex<Vec<Weak<Owner>>>);
#[plugin]
struct Owner {
    back: Back,
    backs: Backs,
    peer: OnceLock<Weak<Peer>>,
}
impl Lifecycle for Owner {
    async fn init(&self, _: &Context) -> Result<()> {
        other().await;
        drop(self.back.get());
        Ok(())
    }
}
#[plugin]
struct Peer {
    owner: Dep<Owner>,
    owners: OnceLock<Weak<Owner>>,
}

#[derive(Flavor)]
struct App {
    counter: Dep<Counter>,
    user: Dep<User>,
    listed: Dep<Listed>,
    unnamed: Dep<Unnamed>,
    owner: Dep<Owner>,
    peer: Dep<Peer>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}
fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}
