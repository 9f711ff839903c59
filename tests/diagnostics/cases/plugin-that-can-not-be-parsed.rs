//! rustc tells of it, and so does the attribute, which can not know that; nothing that uses the plugin errs.

use cninfra::prelude::*;

#[plugin]
struct Clock {
    ticks = u64, //~ none CN010
}

#[derive(Flavor)]
struct Part {
    clock Dep<Clock>, //~ none CN010
}

#[derive(Flavor)]
struct App {
    clock: Dep<Clock>,
    part: Part,
}

async fn start() {
    drop(Agent::<App>::start().await);
}
