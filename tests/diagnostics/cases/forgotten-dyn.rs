//! A trait's name where a type must stand: once in a flavor. Of a plugin's field rustc tells wherever the type is written: in the struct, in
//! the list of its dependencies and in what the graph knows of them, all in the same place.

//@ repeated because rustc tells of it wherever the type is written
use cninfra::prelude::*;

#[interface]
trait Store {
    fn get(&self) -> u32;
}
#[plugin]
struct Memory;
impl Store for Memory {
    fn get(&self) -> u32 {
        1
    }
}
#[plugin]
struct Reader {
    store: Dep<Store>, //~ E0782
}
type Kept = dyn Store;

#[derive(Flavor)]
struct App {
    #[provides(Store)] //~ E0782
    memory: Dep<Memory>,
}
/// An alias is right.
#[derive(Flavor)]
struct Other {
    #[provides(Kept)]
    memory: Dep<Memory>,
}

async fn start() {
    drop(Agent::<App>::start().await);
    drop(Agent::<Other>::start().await);
}
