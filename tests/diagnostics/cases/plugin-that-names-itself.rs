//! `Self` in what a plugin depends on is the plugin: told as its name is, and the flavor is one all the same.

use cninfra::prelude::*;
use std::{
    marker::PhantomData,
    sync::{Mutex, RwLock, Weak},
};

#[plugin]
struct Clock {
    again: Self, //~ CN033
}

/// In what has its value in itself.
#[plugin]
struct Within {
    maybe: Option<Self>,               //~ CN033
    locked: Mutex<Within>,             //~ CN033
    deep: RwLock<(u8, Option<Self>)>,  //~ CN033
    twice: [Self; 2],                  //~ CN033
    weak: Mutex<Vec<Weak<Self>>>,
}
impl Lifecycle for Within {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (self.maybe.is_some(), self.locked.lock());
        Ok(())
    }
}

#[plugin]
struct Maybe {
    #[cfg(all())]
    maybe: Option<Self>,  //~ CN033
    #[cfg(all())]
    again: Maybe,         //~ CN033
    #[cfg(any())]
    never: Self,
}

#[plugin]
struct Gen<T> {
    of: PhantomData<T>,
    locked: Mutex<Option<Self>>, //~ CN033
    again: Self, //~ CN033
}
impl<T: Key + Send + Sync> Lifecycle for Gen<T> {}

#[plugin(deps = (Self, Option<Gen<Self>>))]
struct Store {
    other: u8,
}
impl Create for Store {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Store { other: 0 })
    }
}

/// Nor does a lifetime in a dependency lead there.
#[plugin]
struct Lent {
    gen_of: Dep<Gen<&'a Clock>>, //~ CN014
}

#[derive(Flavor)]
struct App {
    clock: Dep<Clock>,
    within: Dep<Within>,
    maybe: Dep<Maybe>,
    of_clock: Dep<Gen<Clock>>,
    lent: Dep<Lent>,
}

#[derive(Flavor)]
struct Stores {
    store: Dep<Store>, //~ CN005
}

async fn start() {
    drop(Agent::<App>::start().await);
    drop(Agent::<Stores>::start().await);
}
