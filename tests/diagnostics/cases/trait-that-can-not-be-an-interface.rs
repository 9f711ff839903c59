//! Each mistake once, and nothing more of what uses the interfaces.

use cninfra::prelude::*;

#[interface]
trait Store: Clone { //~ CN032
    const LIMIT: u32; //~ CN032
    fn get<T: Default>(&self, key: &str) -> T; //~ CN032
    fn each(&self, f: impl Fn(&str)); //~ CN032
    fn later(&self) -> impl Future<Output = u32>; //~ CN032
    fn new() -> Self; //~ CN032
    fn same(&self, other: &Self) -> bool; //~ CN032
    fn other(&self) -> Option<Self> //~ CN032
    where
        Self: Send;
    fn apart() -> Self
    where
        Self: Sized;
    fn right(&self) -> u32;
}

/// By their paths, they are known to be others than std's.
mod own {
    pub trait Hash {
        fn hash(&self) -> u64;
    }
    pub trait Eq {}
}
#[interface]
trait Hashed: own::Hash + self::own::Eq + std::cmp::Eq { //~ CN032
    fn right(&self) -> u32;
}

#[interface(many)]
trait Keys {
    type Key; //~ CN032
    fn first(&self) -> Self::Key;
}

#[plugin]
struct Memory;
impl Keys for Memory {
    type Key = u32;
    fn first(&self) -> u32 {
        1
    }
}

#[plugin]
struct Api {
    store: Dep<dyn Store>,
    keys: Vec<Dep<dyn Keys>>,
    hashed: Dep<dyn Hashed>,
}
impl Lifecycle for Api {
    async fn init(&self, _: &Context) -> Result<()> {
        self.store.right();
        let _ = self.hashed.hash();
        Ok(())
    }
}

#[derive(Flavor)]
#[flavor(open)]
struct App {
    #[provides(dyn Keys)]
    memory: Dep<Memory>,
    api: Dep<Api>,
}
