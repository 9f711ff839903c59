use cninfra::prelude::*;
use std::sync::Arc;

#[interface]
trait Store {}
struct Memory;
impl Store for Memory {}

async fn go() {
    let _ = Agent::<fixture_base::Local>::builder().bind::<dyn Store>(Arc::new(Memory)).start().await; //~ CN018
}

#[interface(many)]
trait Many {}
#[plugin]
struct One;
impl Many for One {}
#[derive(Flavor)]
struct Collected {
    #[provides(dyn Many)]
    one: Dep<One>,
}
fn bind_many(other: Arc<dyn Many>) {
    drop(Agent::<Collected>::builder().bind::<dyn Many>(other)); //~ CN018
}

/// The interface is to be named.
fn bind_what_is_no_interface() {
    drop(Agent::<Collected>::builder().bind(Arc::new(Memory))); //~ CN018
}
