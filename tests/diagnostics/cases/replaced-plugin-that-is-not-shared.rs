//! Of a flavor that holds what is not shared nothing more is said where a plugin of it is replaced.
use cninfra::prelude::*;

#[derive(Default)]
struct Counter {
    hits: std::rc::Rc<u32>,
}

#[plugin]
struct Cache {
    counter: Counter, //~ CN029
}

#[plugin]
struct Clock;

#[derive(Flavor)]
struct App {
    cache: Dep<Cache>,
    clock: Dep<Clock>,
}

async fn of_itself() {
    let _ = Agent::<App>::builder().with(Cache { counter: Counter::default() }).start().await;
}

async fn of_another() {
    let _ = Agent::<App>::builder().with_new(Clock).start().await;
}
