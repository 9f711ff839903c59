//! `Self` in what a plugin depends on is the plugin: told as its name is, and the flavor is one all the same.

use cninfra::prelude::*;
use std::marker::PhantomData;

#[plugin]
struct Clock {
    again: Self, //~ CN033
}

#[plugin]
struct Gen<T> {
    of: PhantomData<T>,
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
