//! What is not shared is told of also where something else is wrong with the plugin, and nothing of what follows from it.

use cninfra::prelude::*;
use std::{cell::Cell, rc::Rc};

/// What it hides can not be seen from outside.
#[derive(Default)]
struct Counter(Cell<u32>);
/// Of a name that std has, too.
#[derive(Default)]
struct Instant(Rc<u32>);
#[derive(Default)]
struct AtomicCounter(Cell<u32>);

#[plugin(nam = "x")] //~ CN010
struct Cache {
    shared: Rc<u32>, //~ CN029
    holder: Holder,
}
impl Lifecycle for Cache {
    async fn init(&self, _: &Context) -> Result<()> {
        drop(self.shared.clone());
        Ok(())
    }
}
/// It leads back to the plugin: nothing goes round for that.
#[derive(Default)]
struct Holder(Option<Dep<Cache>>);

#[plugin]
struct Twice {
    hits: AtomicCounter, //~ CN029
    hits: Rc<u32>,       //~ E0124 CN029
}

#[plugin]
struct Marked {
    #[config(strict)] //~ CN010
    config: Counter,  //~ CN029 CN026
    of: Dep,          //~ CN010
}

#[plugin(deps = (Cache), nam = "x")] //~ CN010
struct Listed {
    counter: Counter, //~ CN029
}
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { counter: Counter::default() })
    }
}

/// Nothing else is wrong with these.
#[plugin]
struct Named {
    began: Instant,      //~ CN029
    hits: AtomicCounter, //~ CN029
}

#[derive(Flavor)]
struct App {
    cache: Dep<Cache>,
    twice: Dep<Twice>,
    marked: Dep<Marked>,
    listed: Dep<Listed>,
    named: Dep<Named>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}
