// A flavor of more than twelve fields. `tests/incremental.rs` makes one mistake in it at a time.

use cninfra::prelude::*;

#[interface]
pub trait Store {
    fn get(&self) -> u32;
}
#[plugin]
pub struct Memory;
impl Store for Memory {
    fn get(&self) -> u32 {
        1
    }
}

pub struct NoPlugin;

macro_rules! plugins {
    ($($name:ident)*) => {
        $(
            #[plugin]
            pub struct $name {
                store: Dep<dyn Store>,
            }
        )*
    };
}
plugins!(A B C D E F G H I J K L M);

#[plugin]
pub struct Last {
    m: Dep<M>,
}

#[derive(Flavor)]
pub struct Wide {
    pub a: Dep<A>,
    pub b: Dep<B>,
    pub c: Dep<C>,
    pub d: Dep<D>,
    pub e: Dep<E>,
    pub f: Dep<F>,
    pub g: Dep<G>,
    pub h: Dep<H>,
    pub i: Dep<I>,
    pub j: Dep<J>,
    pub k: Dep<K>,
    pub l: Dep<L>,
    pub m: Dep<M>,
    #[provides(dyn Store)]
    pub memory: Dep<Memory>,
    pub last: Dep<Last>,
}

#[derive(Flavor)]
pub struct Outer {
    pub wide: Wide,
}

pub async fn start() -> std::result::Result<(), cninfra::agent::StartError> {
    drop(Agent::<Wide>::start().await?);
    drop(Agent::<Outer>::start().await?);
    Ok(())
}
