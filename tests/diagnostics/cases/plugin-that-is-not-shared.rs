//! What a plugin holds is `Send` and `Sync`: told on the field, and not again of its lifecycle and of what depends on it.

use cninfra::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

#[derive(Default)]
struct Counter(Cell<u32>);

#[plugin]
struct Cache {
    shared: Rc<u32>,              //~ CN029
    hits: Cell<u32>,              //~ CN029
    later: Option<Box<dyn Fn()>>, //~ CN029
    names: RefCell<Vec<String>>,  //~ CN029
    misses: std::sync::Mutex<u32>,
}
impl Lifecycle for Cache {
    async fn init(&self, _: &Context) -> Result<()> {
        self.names.borrow_mut().push(format!("{}", *self.shared));
        Ok(())
    }
}

#[plugin]
struct Reader {
    cache: Dep<Cache>,
}
impl Lifecycle for Reader {
    async fn init(&self, _: &Context) -> Result<()> {
        self.cache.hits.set(1);
        Ok(())
    }
}

#[plugin]
struct Counts {
    counter: Counter, //~ CN029
}

#[plugin(deps = (Cache))]
struct Listed {
    cache: Rc<Dep<Cache>>, //~ CN029
}
impl Create for Listed {
    async fn create((cache,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { cache: Rc::new(cache) })
    }
}

#[derive(Flavor)]
struct App {
    cache: Dep<Cache>,
    reader: Dep<Reader>,
    counts: Dep<Counts>,
    listed: Dep<Listed>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}
fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}
