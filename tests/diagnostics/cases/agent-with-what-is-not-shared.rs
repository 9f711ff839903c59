//! Of a flavor that holds what is not shared nothing more is said where it is started, or a plugin of it replaced: however often.
use cninfra::prelude::*;

#[derive(Default)]
struct Counter {
    hits: std::rc::Rc<u32>,
}

#[plugin]
struct Cache {
    counter: Counter, //~ CN029
}

#[interface]
trait Time {}

#[plugin]
struct Clock;
impl Time for Clock {}

#[derive(Flavor)]
struct App {
    cache: Dep<Cache>,
    #[provides(dyn Time)]
    clock: Dep<Clock>,
}

async fn of_itself() {
    let _ = Agent::<App>::builder().with(Cache { counter: Counter::default() }).start().await;
}

async fn of_another() {
    let _ = Agent::<App>::builder().with_new(Clock).start().await;
}

async fn of_an_interface(time: std::sync::Arc<dyn Time>) -> Option<Dep<dyn Time>> {
    let agent = Agent::<App>::builder().bind(time).start().await.unwrap();
    agent.close().await.unwrap();
    Agent::<App>::start().await.unwrap().find::<dyn Time>()
}
